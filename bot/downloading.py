"""Downloading what people sent from the hosts it may lie on, and from no other."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from bot.channel import OutOfReach
from storage.attachments import LARGEST

MOST_REDIRECTS = 3
SECONDS = 120.0  # for one file, redirects and all
IDLE = 20.0  # seconds without a byte
REDIRECTS = (301, 302, 303, 307, 308)
BUSY = (408, 425, 429)  # and all that a server says of itself: ask again
HOST = re.compile(r"[a-z0-9.:-]+")
PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]  # scheme, host, port


@dataclass(frozen=True)
class Hosts:
    """Where files may lie: `domains` and all hosts under them by https; `named` as they stand.

    A named origin may also be http, or on a private address: whoever wrote it meant it.
    """

    domains: tuple[str, ...] = ()
    named: frozenset[Origin] = frozenset()

    def take(self, url: httpx.URL) -> bool:
        """Whether a file may be fetched from there, as far as the address can say."""
        if self.names(url):
            return True
        domain = _bare(url.host)
        below = any(domain == each or domain.endswith(f".{each}") for each in self.domains)
        return below and url.scheme == "https" and _port(url) == PORTS["https"]

    def names(self, url: httpx.URL) -> bool:
        """Whether this very origin was written down."""
        return (url.scheme, _bare(url.host), _port(url)) in self.named


def read_hosts(listed: str) -> Hosts:
    """`zdn.vn,http://127.0.0.1:9000` as hosts. Raises ValueError for what is neither."""
    domains: list[str] = []
    named: set[Origin] = set()
    for each in (part.strip() for part in listed.split(",")):
        if not each:
            continue
        url = _parsed(each if "://" in each else f"https://{each}")
        plain = url is not None and HOST.fullmatch(_bare(url.host))
        if url is None or not plain or url.scheme not in PORTS or url.path not in ("", "/"):
            raise ValueError("domains such as zdn.vn, or http://HOST:PORT, with commas between")
        if "://" in each:
            named.add((url.scheme, _bare(url.host), _port(url)))
        else:
            domains.append(_bare(url.host))
    return Hosts(tuple(domains), frozenset(named))


def _parsed(address: str) -> httpx.URL | None:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError, ValueError):
        return None
    return url if url.host and not url.userinfo else None


def _bare(host: str) -> str:
    return host.lower().rstrip(".")


def _port(url: httpx.URL) -> int:
    return url.port or PORTS.get(url.scheme, 0)


def downloads() -> httpx.AsyncClient:
    """A client to hand to `download`: it follows nothing and asks no proxy by itself."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(IDLE),
        follow_redirects=False,
        trust_env=False,
        headers={"accept-encoding": "identity"},
    )


async def download(
    client: httpx.AsyncClient,
    address: str,
    hosts: Hosts,
    most: int = LARGEST,
    seconds: float = SECONDS,
) -> bytes:
    """The bytes at an address, `most` of them. Raises LookupError when they cannot be had (not
    allowed, gone, too many), OutOfReach when they cannot be had now."""
    try:
        async with asyncio.timeout(seconds):
            return await _followed(client, address, hosts, most)
    except (TimeoutError, httpx.HTTPError, OSError):
        raise OutOfReach from None  # an address would stand in what they say


async def _followed(client: httpx.AsyncClient, address: str, hosts: Hosts, most: int) -> bytes:
    url = _parsed(address)
    for _ in range(MOST_REDIRECTS + 1):
        if url is None or not hosts.take(url):
            raise LookupError("the host is not one of ours")
        # The very address that was looked at is the one connected to: a name that is asked for
        # twice may answer differently.
        pinned = url if hosts.names(url) else url.copy_with(host=await _public(url))
        headers = {"host": url.netloc.decode()}
        request = client.build_request("GET", pinned, headers=headers)
        request.extensions["sni_hostname"] = url.host
        response = await client.send(request, stream=True)
        try:
            if response.status_code not in REDIRECTS:
                return await _read(response, most)
            url = _joined(url, response.headers.get("location", ""))
        finally:
            await response.aclose()
    raise LookupError("it is passed on too often")


def _joined(url: httpx.URL, to: str) -> httpx.URL | None:
    try:
        return _parsed(str(url.join(to)))
    except (httpx.InvalidURL, ValueError):
        return None


async def _public(url: httpx.URL) -> str:
    """An address of a host that is on the public net. Raises LookupError for any that is not."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(_bare(url.host), _port(url), type=socket.SOCK_STREAM)
    return public([str(address[0]) for _, _, _, _, address in found])


def public(addresses: Sequence[str]) -> str:
    """The first of a host's addresses. Raises LookupError where one of them is not public."""
    for each in addresses:
        address = ipaddress.ip_address(each.partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or address
        if not inner.is_global or inner.is_multicast:
            raise LookupError("the host is in a private network")
    return addresses[0]


async def _read(response: httpx.Response, most: int) -> bytes:
    status = response.status_code
    if status in BUSY or status >= 500:
        raise OutOfReach(_after(response))
    if status != 200:
        raise LookupError("the file is gone")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise LookupError("the file is packed")  # a small one may be huge inside
    content = bytearray()
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > most:
            raise LookupError("the file is too large")
    return bytes(content)


def _after(response: httpx.Response) -> float:
    given = response.headers.get("retry-after", "")
    return float(min(int(given), 3600)) if given.isascii() and given.isdigit() else 0.0

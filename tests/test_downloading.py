from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from bot.channel import OutOfReach
from bot.downloading import Hosts, download, downloads, public, read_hosts
from tests.files import FileServer

ZALO = read_hosts("zdn.vn, zadn.vn,http://127.0.0.1:9000")


def takes(address: str) -> bool:
    return ZALO.take(httpx.URL(address))


@pytest.mark.parametrize(
    "address",
    [
        "https://photo-stal-1.zdn.vn/a.jpg",
        "https://zdn.vn/a.jpg",
        "https://F2-VOICE.ZDN.VN./a.aac",
        "https://a.b.zadn.vn:443/a",
        "http://127.0.0.1:9000/a",
    ],
)
def test_a_host_of_the_list_is_taken(address: str) -> None:
    assert takes(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://photo-stal-1.zdn.vn/a.jpg",
        "https://evilzdn.vn/a.jpg",
        "https://zdn.vn.evil.com/a",
        "https://photo.zdn.vn:8443/a",
        "https://127.0.0.1:9000/a",
        "http://127.0.0.1:9001/a",
        "http://169.254.169.254/latest",
        "https://[::1]/a",
        "ftp://zdn.vn/a",
        "file:///etc/passwd",
    ],
)
def test_any_other_host_is_not(address: str) -> None:
    assert not takes(address)


@pytest.mark.parametrize("listed", ["ftp://a", "a b", "https://", "zdn.vn/path", "http://u:p@h"])
def test_a_list_that_is_none_is_refused(listed: str) -> None:
    with pytest.raises(ValueError):
        read_hosts(listed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.8", "224.0.0.1",
    ],
)  # fmt: skip
def test_a_private_address_is_never_connected_to(address: str) -> None:
    with pytest.raises(LookupError):
        public(["49.213.118.2", address])
    assert public(["49.213.118.2", "2001:4860:4860::8888"]) == "49.213.118.2"


def fetched(files: FileServer, path: str, hosts: Hosts | None = None, **how: Any) -> bytes:
    async def fetch() -> bytes:
        async with downloads() as client:
            known = hosts or read_hosts(files.url)
            return await download(client, files.url + path, known, **how)

    return asyncio.run(fetch())


def test_a_file_is_downloaded_also_behind_a_redirect_or_three(files: FileServer) -> None:
    files.put("/a", b"photo")
    files.pass_on("/1", "/2")
    files.pass_on("/2", files.url + "/3")
    files.pass_on("/3", "/a")
    assert fetched(files, "/a") == fetched(files, "/1") == b"photo"


def test_a_fourth_redirect_is_one_too_many(files: FileServer) -> None:
    for at in range(4):
        files.pass_on(f"/{at}", f"/{at + 1}")
    files.put("/4", b"photo")
    with pytest.raises(LookupError):
        fetched(files, "/0")


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:1/a", "http://localhost/a", "https://evil.example/a", "file:///a", ""]
)
def test_a_redirect_leads_to_no_other_host(files: FileServer, to: str) -> None:
    files.pass_on("/a", to)
    with pytest.raises(LookupError):
        fetched(files, "/a")


def test_a_host_whose_name_means_a_private_address_is_not_connected_to() -> None:
    async def fetch() -> None:
        async with downloads() as client:
            await download(client, "https://localhost/a", read_hosts("localhost"))

    with pytest.raises(LookupError, match="private"):
        asyncio.run(fetch())


@pytest.mark.parametrize("claims", [True, False])
def test_more_bytes_than_are_taken_are_not_read_to_the_end(files: FileServer, claims: bool) -> None:
    files.put("/endless", b"x" * 1000, endless=not claims)
    with pytest.raises(LookupError, match="large"):
        fetched(files, "/endless", most=999)


def test_a_packed_file_is_not_unpacked(files: FileServer) -> None:
    files.put("/a", b"\x1f\x8b", headers={"content-encoding": "gzip"})
    with pytest.raises(LookupError):
        fetched(files, "/a")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_file_that_is_gone_is_gone(files: FileServer, status: int) -> None:
    files.put("/a", b"no", status=status)
    with pytest.raises(LookupError):
        fetched(files, "/a")


@pytest.mark.parametrize(("status", "after"), [(429, 7), (500, 0), (503, 0)])
def test_a_host_that_has_no_time_is_asked_again(files: FileServer, status: int, after: int) -> None:
    files.put("/a", b"no", status=status, headers={"retry-after": str(after)} if after else {})
    with pytest.raises(OutOfReach) as away:
        fetched(files, "/a")
    assert away.value.after == after


def test_a_host_that_says_nothing_is_asked_again(files: FileServer) -> None:
    files.put("/a", b"", silent=True)
    with pytest.raises(OutOfReach):
        fetched(files, "/a", seconds=0.2)


def test_nobody_there_is_asked_again_and_no_address_is_told() -> None:
    async def fetch() -> None:
        async with downloads() as client:
            await download(client, "http://127.0.0.1:1/secret", read_hosts("http://127.0.0.1:1"))

    with pytest.raises(OutOfReach) as away:
        asyncio.run(fetch())
    assert "127.0.0.1" not in str(away.value) and away.value.__cause__ is None

"""What goes wrong by script, at whatever platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Way = Literal["answer", "hang", "reset"]


@dataclass(frozen=True)
class Fault:
    """What happens to a call instead of what should. `executed`: it had its effect all the same.

    `unread`: it strikes before the body was read. `parameters` are added to the platform's answer,
    `headers` to those of HTTP.
    """

    way: Way = "answer"
    status: int = 200
    told: str = ""
    parameters: dict[str, Any] | None = None
    body: bytes | None = None
    executed: bool = False
    unread: bool = False
    seconds: float = 0
    headers: dict[str, str] | None = None


def broken(status: int = 502, json: bool = True, executed: bool = False) -> Fault:
    """A server error, with the API's JSON or with a gateway's page."""
    names = {500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Timeout"}
    name = names.get(status, "Server Error")
    page = f"<html><head><title>{status} {name}</title></head></html>".encode()
    return Fault(status=status, told=name, body=None if json else page, executed=executed)


def hang(executed: bool = False) -> Fault:
    """The call is accepted and never answered."""
    return Fault("hang", executed=executed)


def slow(seconds: float) -> Fault:
    """The answer comes late."""
    return Fault(seconds=seconds, executed=True)


RESET_UNREAD = Fault("reset", unread=True)
RESET_EXECUTED = Fault("reset", executed=True)


@dataclass
class _Line:
    fault: Fault
    method: str | None
    chat: int | str | None
    left: int

    def is_for(self, method: str, chat: int | str | None) -> bool:
        of_method = self.method is None or self.method.lower() == method.lower()
        return self.left > 0 and of_method and (self.chat is None or self.chat == chat)


@dataclass
class Script:
    """The faults to come, in the order they were written down. Its owner locks."""

    lines: list[_Line] = field(default_factory=list)

    def add(self, fault: Fault, times: int, method: str | None, chat: int | str | None) -> None:
        self.lines.append(_Line(fault, method, chat, times))

    def next(self, method: str, chat: int | str | None, unread: bool = False) -> Fault | None:
        """The fault of this call. Those that strike before the body is read know no chat."""
        for line in self.lines:
            if line.fault.unread == unread and line.is_for(method, chat):
                line.left -= 1
                return line.fault
        return None

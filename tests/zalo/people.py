"""People in the Zalo app: what they do in their chat with us, and what they see there.

The same on both surfaces; what a surface does not carry comes to it as the surface would have it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.zalo.double import Double

Thing = dict[str, Any]
NUMBERED = re.compile(r"^ *(\d{1,2})\. +(.+?) *$", re.MULTILINE)
SIDE_BY_SIDE = re.compile(r"^ *\S+(?: · \S+)+ *$", re.MULTILINE)  # labels that are numbers
UNNUMBERED = re.compile(r"^– (.+?) *$", re.MULTILINE)  # labels that have no number
APP_LIMIT = 2000  # characters the app lets somebody type into one message


@dataclass(frozen=True)
class Line:
    """A choice in a message: a numbered line, or a button; `says` is what choosing it says."""

    label: str
    says: str


@dataclass(frozen=True)
class Heard:
    """A message of ours as its person sees it."""

    message_id: str
    text: str
    kind: str = "text"
    content: bytes = field(default=b"", repr=False)
    name: str = ""
    buttons: tuple[Line, ...] = ()
    raw: Thing = field(default_factory=dict, repr=False, compare=False)

    @property
    def photo(self) -> bool:
        return self.kind == "photo"

    @property
    def document(self) -> bool:
        return self.kind == "document"

    @property
    def choices(self) -> tuple[Line, ...]:
        """The buttons, and what the text offers: by its number, or by what it is called."""
        lines = [Line(label, number) for number, label in NUMBERED.findall(self.text)]
        beside = [label for line in SIDE_BY_SIDE.findall(self.text) for label in line.split(" · ")]
        bare = [*beside, *UNNUMBERED.findall(self.text)]
        return (*self.buttons, *lines, *(Line(label.strip(), label.strip()) for label in bare))

    def choice(self, label: str) -> Line | None:
        return next((each for each in self.choices if each.label == label), None)


Until = str | Callable[[list[Heard]], Any] | None


@dataclass
class Person:
    """Somebody with a chat. Everything returns at once but `wait`; acts return a message id.

    `spoke`: when they last did something that opens the window, in seconds since the epoch.
    """

    double: Double
    name: str
    id: str
    spoke: float | None = None
    follows: bool = False
    blocked: bool = False
    restricted: bool = False
    events: list[int] = field(default_factory=list)
    messages: list[Heard] = field(default_factory=list)
    unheard: list[Heard] = field(default_factory=list)

    # -- saying ---------------------------------------------------------------------------------

    def say(self, text: str, **more: Any) -> str:
        """A text. `more`: `quoting=message_id`; on the Bot Platform also `group=its id`."""
        return self._do("text", text=text, **more)

    def long(self, text: str) -> list[str]:
        """A text longer than a message: the app sends it in pieces that nothing ties together."""
        pieces = [text[at : at + APP_LIMIT] for at in range(0, len(text), APP_LIMIT)]
        with self.double.changed:
            return [self.say(piece) for piece in pieces]

    def start(self, payload: str = "") -> str:
        """Zalo has no deep link that says anything: what stands in it has to be typed."""
        return self.say(f"/start {payload}".rstrip())

    def photo(self, content: bytes, caption: str | None = None, size: int = 0) -> str:
        return self._file("image", content, "anh.jpg", size, text=caption, thumbnail=True)

    def album(self, contents: Sequence[bytes], caption: str | None = None) -> list[str]:
        """Several photos at once: an event each, the caption on the first."""
        with self.double.changed:
            captions = [caption, *[None] * len(contents)]
            return [self.photo(*each) for each in zip(contents, captions, strict=False)]

    def voice(self, content: bytes, size: int = 0) -> str:
        return self._file("audio", content, "voice.aac", size)

    def video(self, content: bytes, size: int = 0) -> str:
        return self._file("video", content, "phim.mp4", size, thumbnail=True)

    def document(self, content: bytes, name: str = "tai-lieu.pdf", size: int = 0) -> str:
        return self._file("file", content, name, size)

    def gif(self, content: bytes = b"GIF89a") -> str:
        return self._file("gif", content, "hinh.gif", 0, thumbnail=True)

    def sticker(self, content: bytes = b"RIFF0000WEBP") -> str:
        return self._file("sticker", content, "sticker.webp", 0, id="46986")

    def link(self, url: str) -> str:
        return self._do("link", url=url, text=url)

    def card(self, phone: str) -> str:
        return self._do("card", phone=phone)

    def location(self, latitude: float, longitude: float, name: str | None = None) -> str:
        return self._do("location", latitude=str(latitude), longitude=str(longitude), text=name)

    def _file(self, kind: str, content: bytes, name: str, size: int, **more: Any) -> str:
        with self.double.changed:
            file = self.double.shelf.put(content, name, self.id, size)
            if more.pop("thumbnail", False):
                small = self.double.shelf.put(content[:64], "t.jpg", self.id)
                more["thumbnail"] = self.double.url + small.path
            return self._do(kind, url=self.double.url + file.path, file=file, **more)

    # -- what only an Official Account hears of -------------------------------------------------

    def follow(self) -> str:
        self.follows = True
        return self._do("follow")

    def unfollow(self) -> str:
        self.follows = False
        return self._do("unfollow", opens=False)

    def submit_info(self, name: str, phone: str, **more: Any) -> str:
        """Fill in the form that asks for one's name and number."""
        return self._do("info", name=name, phone=phone, **more)

    def received(self, message_id: str) -> str:
        return self._do("received", opens=False, message=message_id)

    def seen(self, message_ids: Sequence[str]) -> str:
        return self._do("seen", opens=False, messages=list(message_ids))

    def react(self, message_id: str, icon: str = ":>") -> str:
        return self._do("reacted", opens=False, message=message_id, icon=icon)

    def chatnow(self) -> str:
        """Tap the button on the account's page that opens the chat."""
        return self._do("chatnow")

    def withdraw(self) -> str:
        """Take back the consent: all that is known of them has to go."""
        return self._do("withdraw", opens=False)

    # -- what only the Bot Platform tells of ----------------------------------------------------

    def unsupported(self) -> str:
        """Anything the platform does not carry; or any text, of somebody it protects."""
        return self._do("unsupported")

    # -- choosing -------------------------------------------------------------------------------

    def press(self, label: str) -> str:
        """Choose what stands behind the label in the newest message that offers it."""
        for heard in reversed(self.chat()):
            choice = heard.choice(label)
            if choice is not None:
                return self.say(choice.says)
        offered = [[each.label for each in heard.choices] for heard in self.chat()]
        raise AssertionError(f"no choice {label!r}; there are {offered}")

    # -- coming and going -----------------------------------------------------------------------

    def block(self) -> None:
        """Nothing reaches them from now on; no event tells of it."""
        self.blocked = True

    def unblock(self) -> None:
        self.blocked = False

    def restrict(self) -> None:
        """Take no messages of this kind any more."""
        self.restricted = True

    # -- hearing --------------------------------------------------------------------------------

    def hear(self, heard: Heard) -> None:
        """Something of ours arrives; the double's own."""
        self.messages.append(heard)
        self.unheard.append(heard)

    def heard(self) -> list[Heard]:
        """What arrived since this was last asked."""
        with self.double.changed:
            new, self.unheard = self.unheard, []
            return new

    def chat(self) -> list[Heard]:
        """All our messages, oldest first."""
        with self.double.changed:
            return list(self.messages)

    def wait(self, until: Until = None, seconds: float = 15) -> list[Heard]:
        """Wait for words of ours, or until something holds of all that is new; what was heard.

        `until`: words that must come, or a test of the new messages; none: any message.
        Raises AssertionError with what was heard instead.
        """
        with self.double.changed:
            if not self.double.changed.wait_for(lambda: self._holds(until), seconds):
                told = [heard.text for heard in self.heard()]
                raise AssertionError(f"{until!r} did not come in {seconds} s, but {told}")
            return self.heard()

    def _holds(self, until: Until) -> bool:
        if callable(until):
            return bool(until(list(self.unheard)))
        return any((until or "") in heard.text for heard in self.unheard)

    def confirmed(self) -> bool:
        """Whether everything this person did was taken with a 200."""
        with self.double.changed:
            return all(self.double.confirmed(event) for event in self.events)

    def _do(self, kind: str, opens: bool = True, **said: Any) -> str:
        with self.double.changed:
            if opens:
                self.spoke = self.double.wall()
            return self.double.happened(self, kind, said)

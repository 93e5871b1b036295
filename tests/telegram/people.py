"""People at their phones: what they do in their chat with the bot, and what they see there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telegram.constants import MessageLimit

from tests.telegram.methods import FILES
from tests.telegram.texts import found, pieces
from tests.telegram.world import Chat, Thing, shown

if TYPE_CHECKING:
    from tests.telegram.double import BotApi


@dataclass(frozen=True)
class Button:
    """A button under a message; `data` is None where it opens a link."""

    label: str
    data: str | None


@dataclass(frozen=True)
class Heard:
    """A message of the bot as its person sees it."""

    message_id: int
    text: str
    buttons: tuple[Button, ...] = ()
    kind: str = "text"
    content: bytes = field(default=b"", repr=False)
    name: str = ""
    protect_content: bool = False
    edited: bool = False
    album: str | None = None
    raw: Thing = field(default_factory=dict, repr=False, compare=False)

    @property
    def photo(self) -> bool:
        return self.kind == "photo"

    @property
    def document(self) -> bool:
        return self.kind == "document"

    def button(self, label: str) -> Button | None:
        return next((each for each in self.buttons if each.label == label), None)


Until = str | Callable[[list[Heard]], Any] | None
_PAYLOAD = re.compile(rf"[A-Za-z0-9_-]{{0,{MessageLimit.DEEP_LINK_LENGTH}}}")
KINDS = (*FILES, "location", "venue", "contact")


@dataclass
class Person:
    """Somebody with a private chat with the bot. Everything returns at once but `wait`."""

    api: BotApi
    card: Thing
    place: Chat
    instance: str
    updates: list[int] = field(default_factory=list)

    @property
    def id(self) -> int:
        return int(self.card["id"])

    # -- saying ---------------------------------------------------------------------------------

    def say(self, text: str, **more: Any) -> int:
        """A text message; its message id. `more`: further fields of the message."""
        entities = found(text)
        content: Thing = {"text": text, **({"entities": entities} if entities else {}), **more}
        return self._send(content)

    def start(self, payload: str = "") -> int:
        """Open a deep link; Telegram opens none whose payload it does not allow."""
        assert _PAYLOAD.fullmatch(payload), f"no deep link carries {payload!r}"
        return self.say(f"/start {payload}".rstrip())

    def long(self, text: str) -> list[int]:
        """A text longer than a message: the app sends it in pieces that nothing ties together."""
        with self.api.changed:
            return [self.say(piece) for piece in pieces(text, 4096)]

    def forward(self, text: str, origin: Thing | None = None) -> int:
        known = {"type": "hidden_user", "sender_user_name": "Người lạ", "date": self._today() - 60}
        return self.say(text, forward_origin=origin or known)

    def edit(self, message_id: int, text: str) -> int:
        """Change an own message; the id of the update. Captions are changed where there is one."""
        with self.api.changed:
            old = self.place.messages[message_id]
            name = "text" if "text" in old else "caption"
            kept = {key: value for key, value in old.items() if key not in ("entities", name)}
            new = {**kept, name: text, "edit_date": self._today()}
            self.place.messages[message_id] = new
            self.updates.append(self.api.update({"edited_message": new}))
            return self.updates[-1]

    def photo(self, content: bytes, caption: str | None = None, size: int = 0) -> int:
        return self._file("photo", content, "anh.jpg", "image/jpeg", caption, size)

    def album(
        self, contents: Sequence[bytes], caption: str | None = None, kind: str = "photo"
    ) -> list[int]:
        """Several photos at once: an update each, one media_group_id, the caption on the first."""
        with self.api.changed:
            group = {"media_group_id": str(13_900_000_000_000_000 + next(self.api.world.serials))}
            return [
                self._file(kind, content, "anh.jpg", "image/jpeg", caption, 0, group)
                if number == 0
                else self._file(kind, content, "anh.jpg", "image/jpeg", None, 0, group)
                for number, content in enumerate(contents)
            ]

    def document(
        self,
        content: bytes,
        name: str = "tai-lieu.pdf",
        media: str = "application/pdf",
        caption: str | None = None,
        size: int = 0,
    ) -> int:
        """A file; `size` claims more bytes than are really here."""
        return self._file("document", content, name, media, caption, size)

    def video(self, content: bytes, caption: str | None = None, size: int = 0) -> int:
        return self._file("video", content, "phim.mp4", "video/mp4", caption, size)

    def voice(self, content: bytes, caption: str | None = None) -> int:
        return self._file("voice", content, "", "audio/ogg", caption)

    def audio(self, content: bytes, caption: str | None = None) -> int:
        return self._file("audio", content, "am-thanh.mp3", "audio/mpeg", caption)

    def animation(self, content: bytes, caption: str | None = None) -> int:
        return self._file("animation", content, "hinh.mp4", "video/mp4", caption)

    def video_note(self, content: bytes) -> int:
        return self._file("video_note", content, "", "video/mp4")

    def sticker(self, content: bytes = b"RIFF0000WEBP") -> int:
        return self._file("sticker", content, "", "image/webp")

    def location(self, latitude: float, longitude: float) -> int:
        return self._send({"location": {"latitude": latitude, "longitude": longitude}})

    def venue(self, latitude: float, longitude: float, title: str, address: str = "") -> int:
        where = {"latitude": latitude, "longitude": longitude}
        named = {"title": title, "address": address}
        return self._send({"location": where, "venue": {"location": where, **named}})

    def contact(self, phone_number: str, first_name: str, user_id: int | None = None) -> int:
        own: Thing = {"phone_number": phone_number, "first_name": first_name}
        return self._send({"contact": {**own, **({"user_id": user_id} if user_id else {})}})

    def _file(
        self,
        kind: str,
        content: bytes,
        name: str,
        media: str,
        caption: str | None = None,
        size: int = 0,
        more: Thing | None = None,
    ) -> int:
        with self.api.changed:
            file = self.api.world.store(kind, content, name, media, size)
            carried: Thing = {kind: shown(kind, file), **(more or {})}
            if kind == "animation":
                carried["document"] = shown("document", file)
            return self._send({**carried, **({"caption": caption} if caption else {})})

    def _send(self, content: Thing) -> int:
        with self.api.changed:
            self.place.started = True
            message = self.api.world.place(self.place, self.card, content)
            self.updates.append(self.api.update({"message": message}))
            return int(message["message_id"])

    def _today(self) -> int:
        return self.api.world.today

    # -- pressing -------------------------------------------------------------------------------

    def press(self, label: str) -> str:
        """Press the newest button with these words; the id of the callback query."""
        for heard in reversed(self.chat()):
            button = heard.button(label)
            if button is not None:
                assert button.data is not None, f"{label} opens a link"
                return self.press_data(heard.message_id, button.data)
        shown_ = [[each.label for each in heard.buttons] for heard in self.chat()]
        raise AssertionError(f"no button {label!r}; there are {shown_}")

    def press_data(self, message_id: int, data: str) -> str:
        """Press a button that carries this, be it still there or not, on whatever message."""
        with self.api.changed:
            gone = {"chat": self.place.card, "message_id": message_id, "date": 0}
            query: Thing = {
                "id": f"{self.id}{next(self.api.world.serials):08d}",
                "from": self.card,
                "message": self.place.messages.get(message_id, gone),
                "chat_instance": self.instance,
                "data": data,
            }
            self.api.world.callbacks[query["id"]] = self.api.world.now()
            self.updates.append(self.api.update({"callback_query": query}))
            return str(query["id"])

    # -- coming and going -----------------------------------------------------------------------

    def block(self) -> None:
        """Stop the bot: my_chat_member, and 403 from then on."""
        self._become(True)

    def unblock(self) -> None:
        self._become(False)

    def deactivate(self) -> None:
        """Delete the account: 403 from now on, and no update tells of it."""
        with self.api.changed:
            self.place.gone = True

    def _become(self, blocked: bool) -> None:
        member = {"status": "member", "user": self.api.world.bot_card}
        kicked = {"status": "kicked", "user": self.api.world.bot_card, "until_date": 0}
        with self.api.changed:
            self.place.blocked, self.place.started = blocked, True
            old, new = (member, kicked) if blocked else (kicked, member)
            change = {"chat": self.place.card, "from": self.card, "date": self._today()}
            change |= {"old_chat_member": old, "new_chat_member": new}
            self.updates.append(self.api.update({"my_chat_member": change}))

    # -- hearing --------------------------------------------------------------------------------

    @property
    def unheard(self) -> list[Thing]:
        """What was not asked for yet."""
        return self.place.unheard

    def heard(self) -> list[Heard]:
        """What the bot sent since this was last asked, edits of texts among it."""
        with self.api.changed:
            new, self.place.unheard = self.place.unheard, []
            return [self._heard(message) for message in new]

    def chat(self) -> list[Heard]:
        """The bot's messages as they stand in the chat now, oldest first."""
        with self.api.changed:
            bot = self.api.world.bot_card
            messages = sorted(self.place.messages.values(), key=lambda each: each["message_id"])
            return [self._heard(each) for each in messages if each.get("from") == bot]

    def toasts(self) -> list[str]:
        """What was told in answer to pressed buttons, oldest first; "" where nothing was told."""
        with self.api.changed:
            own = str(self.id)
            told = [x for x in self.api.world.toasts if x["callback_query_id"].startswith(own)]
            return [each.get("text", "") for each in told]

    def wait(self, until: Until = None, seconds: float = 60) -> list[Heard]:
        """Wait for words of the bot, or until something holds of all that is new; what was heard.

        `until`: words that must come, or a test of the new messages; none: any message.
        Raises AssertionError with what was heard instead.
        """
        with self.api.changed:
            if not self.api.changed.wait_for(lambda: self._holds(until), seconds):
                told = [heard.text for heard in self.heard()]
                raise AssertionError(f"{until!r} did not come in {seconds} s, but {told}")
            return self.heard()

    def _holds(self, until: Until) -> bool:
        new = [self._heard(message) for message in self.place.unheard]
        if callable(until):
            return bool(until(new))
        return any((until or "") in heard.text for heard in new)

    def confirmed(self) -> bool:
        """Whether the bot has confirmed everything this person did."""
        with self.api.changed:
            return all(each.sender != self.id for each in self.api.pending.waiting.values())

    def _heard(self, message: Thing) -> Heard:
        kind = next((kind for kind in KINDS if kind in message), "text")
        file = self.api.world.files.get(_file_id(message.get(kind)))
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        return Heard(
            message["message_id"],
            message.get("text") or message.get("caption") or "",
            tuple(Button(x["text"], x.get("callback_data")) for row in rows for x in row),
            kind,
            file.content if file else b"",
            file.name if file else "",
            message.get("has_protected_content", False),
            "edit_date" in message,
            message.get("media_group_id"),
            message,
        )


def _file_id(carried: Any) -> str:
    if isinstance(carried, list):
        carried = carried[-1]
    return carried.get("file_id", "") if isinstance(carried, dict) else ""

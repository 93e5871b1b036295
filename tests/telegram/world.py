"""What Telegram knows: chats and their messages, files, the bot, and what it told of itself."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.wire import Upload

Thing = dict[str, Any]

MOST_DOWNLOAD = 20 << 20  # bytes getFile gives; MAX_DOWNLOAD_FILE_SIZE of the server itself
OLDEST_CALLBACK = 15 * 60  # seconds a pressed button can be answered


class Refused(Exception):
    """A call the server refuses: status, description, parameters of the answer."""

    def __init__(self, status: int, told: str, parameters: Thing | None = None) -> None:
        super().__init__(told)
        self.status, self.told, self.parameters = status, told, parameters


@dataclass
class File:
    """A file as the server keeps it. `size` may be more than what is really here."""

    id: str
    unique: str
    path: str
    content: bytes = field(repr=False)
    size: int
    name: str
    media: str


@dataclass
class Chat:
    """A chat as the bot's account sees it."""

    card: Thing
    started: bool = False
    blocked: bool = False
    gone: bool = False
    left: bool = False
    messages: dict[int, Thing] = field(default_factory=dict)
    unheard: list[Thing] = field(default_factory=list)

    @property
    def id(self) -> int:
        return int(self.card["id"])

    @property
    def private(self) -> bool:
        return bool(self.card["type"] == "private")


@dataclass
class World:
    """All of it, for one bot. Its owner locks; nothing here does."""

    bot: Thing
    now: Callable[[], float]
    chats: dict[int, Chat] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    by_path: dict[str, File] = field(default_factory=dict)
    callbacks: dict[str, float] = field(default_factory=dict)
    toasts: list[Thing] = field(default_factory=list)
    commands: dict[tuple[str, str], list[Thing]] = field(default_factory=dict)
    words: dict[tuple[str, str], str] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))
    serials: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def bot_card(self) -> Thing:
        """The bot as messages and members show it."""
        return {name: self.bot[name] for name in ("id", "is_bot", "first_name", "username")}

    @property
    def today(self) -> int:
        """The time as the wire writes it: whole seconds."""
        return int(self.now())

    def chat(self, id: int) -> Chat:
        """A chat the bot may write to. Raises Refused."""
        chat = self.chats.get(id)
        if chat is None:
            raise Refused(400, "Bad Request: chat not found")
        if chat.gone:
            raise Refused(403, "Forbidden: user is deactivated")
        if chat.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat.left:
            raise Refused(403, f"Forbidden: bot is not a member of the {chat.card['type']} chat")
        if chat.private and not chat.started:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    def next_number(self, chat: Chat) -> int:
        """Private chats share the numbers of the bot's account: they rise, with gaps."""
        if chat.private:
            return next(self.numbers)
        return max(chat.messages, default=0) + 1

    def place(self, chat: Chat, sender: Thing | None, content: Thing) -> Thing:
        """A new message in a chat."""
        message: Thing = {"message_id": self.next_number(chat)}
        if sender is not None:
            message["from"] = sender
        message |= {"chat": chat.card, "date": self.today, **content}
        chat.messages[message["message_id"]] = message
        return message

    def store(self, kind: str, content: bytes, name: str, media: str, size: int = 0) -> File:
        """Keep a file; the same content has the same unique id."""
        serial = next(self.serials)
        unique = hashlib.sha256(content + str(size).encode()).hexdigest()[:15]
        path = f"{kind}s/file_{serial}{_suffix(name)}"
        id = f"{kind[:2].upper()}AC{serial:06d}{unique}"
        file = File(id, f"AQAD{unique}", path, content, size or len(content), name, media)
        self.files[id] = file
        self.by_path[path] = file
        return file

    def upload(self, kind: str, given: Any) -> File:
        """A file the bot sends: new, or by an id it knows. Raises Refused."""
        if isinstance(given, Upload):
            return self.store(kind, given.content, given.name, given.media)
        if given in self.files:
            return self.files[given]
        if str(given).startswith(("http://", "https://")):
            return self.store(kind, str(given).encode(), "file", "application/octet-stream")
        raise Refused(400, "Bad Request: wrong file identifier/HTTP URL specified")


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}" if "." in name else ""


# -- files as messages show them ----------------------------------------------------------------


def shown(kind: str, file: File) -> Any:
    """A file as a message of its kind carries it."""
    if kind == "photo":
        return _photo(file)
    known: Thing = {"file_id": file.id, "file_unique_id": file.unique, "file_size": file.size}
    return {**known, **_looks(kind, file)}


def _photo(file: File) -> list[Thing]:
    sizes = ((90, 67), (320, 240), (1280, 960))
    return [
        {
            "file_id": file.id if wide == 1280 else f"{file.id}-{wide}",
            "file_unique_id": file.unique if wide == 1280 else f"{file.unique}{wide}",
            "file_size": file.size * wide // 1280,
            "width": wide,
            "height": high,
        }
        for wide, high in sizes
    ]


def _looks(kind: str, file: File) -> Thing:
    named: Thing = {"file_name": file.name, "mime_type": file.media}
    seen: Thing = {"width": 1280, "height": 720, "duration": 3}
    looks: dict[str, Thing] = {
        "document": named,
        "video": {**seen, **named},
        "animation": {**seen, **named},
        "audio": {"duration": 3, **named},
        "voice": {"duration": 3, "mime_type": file.media},
        "video_note": {"length": 240, "duration": 3},
        "sticker": {
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": "👍",
        },
    }
    return looks[kind]

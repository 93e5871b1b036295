"""What a call may hold: every name, type and limit. What does not fit is a fault of the caller."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Set
from typing import Any
from urllib.parse import urlsplit

from bot.splitting import units
from tests.doubles.wire import Upload

Thing = dict[str, Any]
Names = Set[str]
LONGEST = 2000
MOST_BUTTONS = 5
IMAGE_LIMIT, FILE_LIMIT = 1 << 20, 5 << 20  # bytes
MAGIC = {
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "gif": (b"GIF87a", b"GIF89a"),
    "pdf": (b"%PDF",),
    "doc": (b"\xd0\xcf\x11\xe0",),
    "docx": (b"PK\x03\x04",),
    "csv": (b"",),
}
TAKEN = {
    "image": (("jpg", "jpeg", "png"), IMAGE_LIMIT),
    "gif": (("gif",), FILE_LIMIT),
    "file": (("pdf", "doc", "docx", "csv"), FILE_LIMIT),
}
MEDIA = {
    "image": {"image/jpeg", "image/png"},
    "gif": {"image/gif"},
    "file": {
        "application/pdf",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "text/csv",
    },
}
BAD, LONG, KIND = -201, -210, -233


class Wrong(Exception):
    """What does not fit, and the code the platform has for it."""

    def __init__(self, problem: str, code: int = BAD) -> None:
        super().__init__(problem)
        self.problem, self.code = problem, code


def named(value: Any, where: str, must: Names, may: Names = frozenset()) -> Thing:
    """An object with these names and no others. Raises Wrong."""
    if not isinstance(value, dict):
        raise Wrong(f"{where} is no object")
    if strange := set(value) - must - may:
        raise Wrong(f"{where} knows no {', '.join(sorted(strange))}")
    if missing := must - set(value):
        raise Wrong(f"{where} lacks {', '.join(sorted(missing))}")
    return value


def words(value: Any, where: str, longest: int = LONGEST) -> str:
    """A text of 1 to so many UTF-16 units, composed (NFC). Raises Wrong."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong(f"{where} is no text: {value!r}")
    if unicodedata.normalize("NFC", value) != value:
        raise Wrong(f"{where} is not composed (NFC)")
    if units(value) > longest:
        raise Wrong(f"{where} has {units(value)} of {longest} characters", LONG)
    return value


def id_of(value: Any, where: str) -> str:
    """An id: a string, never a number. Raises Wrong."""
    if not isinstance(value, str) or not value:
        raise Wrong(f"{where} is no string: {value!r}")
    return value


def address(value: Any, where: str) -> str:
    """An address Zalo can fetch: https; here also the machine the tests run on. Raises Wrong."""
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or not parts.hostname:
        raise Wrong(f"{where} is no address: {value!r}")
    if parts.scheme != "https" and not loopback(parts.hostname):
        raise Wrong(f"{where} is not https: {value}")
    return str(value)


def loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# -- the Official Account -----------------------------------------------------------------------


def recipient(value: Any) -> tuple[str, str]:
    """Who a consultation message is for: by which name, and the id. Raises Wrong."""
    if not isinstance(value, dict) or len(value) != 1:
        raise Wrong(f"recipient is one of user_id and message_id: {value!r}")
    name, id = next(iter(value.items()))
    if name not in ("user_id", "message_id"):
        raise Wrong(f"recipient knows no {name}")
    return name, id_of(id, f"recipient.{name}")


def message(value: Any, buttons: bool) -> str:
    """A consultation message: its kind (text, image, gif, sticker, file, info). Raises Wrong."""
    named(value, "message", set(), {"text", "attachment", "quote_message_id"})
    if "quote_message_id" in value:
        id_of(value["quote_message_id"], "message.quote_message_id")
    if "text" in value:
        words(value["text"], "message.text")
    if "attachment" in value:
        return _attachment(value["attachment"], value, buttons)
    if "text" not in value:
        raise Wrong("message has neither text nor attachment")
    return "text"


def _attachment(value: Any, message: Thing, buttons: bool) -> str:
    where = "message.attachment"
    named(value, where, {"type", "payload"})
    if "quote_message_id" in message:
        raise Wrong("only a text quotes")
    if value["type"] == "file":
        named(value["payload"], f"{where}.payload", {"token"})
        id_of(value["payload"]["token"], f"{where}.payload.token")
        if "text" in message:
            raise Wrong("a file goes without text")
        return "file"
    if value["type"] != "template" or not isinstance(value["payload"], dict):
        raise Wrong(f"{where}.type is template or file: {value['type']!r}", KIND)
    if "template_type" not in value["payload"]:
        return _buttons(value["payload"], message, buttons)
    return _template(value["payload"], message)


def _template(payload: Thing, message: Thing) -> str:
    where = "message.attachment.payload"
    named(payload, where, {"template_type", "elements"})
    kind, elements = payload["template_type"], payload["elements"]
    if not isinstance(elements, list) or len(elements) != 1:
        raise Wrong(f"{where}.elements holds one element")
    if kind == "media":
        return _media(elements[0], f"{where}.elements[0]")
    if kind != "request_user_info":
        raise Wrong(f"{where}.template_type: {kind!r}", KIND)
    if "text" in message:
        raise Wrong("the question for contact data goes without text")
    named(elements[0], f"{where}.elements[0]", {"title", "subtitle", "image_url"})
    words(elements[0]["title"], "title", 100)
    words(elements[0]["subtitle"], "subtitle", 500)
    address(elements[0]["image_url"], "image_url")
    return "info"


def _media(element: Any, where: str) -> str:
    named(element, where, {"media_type"}, {"url", "attachment_id", "width", "height"})
    kind = element["media_type"]
    if kind not in ("image", "gif", "sticker"):
        raise Wrong(f"{where}.media_type: {kind!r}", KIND)
    if ("url" in element) == ("attachment_id" in element):
        raise Wrong(f"{where} has either url or attachment_id")
    if "url" in element:
        address(element["url"], f"{where}.url")
    else:
        id_of(element["attachment_id"], f"{where}.attachment_id")
    sides = [element.get("width"), element.get("height")]
    if kind == "gif" and not all(isinstance(side, int) for side in sides):
        raise Wrong(f"{where}: a gif has width and height")
    if kind != "gif" and sides != [None, None]:
        raise Wrong(f"{where}: only a gif has width and height")
    return str(kind)


def _buttons(payload: Thing, message: Thing, allowed: bool) -> str:
    if not allowed:
        raise Wrong("this account takes no buttons")
    named(payload, "message.attachment.payload", {"buttons"})
    buttons = payload["buttons"]
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MOST_BUTTONS:
        raise Wrong(f"1 to {MOST_BUTTONS} buttons")
    if "text" not in message:
        raise Wrong("buttons stand under a text")
    for button in buttons:
        _button(button)
    return "text"


def _button(button: Any) -> None:
    named(button, "button", {"title", "type", "payload"})
    words(button["title"], "button.title", 100)
    kind, payload = button["type"], button["payload"]
    if kind in ("oa.query.show", "oa.query.hide"):
        words(payload, "button.payload", 1000)
    elif kind == "oa.open.url":
        address(named(payload, "button.payload", {"url"})["url"], "button.payload.url")
    elif kind == "oa.open.phone":
        id_of(named(payload, "button.payload", {"phone_code"})["phone_code"], "phone_code")
    elif kind == "oa.open.sms":
        named(payload, "button.payload", {"content", "phone_code"})
        words(payload["content"], "button.payload.content", 160)
    else:
        raise Wrong(f"button.type: {kind!r}")


def upload(kind: str, given: Thing) -> Upload:
    """What is uploaded: `file`, of a kind and size that is taken. Raises Wrong."""
    named(given, "upload", {"file"})
    file = given["file"]
    if not isinstance(file, Upload):
        raise Wrong("file is no file of a multipart body")
    suffixes, most = TAKEN[kind]
    suffix = file.name.rpartition(".")[2].lower()
    if suffix not in suffixes or not file.content.startswith(MAGIC[suffix]):
        raise Wrong(f"{file.name} is none of {', '.join(suffixes)}", KIND)
    if file.media not in MEDIA[kind]:
        raise Wrong(f"{file.name} comes as {file.media}", KIND)
    if file.size > most:
        raise Wrong(f"{file.name} has {file.size} of {most} bytes", LONG)
    return file


# -- the Bot Platform ---------------------------------------------------------------------------

STYLES = {
    *("b", "i", "u", "s", "f_13", "f_15", "f_18", "f_20"),
    *("c_050a19", "c_15a85f", "c_f7b503", "c_f27806", "c_db342e"),
    *("lst_1", "lst_2", "ind_1", "ind_2", "ind_3", "ind_4", "ind_5"),
}
METHODS: dict[str, tuple[set[str], set[str]]] = {  # what each must and may be given
    "getMe": (set(), set()),
    "getUpdates": (set(), {"timeout"}),
    "setWebhook": ({"url", "secret_token"}, set()),
    "deleteWebhook": (set(), set()),
    "getWebhookInfo": (set(), set()),
    "testWebhook": (set(), set()),
    "sendMessage": ({"chat_id", "text"}, {"parse_mode", "text_styles"}),
    "sendPhoto": ({"chat_id", "photo"}, {"caption"}),
    "sendSticker": ({"chat_id", "sticker"}, set()),
    "sendVoice": ({"chat_id", "voice_url"}, set()),
    "sendChatAction": ({"chat_id", "action"}, set()),
}
LONGEST_POLL = 50  # seconds; the documents name no bound


def bot_call(method: str, given: Thing) -> None:
    """The parameters of one method of the Bot Platform. Raises Wrong."""
    must, may = METHODS[method]
    if method == "setWebhook" and not given.get("secret_token"):
        raise Wrong("The secret_token must not be empty")
    named(given, method, must, may)
    for name, value in given.items():
        _BOT_CHECKS[name](value)


def _poll(value: Any) -> None:
    if isinstance(value, bool) or not str(value).isdigit() or int(value) > LONGEST_POLL:
        raise Wrong(f"timeout is seconds: {value!r}")


def _secret(value: Any) -> None:
    if not isinstance(value, str) or not 8 <= len(value) <= 256:
        raise Wrong("secret_token has 8 to 256 characters")


def _styles(value: Any) -> None:
    for style in value if isinstance(value, list) else [None]:
        named(style, "text_styles", {"start", "len", "st"})
        if set(style["st"]) - STYLES:
            raise Wrong(f"text_styles: {style['st']}")


def _one_of(*allowed: str) -> Any:
    def check(value: Any) -> None:
        if value not in allowed:
            raise Wrong(f"one of {', '.join(allowed)}: {value!r}")

    return check


_BOT_CHECKS = {
    "timeout": _poll,
    "url": lambda value: id_of(value, "url"),
    "secret_token": _secret,
    "chat_id": lambda value: id_of(value, "chat_id"),
    "text": lambda value: words(value, "text"),
    "caption": lambda value: words(value, "caption"),
    "parse_mode": _one_of("markdown", "html"),
    "text_styles": _styles,
    "photo": lambda value: address(value, "photo"),
    "voice_url": lambda value: address(value, "voice_url"),
    "sticker": lambda value: id_of(value, "sticker"),
    "action": _one_of("typing"),
}

"""What every call is held against: the contract, python-telegram-bot's names, Telegram's limits."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import orjson
import telegram
from telegram import constants as limit

from tests.doubles.wire import Given, Upload
from tests.telegram.schema import Part, schema
from tests.telegram.texts import BadMarkup, parsed, units

Params = dict[str, Any]


class Wrong(Exception):
    """A call the contract does not allow: the sentence for the violations, the server's own."""

    def __init__(self, problem: str, told: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.told = told or f"Bad Request: {problem}"


def check(method: str, given: Given, as_text: bool) -> Params:
    """The parameters of a call, decoded. Raises Wrong at the first thing that does not fit."""
    parts = schema().methods[method]
    params = {name: _decoded(parts.get(name), value, as_text) for name, value in given.items()}
    params = _attached(parts, params)
    for problem in _by_contract(parts, params):
        raise Wrong(problem)
    for problem in by_ptb(method, params):
        raise Wrong(problem)
    for wrong in _limits(method, params):
        raise wrong
    return params


# -- decoding -----------------------------------------------------------------------------------


def _decoded(part: Part | None, value: Any, as_text: bool) -> Any:
    if part is None or not isinstance(value, str):
        return value
    # In JSON only an object may come as text, and the id of a chat.
    ways = _WAYS if as_text or part.kinds == ("Integer", "String") else _WAYS[-1:]
    for kind, pattern, read in ways:
        if any(_is(kind, each) for each in part.kinds) and pattern.fullmatch(value):
            try:
                return read(value)
            except ValueError:
                return value
    return value


def _is(kind: str, each: str) -> bool:
    if kind == "object":
        return each not in _SCALARS and each != "InputFile"
    return each == kind


_WAYS: list[tuple[str, re.Pattern[str], Callable[[str], Any]]] = [
    ("Integer", re.compile(r"-?\d+"), int),
    ("Float", re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?"), float),
    ("Boolean", re.compile("true|false", re.IGNORECASE), lambda word: word.lower() == "true"),
    ("object", re.compile(r"\s*[\[{].*", re.DOTALL), orjson.loads),
]
_SCALARS: dict[str, Callable[[Any], bool]] = {
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
}


def _attached(parts: Mapping[str, Part], params: Params) -> Params:
    """The same with `attach://name` replaced by the file part of that name."""
    used: set[str] = set()
    files = {name: value for name, value in params.items() if isinstance(value, Upload)}
    if not files:
        return params

    def placed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: placed(each) for key, each in value.items()}
        if isinstance(value, list):
            return [placed(each) for each in value]
        if isinstance(value, str) and value.startswith("attach://"):
            used.add(value[9:])
            return files.get(value[9:], value)
        return value

    filled = {name: placed(value) for name, value in params.items()}
    return {name: value for name, value in filled.items() if name in parts or name not in used}


# -- the contract -------------------------------------------------------------------------------


def _by_contract(parts: Mapping[str, Part], params: Params) -> Iterator[str]:
    for name in params:
        if name not in parts:
            yield f"unknown parameter {name}"
    for name, part in parts.items():
        if name in params:
            yield from wrong_value(params[name], part.kinds, name)
        elif part.required:
            yield f"{name} is missing"


def wrong_value(value: Any, kinds: Iterable[str], at: str) -> list[str]:
    """What is wrong with a value, by the kind that fits best; nothing where one fits."""
    found = [_wrong_kind(value, kind, at) for kind in _merged(tuple(kinds))]
    return min(found, key=len) if found else []


@cache
def _merged(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds, with several arrays as one: an album may mix what is listed one by one."""
    inner = [kind.removeprefix("Array of ") for kind in kinds if kind.startswith("Array of ")]
    others = tuple(kind for kind in kinds if not kind.startswith("Array of "))
    return (*others, "Array of " + "|".join(inner)) if inner else others


def _wrong_kind(value: Any, kind: str, at: str) -> list[str]:
    if kind.startswith("Array of "):
        return _wrong_array(value, kind.removeprefix("Array of "), at)
    if kind in _SCALARS:
        fits = _SCALARS[kind](value) or (kind == "String" and isinstance(value, Upload))
        return [] if fits else [f"{at} should be {kind}, is {_shown(value)}"]
    if kind == "InputFile":
        fits = isinstance(value, Upload | str)
        return [] if fits else [f"{at} should be a file, is {_shown(value)}"]
    if kind in schema().subtypes:
        return wrong_value(value, schema().subtypes[kind], at)
    return wrong_object(value, kind, at)


def _wrong_array(value: Any, kind: str, at: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{at} should be an array of {kind}, is {_shown(value)}"]
    kinds = kind.split("|")
    return [each for n, one in enumerate(value) for each in wrong_value(one, kinds, f"{at}[{n}]")]


def wrong_object(value: Any, kind: str, at: str) -> list[str]:
    """What is wrong with an object of the Bot API: unknown, missing and ill-typed fields."""
    if not isinstance(value, dict):
        return [f"{at} should be {kind}, is {_shown(value)}"]
    parts = schema().types[kind]
    wrong = [f"{at}.{name} is no field of {kind}" for name in value if name not in parts]
    for name, part in parts.items():
        if name in value:
            wrong += wrong_value(value[name], part.kinds, f"{at}.{name}")
            if len(part.words) == 1 and value[name] != part.words[0]:
                wrong.append(f"{at}.{name} should be {part.words[0]!r}")
        elif part.required:
            wrong.append(f"{at}.{name} is missing")
    return wrong


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}"


# -- python-telegram-bot ------------------------------------------------------------------------

_OF_THE_NETWORK = {"read_timeout", "write_timeout", "connect_timeout", "pool_timeout", "api_kwargs"}
# Newer than python-telegram-bot 22.8 (Bot API 10.0).
_NEWER = {("editMessageText", "rich_message")}


@cache
def ptb_parameters(method: str) -> frozenset[str] | None:
    """The names python-telegram-bot takes for a method; None where it does not know it."""
    wanted = method.lower()
    for name, call in inspect.getmembers(telegram.Bot, inspect.iscoroutinefunction):
        if not name.startswith("_") and name.replace("_", "").lower() == wanted:
            names = set(inspect.signature(call).parameters) - _OF_THE_NETWORK - {"self"}
            return frozenset(names)
    return None


def by_ptb(method: str, params: Iterable[str]) -> list[str]:
    """The parameters python-telegram-bot does not know for a method it knows."""
    known = ptb_parameters(method)
    if known is None:
        return []
    strange = [name for name in params if name not in known and (method, name) not in _NEWER]
    return [f"python-telegram-bot knows no parameter {name}" for name in strange]


# -- limits -------------------------------------------------------------------------------------


def _limits(method: str, params: Params) -> Iterator[Wrong]:
    for name in ("chat_id", "from_chat_id"):
        if name in params and not isinstance(params[name], int):
            yield Wrong(f"{name} is no integer: {_shown(params[name])}")
    for name, short, most, told in _LENGTHS.get(method, ()):
        if not short <= units(params.get(name) or "") <= most:
            yield Wrong(f"{name} must have {short} to {most} letters", told)
    yield from _ranges(method, params)
    yield from _texts(method, params)
    yield from _albums(method, params)
    yield from keyboard(params.get("reply_markup"))
    yield from _files(method, params)


_CAPTION = limit.MessageLimit.CAPTION_LENGTH
_TEXT = limit.MessageLimit.MAX_TEXT_LENGTH
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_LENGTHS: dict[str, list[tuple[str, int, int, str | None]]] = {
    "answerCallbackQuery": [
        (
            "text",
            0,
            limit.CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH,
            "Bad Request: MESSAGE_TOO_LONG",
        )
    ],
    "setMyDescription": [
        ("description", 0, limit.BotDescriptionLimit.MAX_DESCRIPTION_LENGTH, None)
    ],
    "setMyShortDescription": [
        ("short_description", 0, limit.BotDescriptionLimit.MAX_SHORT_DESCRIPTION_LENGTH, None)
    ],
    "setMyName": [("name", 0, limit.BotNameLimit.MAX_NAME_LENGTH, None)],
}
_RANGES: dict[str, list[tuple[str, int, int]]] = {
    "setWebhook": [("max_connections", 1, limit.WebhookLimit.MAX_CONNECTIONS_LIMIT)],
    "getUpdates": [("limit", 1, limit.PollingLimit.MAX_LIMIT), ("timeout", 0, 10**6)],
}


def _ranges(method: str, params: Params) -> Iterator[Wrong]:
    for name, least, most in _RANGES.get(method, ()):
        if name in params and not least <= params[name] <= most:
            yield Wrong(f"{name} must be {least} to {most}")
    if method == "setMyCommands":
        yield from _commands(params["commands"])
    if method == "setWebhook" and not _SECRET.fullmatch(params.get("secret_token", "x")):
        told = "Bad Request: secret token contains unallowed characters"
        yield Wrong("secret_token must be 1-256 of A-Z a-z 0-9 _ -", told)
    if method == "sendChatAction" and params["action"] not in set(limit.ChatAction):
        told = "Bad Request: wrong parameter action in request"
        yield Wrong(f"no action {params['action']}", told)


def _commands(commands: list[dict[str, str]]) -> Iterator[Wrong]:
    if len(commands) > limit.BotCommandLimit.MAX_COMMAND_NUMBER:
        yield Wrong("more than 100 commands", "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for each in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", each["command"]):
            yield Wrong(f"no command: {each['command']}", "Bad Request: BOT_COMMAND_INVALID")
        if not 1 <= units(each["description"]) <= limit.BotCommandLimit.MAX_DESCRIPTION:
            told = "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"
            yield Wrong(f"description of {each['command']}", told)


def _texts(method: str, params: Params) -> Iterator[Wrong]:
    if method in ("sendMessage", "editMessageText"):
        yield from _text(params, "text", "entities", _TEXT)
    for given in (params, *(each for each in _media(params) if isinstance(each, dict))):
        if given.get("caption"):
            yield from _text(given, "caption", "caption_entities", _CAPTION)


def _text(given: Params, name: str, entities: str, most: int) -> Iterator[Wrong]:
    what = "message" if name == "text" else "message caption"
    try:
        text, found = parsed(given.get(name, ""), given.get("parse_mode"), given.get(entities))
    except BadMarkup as bad:
        yield Wrong(f"{name}: {bad}", f"Bad Request: can't parse entities: {bad}")
        return
    if not text.strip():
        yield Wrong(f"{name} is empty", "Bad Request: message text is empty")
    if units(text) > most:
        problem = f"{name} has {units(text)} UTF-16 units of {most} at most"
        yield Wrong(problem, f"Bad Request: {what} is too long")
    if any(each["offset"] + each["length"] > units(text) for each in found):
        yield Wrong(f"an entity beyond the end of {name}")


def _media(params: Params) -> list[Any]:
    media = params.get("media")
    return media if isinstance(media, list) else [media] if media else []


_ALONE = ("document", "audio")


def _albums(method: str, params: Params) -> Iterator[Wrong]:
    if method != "sendMediaGroup":
        return
    kinds = [each["type"] for each in params["media"]]
    least, most = limit.MediaGroupLimit.MIN_MEDIA_LENGTH, limit.MediaGroupLimit.MAX_MEDIA_LENGTH
    if not least <= len(kinds) <= most:
        yield Wrong(
            f"media has {len(kinds)} items, {least} to {most} are allowed",
            f"Bad Request: group send failed: {len(kinds)} items",
        )
    if any(kind in _ALONE for kind in kinds) and len(set(kinds)) > 1:
        yield Wrong(f"an album of {set(kinds)}")


def keyboard(markup: Any) -> Iterator[Wrong]:
    """What is wrong with an inline keyboard; a keyboard of another kind is no business of ours."""
    if not isinstance(markup, dict) or "inline_keyboard" not in markup:
        return
    rows = markup["inline_keyboard"]
    if sum(len(row) for row in rows) > limit.InlineKeyboardMarkupLimit.TOTAL_BUTTON_NUMBER:
        yield Wrong("more than 100 buttons", "Bad Request: reply markup is too long")
    if any(len(row) > limit.InlineKeyboardMarkupLimit.BUTTONS_PER_ROW for row in rows):
        yield Wrong("more than 8 buttons in a row")
    for button in (each for row in rows for each in row):
        yield from _button(button)


_LOOKS = {"text", "icon_custom_emoji_id", "style"}


def _button(button: dict[str, Any]) -> Iterator[Wrong]:
    if not button["text"].strip():
        yield Wrong("a button without words", "Bad Request: BUTTON_TEXT_INVALID")
    does = set(button) - _LOOKS
    if len(does) != 1:
        told = "Bad Request: can't parse inline keyboard button: Text buttons are unallowed "
        yield Wrong(f"a button that does {sorted(does)}", told + "in the inline keyboard")
    if "callback_data" in does:
        size = len(button["callback_data"].encode("utf-8", "surrogatepass"))
        if not 1 <= size <= limit.InlineKeyboardButtonLimit.MAX_CALLBACK_DATA:
            problem = f"callback_data has {size} bytes, 1 to 64 are allowed"
            yield Wrong(problem, "Bad Request: BUTTON_DATA_INVALID")


MOST_UPLOAD, MOST_PHOTO = 50 << 20, 10 << 20


def _files(method: str, params: Params) -> Iterator[Wrong]:
    files = [each for each in _walk(params) if isinstance(each, Upload)]
    for file in files:
        if not file.content:
            yield Wrong(f"{file.name} is empty", "Bad Request: file must be non-empty")
        most = MOST_PHOTO if method == "sendPhoto" else MOST_UPLOAD
        if file.size > most:
            yield Wrong(f"{file.name} has {file.size} bytes", "Request Entity Too Large")


def _walk(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _walk(each)
    else:
        yield value

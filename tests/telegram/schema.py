"""The Bot API as data: its methods and types with their fields, from the contract or aiogram."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).parent.parent.parent
CONTRACT = ROOT.parent / "shared" / "contracts" / "telegram-bot-api.json"


@dataclass(frozen=True)
class Part:
    """A parameter of a method or a field of a type: what it may be, and whether it must be.

    `words`: what a field that tells apart, such as `type`, may say, as far as it is known.
    """

    name: str
    kinds: tuple[str, ...]
    required: bool
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """Everything that can be called and sent. `kinds` are as the Bot API's pages write them."""

    source: str
    methods: Mapping[str, Mapping[str, Part]]
    returns: Mapping[str, tuple[str, ...]]
    types: Mapping[str, Mapping[str, Part]]
    subtypes: Mapping[str, tuple[str, ...]]

    def update_kinds(self) -> list[str]:
        return [name for name in self.types["Update"] if name != "update_id"]


@cache
def schema() -> Schema:
    """The contract when it lies beside the repository; else what aiogram's models say."""
    return from_contract(CONTRACT) if CONTRACT.exists() else from_aiogram()


def missing() -> str | None:
    """What the test session has to say when the contract is not there."""
    if CONTRACT.exists():
        return None
    return f"THE BOT API CONTRACT IS MISSING ({CONTRACT.name}): aiogram's models stand in for it"


# -- the contract -------------------------------------------------------------------------------


def from_contract(path: Path) -> Schema:
    read = json.loads(path.read_text(encoding="utf-8"))
    return Schema(
        f"contract {read['version']}",
        {name: _parts(told) for name, told in read["methods"].items()},
        {name: tuple(told["returns"]) for name, told in read["methods"].items()},
        {name: _parts(told) for name, told in read["types"].items()},
        {name: tuple(x["subtypes"]) for name, x in read["types"].items() if x.get("subtypes")},
    )


def _parts(told: dict[str, Any]) -> dict[str, Part]:
    return {
        each["name"]: Part(each["name"], tuple(each["types"]), each["required"], _words(each))
        for each in told.get("fields", ())
    }


TELLS_APART = ("type", "status", "source", "currency")
_WORDS = re.compile(r"[“\"]([A-Za-z_0-9/]+)[”\"]|must be ([a-z_0-9]+)")


def _words(told: dict[str, Any]) -> tuple[str, ...]:
    always = "always" in told["description"]
    if told["name"] not in TELLS_APART or (told["name"] == "currency" and not always):
        return ()
    found = [one or other for one, other in _WORDS.findall(told["description"])]
    return tuple(found[:1] if always else dict.fromkeys(found))


# -- aiogram's models ---------------------------------------------------------------------------


def from_aiogram() -> Schema:
    import aiogram.methods
    import aiogram.types

    calls = [getattr(aiogram.methods, name) for name in aiogram.methods.__all__]
    calls = [call for call in calls if isinstance(vars(call).get("__api_method__"), str)]
    objects = [getattr(aiogram.types, name) for name in aiogram.types.__all__]
    objects = [one for one in objects if isinstance(one, type) and issubclass(one, BaseModel)]
    return Schema(
        "aiogram",
        {call.__api_method__: _fields(call) for call in calls},
        {call.__api_method__: _kinds(call.__returning__) for call in calls},
        {one.__name__: _object_fields(one) for one in objects},
        {},
    )


def _fields(model: type[BaseModel]) -> dict[str, Part]:
    return {
        info.alias or name: _field(info.alias or name, info)
        for name, info in model.model_fields.items()
    }


def _object_fields(model: type[BaseModel]) -> dict[str, Part]:
    import aiogram.enums

    known = getattr(aiogram.enums, f"{model.__name__}Type", None)
    fields = _fields(model)
    if known is not None and "type" in fields and not fields["type"].words:
        words = tuple(str(each.value) for each in known)
        fields["type"] = dataclasses.replace(fields["type"], words=words)
    return fields


def _field(name: str, info: FieldInfo) -> Part:
    words = _allowed(info) if name in TELLS_APART else ()
    # What is said of itself has a default in the model, yet always stands on the wire.
    required = info.is_required() or bool(words)
    return Part(name, _kinds(info.annotation), required, words)


def _allowed(info: FieldInfo) -> tuple[str, ...]:
    if typing.get_origin(info.annotation) is typing.Literal:
        return tuple(_word(each) for each in typing.get_args(info.annotation))
    return (_word(info.default),) if isinstance(info.default, str) else ()


def _word(value: Any) -> str:
    return str(value.value if isinstance(value, enum.Enum) else value)


_PLAIN = {
    int: "Integer",
    str: "String",
    bool: "Boolean",
    float: "Float",
    datetime.datetime: "Integer",
    datetime.timedelta: "Integer",
}


def _kinds(annotation: Any) -> tuple[str, ...]:
    """The kinds an annotation allows, without repetition, in their order."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kinds(inner[0])
    if origin is typing.Literal:
        return tuple(dict.fromkeys(kind for value in inner for kind in _kinds(type(value))))
    if origin in (typing.Union, types.UnionType):
        return tuple(dict.fromkeys(kind for each in inner for kind in _kinds(each)))
    if origin is list:
        return tuple(f"Array of {kind}" for kind in _kinds(inner[0]))
    if annotation in _PLAIN:
        return (_PLAIN[annotation],)
    if not isinstance(annotation, type) or annotation is type(None):
        return ()
    return ("String",) if issubclass(annotation, enum.Enum) else _object(annotation)


def _object(model: type) -> tuple[str, ...]:
    known = issubclass(model, BaseModel) or model.__name__ == "InputFile"
    return (model.__name__,) if known else ()

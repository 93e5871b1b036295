"""What points to a person in a text (numbers, plates, links, names), found and masked.

It errs on the safe side: a number masked in vain costs less than a telephone number shown.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SHOWN = {
    "email": "[email]",
    "link": "[liên kết]",
    "plate": "[biển số]",
    "id": "[số giấy tờ]",
    "phone": "[số điện thoại]",
    "account": "[số tài khoản]",
    "number": "[dãy số]",
    "name": "[tên]",
}

_MARKED = "ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ"
_UPPER = f"[A-Z{_MARKED}]"
_CAPITAL = rf"{_UPPER}(?:(?!{_UPPER})[^\W\d_]){{0,6}}"


@dataclass(frozen=True)
class Found:
    """What was found: its kind, a key of `SHOWN`, and where it stands in the text."""

    kind: str
    start: int
    end: int


def found(text: str) -> list[Found]:
    """All that points to a person in `text`, in the order of the text, none over another.

    A name stays a suggestion: names typed in small letters without a title are not seen.
    """
    free = bytearray(b"\x01") * len(text)
    hits: list[Found] = []
    for kind, rule in _rules():
        for match in rule.finditer(text):
            start, end = match.span(kind) if kind in rule.groupindex else match.span()
            if all(free[start:end]):
                free[start:end] = bytes(end - start)
                hits.append(Found(kind, start, end))
    return sorted(hits, key=lambda hit: hit.start)


def mask(text: str) -> str:
    """`text` (made NFC) with all that `found` sees replaced by what it is: "[số điện thoại]"."""
    return "".join(_pieces(unicodedata.normalize("NFC", text)))


def _pieces(text: str) -> Iterator[str]:
    at = 0
    for hit in found(text):
        yield text[at : hit.start]
        yield SHOWN[hit.kind]
        at = hit.end
    yield text[at:]


@cache
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The rules of masks.toml, in order."""
    data = tomllib.loads((Path(__file__).parent / "masks.toml").read_text(encoding="utf-8"))
    short = _short(data)
    return tuple((rule["kind"], re.compile(_long(rule["pattern"], short))) for rule in data["rule"])


def _short(data: dict[str, Any]) -> dict[str, str]:
    """What the names in angle brackets stand for."""
    families = "|".join(data["family"])
    return {
        **data["short"],
        "upper": _UPPER,
        "capital": _CAPITAL,
        "family": families,
        "FAMILY": families.upper(),
        "kin": "|".join(data["kin"]),
        "not a street": "".join(f"(?<!{word} )" for word in data["street"]),
    }


def _long(pattern: str, short: dict[str, str]) -> str:
    for name, meaning in short.items():
        pattern = pattern.replace(f"<{name}>", meaning)
    return pattern

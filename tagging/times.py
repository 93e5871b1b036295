"""When something happens, as a message says it: hours, days, how long ago, how often."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta

from tagging.normal import fold

_READ = 4000  # characters
_NUMBERS = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9,
    "muoi": 10, "muoi mot": 11, "muoi hai": 12, "vai": 2, "may": 2, "tu": 4,
}  # fmt: skip
_NUMBER = r"(?:\d{1,2}|muoi (?:mot|hai)|mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi)"
_PART = r"(?:rang sang|sang som|sang|trua|chieu toi|chieu|xe chieu|toi|khuya|nua dem|dem)"
_SMALL = 5  # hours after midnight that are still called night
# What stands before a number of a house: `ngõ 12/5` is no day.
_HOUSE = re.compile(r"\b(?:so|ngo|ngach|hem|kiet|duong|pho|nha|lo|to|cau|khu|phong)\s*$")
_WEEKDAYS = {"hai": 0, "ba": 1, "tu": 2, "nam": 3, "sau": 4, "bay": 5, "2": 0, "3": 1, "4": 2,
             "5": 3, "6": 4, "7": 5}  # fmt: skip
_DAYS = {"hom kia": -2, "bua kia": -2, "hom qua": -1, "bua qua": -1, "ngay qua": -1, "hom nay": 0,
         "bua nay": 0, "bua ni": 0, "ngay mai": 1, "hom sau": 1, "hom kia kia": -3}  # fmt: skip
_UNITS = {"ngay": 1, "hom": 1, "bua": 1, "dem": 1, "tuan": 7, "thang": 30, "nam": 365}
_DAYS_OF_MONTHS = 31


@dataclass(frozen=True)
class When:
    """A time named in a text, from `start` to before `end`.

    `kind` is clock, day, ago or often; `day` and `clock` are what it comes to where that can be
    told, `day` counted from the day on which the message was written.
    """

    kind: str
    start: int
    end: int
    day: date | None = None
    clock: time | None = None


_Reading = Callable[[re.Match[str], date], tuple[date | None, time | None]]


def times(text: str, told: date) -> list[When]:
    """The times that `text` (made NFC; its first 4,000 characters) names, in its order.

    `told` is the day it was written. Marks are not needed.
    """
    even = _even(unicodedata.normalize("NFC", text[:_READ]))
    free = bytearray(b"\x01") * len(even)
    hits: list[When] = []
    for kind, rule, reading in _RULES:
        for match in rule.finditer(even):
            start, end = match.span()
            if all(free[start:end]) and not (_dated is reading and _HOUSE.search(even[:start])):
                free[start:end] = bytes(end - start)
                hits.append(When(kind, start, end, *reading(match, told)))
    return sorted(hits, key=lambda hit: hit.start)


def _even(text: str) -> str:
    """`text` folded letter by letter, so that every letter stays in its place."""
    return "".join(one if len(one := fold(letter)) == 1 else letter for letter in text)


def _often(_match: re.Match[str], _told: date) -> tuple[None, None]:
    return None, None


def _clock(match: re.Match[str], told: date) -> tuple[date | None, time | None]:
    hour, minute = _number(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        minute = 30
    hour = _on_the_day(hour, (match["part"] or "").split())
    return _shifted(told, match["qua"]), time(hour, minute) if hour < 24 else None


def _on_the_day(hour: int, part: list[str]) -> int:
    """The hour of 24: three in the afternoon is 15, ten at night 22, twelve at night 0."""
    if {"khuya", "dem"} & set(part):
        return 0 if hour == 12 else hour + 12 if _SMALL < hour < 12 else hour
    return hour + 12 if {"chieu", "toi"} & set(part) and hour < 12 else hour


def _part(match: re.Match[str], told: date) -> tuple[date | None, None]:
    return _shifted(told, match["qua"]), None


def _shifted(told: date, word: str | None) -> date | None:
    """`qua` is yesterday, `nay` today, `mai` tomorrow."""
    days = {"qua": -1, "nay": 0, "ni": 0, "mai": 1, "kia": -2, "hom qua": -1, "hom nay": 0}
    return told + timedelta(days=days[word]) if word in days else None


def _named(match: re.Match[str], told: date) -> tuple[date | None, None]:
    return told + timedelta(days=_DAYS[match["day"]]), None


def _weekday(match: re.Match[str], told: date) -> tuple[date | None, None]:
    """The last such day, or the one of the week before if that is said."""
    wanted = _WEEKDAYS.get(match["n"] or "", 6)
    back = (told.weekday() - wanted) % 7
    if match["last"]:
        back = told.weekday() - wanted + 7
    return told - timedelta(days=back), None


def _ago(match: re.Match[str], told: date) -> tuple[date | None, None]:
    count = match["n"] or match["m"]
    unit = match["unit"] or match["other"]
    if count in ("may", "vai"):
        return None, None
    return told - timedelta(days=_number(count) * _UNITS[unit]), None


def _dated(match: re.Match[str], told: date) -> tuple[date | None, None]:
    """A day of the calendar; without a year the last one that has been."""
    day, month = int(match["d"]), int(match["m"])
    year = int(match["y"] or told.year)
    year += 2000 if year < 100 else 0
    found = _date(year, month, day)
    if found and not match["y"] and found > told + timedelta(days=_DAYS_OF_MONTHS):
        found = _date(year - 1, month, day)
    return found, None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word]


def _rules() -> Iterator[tuple[str, str, _Reading]]:
    """The rules, the most telling first: what one takes no other takes again."""
    day = r"(?:(?:ngay|hom)\s*)?(?<![\d/.-])(?P<d>0?[1-9]|[12]\d|3[01])"
    year = r"(?:(?:[/.-]|\s*nam\s*)(?P<y>20\d\d|\d\d))?(?![\d/])"
    month = r"(?P<m>0?[1-9]|1[0-2])"
    hour = rf"(?P<hour>{_NUMBER})\s*(?:gio|h|g|:)"
    minute = r"(?:\s*(?P<minute>[0-5]\d)|\s*(?P<half>ruoi))?"
    part = rf"(?:\s*(?P<part>{_PART}))?(?:\s*(?P<qua>hom qua|hom nay|qua|nay|ni|mai))?"
    unit = r"(?:ngay|hom|bua|dem|tuan|thang|nam)"
    yield "day", rf"{day}[/-]{month}{year}", _dated
    yield "day", rf"\b(?:ngay|hom)\s+{day}\s+thang\s+{month}{year}", _dated
    yield (
        "often",
        rf"\b(?:{_PART}|ngay|tuan|thang|cuoi tuan|hom|bua)\s+(?:nao|mo)\s+(?:cung|ma)\b",
        (_often),
    )
    yield "often", rf"\b(?:moi|hang|suot)\s+(?:{_PART}|ngay|tuan|thang|cuoi tuan)\b", _often
    yield "often", r"\b(?:cuoi tuan|ngay le|dip tet|quanh nam|24/24)\b", _often
    yield "clock", rf"(?<!\d)\b{hour}{minute}{part}\b", _clock
    yield "day", rf"\b(?P<day>{'|'.join(sorted(_DAYS, key=len, reverse=True))})\b", _named
    yield (
        "day",
        (
            r"\b(?:thu\s+(?P<n>hai|ba|tu|nam|sau|bay|[2-7])|chu nhat|cn)\b"
            r"(?:\s+(?P<last>tuan truoc|tuan roi))?"
        ),
        _weekday,
    )
    yield (
        "ago",
        (
            rf"\b(?:cach day|cach nay)\s+(?:khoang\s+)?(?P<n>{_NUMBER}|may|vai)\s+(?P<unit>{unit})"
            rf"|\b(?P<m>{_NUMBER}|may|vai)\s+(?P<other>{unit})\s+(?:truoc|nay)\b"
        ),
        _ago,
    )
    yield "day", rf"\b{_PART}\s+(?P<qua>hom qua|hom nay|qua|nay|ni|mai|kia)\b", _part
    yield "day", r"\b(?:tuan|thang|nam|quy) (?P<qua>truoc|nay|roi|ngoai)\b", _part
    yield "day", rf"\b(?:luc|hoi|vao|nua|tu|ve|giua|buoi)\s+(?P<qua>{_PART})\b", _part


_RULES = tuple((kind, re.compile(rule), reading) for kind, rule, reading in _rules())

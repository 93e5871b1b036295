"""Linking the channels of one enrolled person: the code between them, and telling each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers.dialogue import Desk
from storage import outbox
from storage.outbox import Letter, Post
from storage.reach import Way
from storage.vocabulary import Message
from storage.words import Words

DIGITS = 8  # one of 10^8, good for minutes, and 200 guesses of all together in a quarter of an hour
CODE = re.compile(rf"(?:\d[\s.–-]?){{{DIGITS - 1}}}\d")
GOOD_FOR = timedelta(minutes=10)


def code_in(text: str) -> str | None:
    """The digits of a text that is nothing but a code, in whatever groups, else None."""
    whole = CODE.fullmatch(text.strip())
    return "".join(letter for letter in whole[0] if letter.isdecimal()) if whole else None


def shown(code: str) -> str:
    """A code as people read it: two groups of four."""
    return f"{code[: DIGITS // 2]} {code[DIGITS // 2 :]}"


def described(way: Way, words: Words, now: datetime) -> str:
    """An address as its person knows it: the channel, and when they last spoke there."""
    name = words.channel(way.at.channel)
    if way.heard is None:
        return name
    return words("channels.one", name=name, heard=f"{way.heard.astimezone(now.tzinfo):%H:00 %d/%m}")


def tell(desk: Desk, words: Words, ways: Iterable[Way], sentence: str, **values: object) -> None:
    """Put a notice into the outbox for each of these addresses, and for no other in its place."""
    message = Message(words(sentence, **values), protect=True)
    post = Post(
        [
            Letter(
                desk.chance.letters(20),
                way.key,
                way.at.channel,
                way.at.address,
                message,
                bulk=True,
            )
            for way in ways
        ]
    )
    outbox.put(desk.work, post, desk.today + timedelta(days=desk.house.notice_days))

"""The door where events enter: one transaction for all that wait, each effect once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from handlers.commands import Commands
from handlers.conversation import Conversation
from handlers.dialogue import Chance, Desk, Ears
from handlers.forms import settle_form
from handlers.house import House
from handlers.talk import FILE, Talk, from_kept
from storage import attachments, outbox, people, talks
from storage.attachments import Lying
from storage.outbox import Letter, Post
from storage.people import Member, Tree
from storage.store import StoreDown, Work
from storage.vocabulary import Event, FileAt, Language, Message, Said, Waiting
from storage.words import Words
from tagging.normal import tidy


@dataclass(frozen=True)
class Taken:
    """What became of one event: the replies it led to; none for one that was taken before."""

    key: bytes
    replies: tuple[Waiting, ...] = ()
    repeated: bool = False
    wishes: bool = False
    failed: str | None = None


class Reception:
    """Takes events. Pure of channels: what comes in are values, what goes out are rows."""

    def __init__(
        self, ears: Ears, catalogues: Mapping[Language, Words], house: House, chance: Chance
    ) -> None:
        self.ears, self.catalogues, self.house, self.chance = ears, catalogues, house, chance
        self._commands = Commands(catalogues.values())

    def take(self, work: Work, events: Sequence[Event], now: datetime) -> list[Taken]:
        """Take a batch within an open transaction; results stand in the order of the events.

        Raises StoreDown when the database cannot write: nothing of the batch is kept.
        """
        return _Batch(self, work, now).take(events)

    def desk(self, work: Work, event: Event, key: bytes, talk: Talk, batch: _Batch) -> Desk:
        """What one event's outcomes work with."""
        return Desk(
            work=work,
            key=key,
            person=event.person,
            member=batch.members.get(key),
            words=self.catalogues[talk.language],
            catalogues=self.catalogues,
            now=batch.now,
            today=batch.today,
            tree=batch.units,
            ears=self.ears,
            chance=self.chance,
            house=self.house,
        )

    def converse(self, desk: Desk, talk: Talk, files: tuple[str, ...]) -> Conversation:
        """A conversation of one event."""
        return Conversation(desk, talk, self._commands, files)


class _Batch:
    """The events of one transaction, and what they share: talks, members, the post."""

    def __init__(self, reception: Reception, work: Work, now: datetime) -> None:
        self._reception, self._work = reception, work
        self._house = reception.house
        self.now = now.astimezone(self._house.zone)
        self.today: date = self.now.date()
        self.members: dict[bytes, Member] = {}
        self._talks: dict[bytes, Any] = {}
        self._touched: set[bytes] = set()
        self._post = Post()

    @cached_property
    def _tree(self) -> Tree:
        return people.tree(self._work, self.today)

    @property
    def units(self) -> Callable[[], Tree]:
        """The tree of units, read at most once a batch and only when somebody asks."""
        return lambda: self._tree

    def take(self, events: Sequence[Event]) -> list[Taken]:
        keys = [talks.key_of(self._work, event.person) for event in events]
        new = self._fresh(events)
        speaking = {key for key, event in zip(keys, events, strict=True) if not event.said.form}
        if speaking:
            self._talks = talks.load(self._work, speaking, self._ahead(self._house.talk_days))
            self.members = people.members(self._work, speaking)
        taken = [self._one(event, key, new) for event, key in zip(events, keys, strict=True)]
        self._write()
        return taken

    def _fresh(self, events: Sequence[Event]) -> set[bytes]:
        told = [talks.event_key(self._work, e) for e in events if not e.said.form]
        filed = [talks.event_key(self._work, e) for e in events if e.said.form]
        new: set[bytes] = set()
        if told:
            new |= talks.fresh(self._work, told, self._ahead(self._house.seen_days))
        if filed:
            new |= talks.fresh(self._work, filed, self._ahead(self._house.imported_days))
        return new

    def _one(self, event: Event, key: bytes, new: set[bytes]) -> Taken:
        self._post.seen += [(key, one) for one in event.seen]
        mark = talks.event_key(self._work, event)
        if mark not in new:
            return Taken(key, repeated=True)
        new.remove(mark)
        try:
            with self._work.apart():
                return self._hear(event, key)
        except StoreDown:
            raise
        except Exception as error:  # noqa: BLE001  # the one door: a poison event blocks nobody
            return self._bury(event, key, error)

    def _hear(self, event: Event, key: bytes) -> Taken:
        if event.said.form is not None:
            desk = self._reception.desk(self._work, event, key, Talk(), self)
            settle_form(desk, event.said.form, event.at)
            return Taken(key)
        talk = from_kept(self._talks.get(key))
        protect = bool(talk.room)
        desk = self._reception.desk(self._work, event, key, talk, self)
        files = {FILE + self._reception.chance.letters(20): at for at in event.said.files}
        heard = self._reception.converse(desk, talk, tuple(files))
        heard.hear(_tidied(event.said))
        if heard.took_files:
            self._note(event, key, files)
        self._talks[key] = None if heard.forgotten else heard.talk.as_kept()
        self._touched.add(key)
        if heard.settled:  # a role may have begun or ended; the next event of this batch sees it
            self.members.pop(key, None)
            self.members |= people.members(self._work, [key])
        if heard.forgotten:
            self._post.letters = [each for each in self._post.letters if each.key != key]
        for question in heard.answered:
            self._post.answer(key, question)
        protect |= bool(talk.room)
        said = (replace(each, protect=protect or each.protect) for each in heard.replies)
        replies = tuple(self._reply(event, key, message) for message in said)
        return Taken(key, replies, wishes=heard.wishes)

    def _note(self, event: Event, key: bytes, files: Mapping[str, FileAt]) -> None:
        until = self._ahead(self._house.file_days)
        for name, at in files.items():
            lying = Lying(name, event.person.channel, at.kind, at.locator, key, 0)
            attachments.note(self._work, lying, until)

    def _reply(self, event: Event, key: bytes, message: Message) -> Waiting:
        name, person = self._reception.chance.letters(20), event.person
        letter = Letter(name, key, person.channel, person.address, message)
        self._post.add(letter)
        return Waiting(letter.id, message)

    def _bury(self, event: Event, key: bytes, error: Exception) -> Taken:
        reason = type(error).__name__
        letter = self._reception.chance.letters(20)
        until = self._ahead(self._house.dead_days)
        talks.bury(self._work, letter, _as_kept(event), reason, until)
        words = self._reception.catalogues[from_kept(self._talks.get(key)).language]
        reply = self._reply(event, key, Message(words("talk.failed", number=letter[:6])))
        return Taken(key, (reply,), failed=reason)

    def _write(self) -> None:
        changed = {key: self._talks[key] for key in self._touched}
        idle = {k: s for k, s in changed.items() if s is not None and not s["running"]}
        busy = {k: s for k, s in changed.items() if k not in idle}
        if busy:
            talks.keep(self._work, busy, self._ahead(self._house.talk_days))
        if idle:
            talks.keep(self._work, idle, self._ahead(self._house.quiet_days))
        outbox.put(self._work, self._post, self._ahead(self._house.letter_days))

    def _ahead(self, days: int) -> date:
        return self.today + timedelta(days=days)


def _as_kept(event: Event) -> bytes:
    return json.dumps(asdict(event), default=str).encode()  # takes what no UTF-8 can hold


def _tidied(said: Said) -> Said:
    return said if said.text is None else replace(said, text=tidy(said.text))

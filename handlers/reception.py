"""The door where events enter: one transaction for all that wait, each effect once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from handlers.commands import Commands
from handlers.conversation import Conversation
from handlers.dialogue import Chance, Desk, Ears
from handlers.forgetting import forget_person
from handlers.forms import settle_form
from handlers.house import House
from handlers.talk import FILE, Talk, from_kept
from storage import attachments, outbox, people, reach, talks
from storage.attachments import LARGEST, Lying
from storage.outbox import Letter, Post
from storage.people import Member, Present, Tree
from storage.prompting import round_in
from storage.store import StoreDown, Work
from storage.vocabulary import Event, FileAt, Language, Message, Part, Said, Waiting
from storage.words import Words
from tagging.normal import tidy

T = TypeVar("T")
PIECES = "text"  # the group of the pieces that an app cut a long text into


@dataclass(frozen=True)
class Taken:
    """What became of one event: the replies it led to; none for one that was taken before.

    `held`: it is a part of something, and waits for the rest. `answered`: the questions it
    answered. `busy`: the person is in the middle of a dialogue now. `claimed`: the first reply is
    for the one who brought the event to send, and for nobody else.
    """

    key: bytes
    replies: tuple[Waiting, ...] = ()
    repeated: bool = False
    wishes: bool = False
    files: bool = False
    failed: str | None = None
    held: bool = False
    answered: tuple[str, ...] = ()
    busy: bool = False
    claimed: bool = False


class Reception:
    """Takes events. Pure of channels: what comes in are values, what goes out are rows."""

    def __init__(
        self, ears: Ears, catalogues: Mapping[Language, Words], house: House, chance: Chance
    ) -> None:
        self.ears, self.catalogues, self.house, self.chance = ears, catalogues, house, chance
        self.commands = Commands(catalogues.values())

    def take(
        self,
        work: Work,
        events: Sequence[Event],
        now: datetime,
        leases: Sequence[datetime | None] = (),
    ) -> list[Taken]:
        """Take a batch within an open transaction; results stand in the order of the events.

        `leases`: until when the first reply to each event is claimed for whoever brought it.
        Raises StoreDown when the database cannot write: nothing of the batch is kept.
        """
        return _Batch(self, work, now).take(events, leases)

    def words_on(self, channel: str) -> Mapping[Language, Words]:
        """The catalogues as they are on a channel."""
        return {language: words.on(channel) for language, words in self.catalogues.items()}

    def desk(self, work: Work, event: Event, key: bytes, talk: Talk, batch: _Batch) -> Desk:
        """What one event's outcomes work with."""
        catalogues = self.words_on(event.person.channel)
        return Desk(
            work=work,
            key=key,
            person=event.person,
            member=batch.members.get(key),
            words=catalogues[talk.language],
            catalogues=catalogues,
            now=batch.now,
            today=batch.today,
            tree=batch.units,
            ears=self.ears,
            chance=self.chance,
            house=self.house,
        )

    def converse(
        self, desk: Desk, talk: Talk, files: tuple[str, ...], ref: str = ""
    ) -> Conversation:
        """A conversation of one event."""
        return Conversation(desk, talk, self.commands, files, ref)


class _Batch:
    """The events of one transaction, and what they share: talks, members, the post."""

    def __init__(self, reception: Reception, work: Work, now: datetime) -> None:
        self._reception, self._work = reception, work
        self._house = reception.house
        self.now = now.astimezone(self._house.zone)
        self.today: date = self.now.date()
        self.members: dict[bytes, Member] = {}
        self._present: dict[bytes, Present] = {}
        self._spoke: dict[bytes, datetime] = {}
        self._talks: dict[bytes, Any] = {}
        self._held: dict[bytes, list[Event]] = {}
        self._doubted: set[bytes] = set()
        self._parked: set[bytes] = set()
        self._touched: set[bytes] = set()
        self._post = Post()

    @cached_property
    def _tree(self) -> Tree:
        return people.tree(self._work, self.today)

    @property
    def units(self) -> Callable[[], Tree]:
        """The tree of units, read at most once a batch and only when somebody asks."""
        return lambda: self._tree

    def take(self, events: Sequence[Event], leases: Sequence[datetime | None]) -> list[Taken]:
        keys = [talks.key_of(self._work, event.person) for event in events]
        new = self._fresh(events)
        speaking = {key for key, event in zip(keys, events, strict=True) if not event.said.form}
        if speaking:
            self._talks = talks.load(self._work, speaking, self._ahead(self._house.talk_days))
            self._present = people.present(self._work, speaking)
            self.members = {key: each.member for key, each in self._present.items()}
            self._held = talks.held(self._work, speaking)
            self._doubted, self._parked = outbox.kept_back(self._work, speaking)
        taken = [self._one(event, key, new) for event, key in zip(events, keys, strict=True)]
        for number, lease in enumerate(leases):
            if lease is not None and taken[number].replies:
                mine = self._post.claim(taken[number].replies[0].id, lease)
                taken[number] = replace(taken[number], claimed=mine)
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
        news = _is_a_word(event.said) and self._spoken(event, key)
        whole, waits = wholes(self._held.get(key, ()), event)
        if whole and key in self._held:
            del self._held[key]
            talks.let_go(self._work, key)
        heard = [self._safely(each, key, self._hear, each) for each in whole]
        if waits:
            heard.append(self._safely(event, key, self._hold, waits))
        taken = _together(key, heard)
        return replace(taken, wishes=True) if news else taken

    def _spoken(self, event: Event, key: bytes) -> bool:
        """Note the hour of a word of somebody enrolled; of a citizen nothing is kept.

        True when something waits for them elsewhere, which the clock may now bring here.
        """
        if key in self._parked:
            self._parked.remove(key)
            outbox.unpark(self._work, key, people.hour(self.now))
        there = self._present.get(key)
        if there is None:
            return False
        at = people.hour(min(event.at, self.now))
        if not there.away and there.heard is not None and at <= there.heard:
            return False
        at = max(at, there.heard or at)
        self._spoke[key] = at
        self._present[key] = Present(there.member, at, False)
        return reach.elsewhere(self._work, key)

    def _hold(self, parts: Sequence[Event], key: bytes) -> Taken:
        talks.let_go(self._work, key)
        due, until = self.now + self._house.held_for, self._ahead(self._house.held_days)
        kept = [replace(part, said=_tidied(part.said)) for part in parts]
        talks.hold(self._work, key, kept, due, until)
        self._held[key] = kept
        return Taken(key, held=True)

    def _safely(
        self, event: Event, key: bytes, taking: Callable[[T, bytes], Taken], what: T
    ) -> Taken:
        try:
            with self._work.apart():
                return taking(what, key)
        except StoreDown:
            raise
        except Exception as error:  # noqa: BLE001  # the one door: a poison event blocks nobody
            return self._bury(event, key, error)

    def _hear(self, event: Event, key: bytes) -> Taken:
        if event.said.form is not None:
            desk = self._reception.desk(self._work, event, key, Talk(), self)
            settle_form(desk, event.said.form, event.at)
            return Taken(key)
        if event.said.reachable is not None:
            return self._reach(key, event.said.reachable)
        if event.said.withdrawn:
            return self._withdraw(key)
        talk = from_kept(self._talks.get(key))
        if event.said.staff or (talk.is_with_staff(self.now) and not self._is_command(event.said)):
            return self._quietly(event, key, talk)
        talk.staff = None
        again = self._again(key, self._reception.catalogues[talk.language])
        protect = bool(talk.room)
        desk = self._reception.desk(self._work, event, key, talk, self)
        fit = [at for at in event.said.files if at.size <= LARGEST]
        files = {FILE + self._reception.chance.letters(20): at for at in fit}
        heard = self._reception.converse(desk, talk, tuple(files), event.ref)
        heard.hear(replace(_tidied(event.said), files=tuple(fit)), len(event.said.files) - len(fit))
        if heard.took_files:
            self._note(event, key, files)
        self._talks[key] = None if heard.forgotten else heard.talk.as_kept()
        self._touched.add(key)
        if heard.settled:  # a role may have begun or ended; the next event of this batch sees it
            self.members.pop(key, None)
            self.members |= people.members(self._work, [key])
        if heard.forgotten:
            self._post.forget(key)
        for question in heard.answered:
            self._post.answer(key, question)
        protect |= bool(talk.room)
        said = heard.replies if heard.forgotten else [*again, *heard.replies]
        guarded = (replace(each, protect=protect or each.protect) for each in said)
        replies = tuple(self._reply(event, key, message) for message in guarded)
        return Taken(
            key,
            replies,
            wishes=heard.wishes,
            files=heard.took_files,
            answered=tuple(heard.answered),
            busy=heard.busy,
        )

    def _reach(self, key: bytes, reachable: bool) -> Taken:
        people.shut(self._work, key, not reachable)
        if not reachable and key not in self.members:
            outbox.forget_all(self._work, key)  # a citizen's answers stay under the receipt
        return Taken(key)

    def _withdraw(self, key: bytes) -> Taken:
        """The consent was taken back at the platform: all goes at once, and nobody is asked."""
        forget_person(self._work, key, self.today)
        self._talks[key] = None
        self._touched.add(key)
        self.members.pop(key, None)
        self._post.forget(key)
        return Taken(key)

    def _is_command(self, said: Said) -> bool:
        return self._reception.commands.knows(said)

    def _quietly(self, event: Event, key: bytes, talk: Talk) -> Taken:
        """Somebody of the office speaks with the person: nothing of it is taken down here."""
        desk = self._reception.desk(self._work, event, key, talk, self)
        heard = self._reception.converse(desk, talk, ())
        if event.said.staff:
            heard.hand_over(self.now + self._house.staff_for)
            self._talks[key] = talk.as_kept()
            self._touched.add(key)
        else:
            heard.stay_quiet(event.said)
        replies = tuple(self._reply(event, key, message) for message in heard.replies)
        return Taken(key, replies, busy=True)  # what is sent to many keeps away meanwhile

    def _again(self, key: bytes, words: Words) -> list[Message]:
        """What may not have arrived, for somebody who is there again, said to be perhaps known.

        Not a question of the talk, which asks by itself where it stands.
        """
        if key not in self._doubted:
            return []
        self._doubted.remove(key)
        known = words("talk.perhaps_known")
        return [
            replace(message, text=f"{known}\n\n{message.text}")
            for message in outbox.returned(self._work, key)
            if message.question is None or round_in(message.question)
        ]

    def _note(self, event: Event, key: bytes, files: Mapping[str, FileAt]) -> None:
        until = self._ahead(self._house.file_days)
        for name, at in files.items():
            lying = Lying(name, event.person.channel, at.kind, at.locator, key, 0)
            attachments.note(self._work, lying, until)

    def _reply(self, event: Event, key: bytes, message: Message) -> Waiting:
        name, person = self._reception.chance.letters(20), event.person
        message = replace(message, protect=message.protect or key in self.members)
        grace = self.now + self._house.reply_grace
        letter = Letter(name, key, person.channel, person.address, message, grace)
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
        if self._spoke:
            people.hear(self._work, self._spoke)
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


def _is_a_word(said: Said) -> bool:
    """Whether a person did something, and it was not to shut us out; a form is nobody's word."""
    ours = said.form is not None or said.settled is not None or said.staff
    return not ours and not said.withdrawn and said.reachable is not False


def wholes(held: Sequence[Event], event: Event) -> tuple[list[Event], list[Event]]:
    """What is whole now that an event came, in order, and the parts that wait for more of theirs.

    The next part of what is held joins it; anything else, and the word that nothing more came,
    makes whole what was held.
    """
    group = event.said.settled
    if group is not None:
        last = held[-1].part if held else None
        over = last is not None and (group, event.id) == (last.group, settling(last))
        return ([_joined(held)], []) if over else ([], list(held))
    if event.said.edits and any(event.said.edits == each.ref for each in held):
        return [], [_amended(each, event.said) for each in held]
    part = event.part
    if part is not None and held and _follows(held[-1].part, part):
        return ([], [*held, event]) if part.more else ([_joined([*held, event])], [])
    before = [_joined(held)] if held else []
    return (before, [event]) if part is not None and part.more else ([*before, event], [])


def settling(part: Part) -> str:
    """The id of the event that says that nothing came after this part of its group."""
    return f"settled:{part.group}:{part.number}"


def _amended(part: Event, said: Said) -> Event:
    same = part.ref == said.edits
    return replace(part, said=replace(part.said, text=said.text)) if same else part


def _follows(last: Part | None, part: Part) -> bool:
    if last is None or last.group != part.group:
        return False
    return part.group != PIECES or part.number >= last.number


def _joined(parts: Sequence[Event]) -> Event:
    """One event out of its parts: all their files, all their words."""
    if len(parts) == 1:
        return parts[0]
    texts = [part.said.text for part in parts if part.said.text]
    said = Said(
        text="\n".join(texts) or None, files=tuple(f for part in parts for f in part.said.files)
    )
    return replace(parts[0], said=said, ref="")


def _together(key: bytes, heard: Sequence[Taken]) -> Taken:
    """What became of one event that made others whole as well."""
    if len(heard) == 1:
        return heard[0]
    return Taken(
        key,
        tuple(reply for each in heard for reply in each.replies),
        wishes=any(each.wishes for each in heard),
        files=any(each.files for each in heard),
        failed=next((each.failed for each in heard if each.failed), None),
        held=any(each.held for each in heard),
        answered=tuple(question for each in heard for question in each.answered),
        busy=any(each.busy for each in heard),
    )


def _as_kept(event: Event) -> bytes:
    return json.dumps(asdict(event), default=str).encode()  # takes what no UTF-8 can hold


def _tidied(said: Said) -> Said:
    return said if said.text is None else replace(said, text=tidy(said.text))

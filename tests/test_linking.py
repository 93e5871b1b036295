"""Guessing who said what, with everything that a database, its journal and its order can tell.

The guesser holds the database as it was after every single commit (that is what a journal keeps),
who answered after whom, the sizes of all that was written for each person, the places of rows in
the file, and every text that was said in a round; only the keys are missing. It lays the people
in one order and the texts in another and pairs them off.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from handlers import asking
from scheduler import rounds as clock
from storage import campaign, outbox, rounds, talks
from storage.campaign import Campaign
from storage.sealing import Seal
from storage.vocabulary import Pressed, Said
from tests.house import at
from tests.panel import Panel, open_panel, unhurried

PEOPLE = 12
ROUNDS = 50
CHANCE = ROUNDS  # of ROUNDS * PEOPLE guesses one in PEOPLE is right
LUCK = 28  # four standard deviations of as many throws
WORDS = ("lương", "trực", "nhà", "học", "việc", "đường", "khám", "giấy", "điện", "quân", "bếp")


@dataclass
class Commit:
    """What one commit changed for whoever watches: who, and how long each thing written is."""

    person: str
    sizes: dict[str, int]
    ballots: list[str]
    sayings: list[str]


@dataclass
class Seen:
    """One round in the guesser's eyes."""

    commits: list[Commit]
    file: bytes
    ids: dict[str, str]  # of a saying, by its text, which the results tell
    truth: dict[str, str] = field(default_factory=dict)  # who said it; never used to guess


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    store = unhurried(tmp_path / "langnghe.db")
    opened = open_panel(store, smallest_panel=5)
    opened.enrol(*(f"p{n:02}" for n in range(PEOPLE)))
    yield opened
    store.close()


def poll(number: int) -> Campaign:
    return Campaign.model_validate(
        {
            "id": f"poll-{number}",
            "title": {"vi": "Thăm dò"},
            "who": {"roles": ("officer",)},
            "when": "once",
            "question": [{"key": "words", "kind": "text", "text": {"vi": "Ý kiến?"}}],
        }
    )


def a_text(dice: random.Random, number: int) -> str:
    return f"{number} " + " ".join(dice.choices(WORDS, k=dice.randint(2, 80)))


def watch(panel: Panel, number: int, dice: random.Random) -> Seen:
    """One round, answered in a random order, and what is seen of it."""
    panel.start(poll(number))
    panel.tick()
    round = panel.round().id
    order = list(panel.names)
    dice.shuffle(order)
    truth = {who: a_text(dice, at) for at, who in enumerate(order)}
    commits = []
    for who in order:
        prompt = Said(pressed=Pressed(f"round:{round}", "answer"))
        for said in (prompt, Said(text="1"), Said(text=truth[who])):
            panel.say(who, said)
            commits.append(_commit(panel, who))
        panel.say(who, "gửi")
        commits.append(_commit(panel, who))
    panel.close()
    with panel.store.read() as work:
        found = rounds.sayings(work, "new", [round], 100)
    ids = {each.said["words"]: each.id for each in found}
    assert sorted(ids) == sorted(truth.values())
    path = Path(str(panel.store.engine.url.database))
    return Seen(commits, path.read_bytes(), ids, truth)


def _commit(panel: Panel, who: str) -> Commit:
    with panel.store.read() as work:
        run = work.connection.execute
        key = talks.key_of(work, at(who))
        talk = run(text("SELECT length(state) FROM talk WHERE key = :k"), {"k": key}).scalar()
        out = run(text("SELECT sum(length(sealed)) FROM outgoing WHERE key = :k"), {"k": key})
        asked = run(text("SELECT group_concat(question) FROM outgoing WHERE key = :k"), {"k": key})
        ballots = run(text("SELECT id, length(sealed) FROM ballot")).all()
        sayings = [row.id for row in run(text("SELECT id FROM saying"))]
        sizes = {
            "talk": talk or 0,
            "out": out.scalar() or 0,
            "asked": len(asked.scalar() or ""),
            "ballots": sum(row[1] for row in ballots),
        }
    return Commit(who, sizes, [row[0] for row in ballots], sayings)


# -- the guesses: each lays the people and the texts of a round in an order -----------------------

Guess = Callable[[Seen], Mapping[str, str]]


def _pairs(people: Sequence[str], texts: Sequence[str]) -> Mapping[str, str]:
    return dict(zip(people, texts, strict=False))


def _as_they_answered(seen: Seen) -> list[str]:
    return list(dict.fromkeys(commit.person for commit in seen.commits))


def by_key(seen: Seen) -> Mapping[str, str]:
    """The order of answering beside the order of keys."""
    return _pairs(_as_they_answered(seen), sorted(seen.ids, key=lambda said: seen.ids[said]))


def by_place(seen: Seen) -> Mapping[str, str]:
    """Pages fill from their end: what was written first stands last."""
    places = {said: seen.file.rfind(one.encode()) for said, one in seen.ids.items()}
    return _pairs(_as_they_answered(seen), sorted(places, key=lambda said: -places[said]))


def by_place_backwards(seen: Seen) -> Mapping[str, str]:
    """The same from the other end."""
    guessed = by_place(seen)
    return _pairs(list(guessed), list(guessed.values())[::-1])


def by_person_in_the_file(seen: Seen) -> Mapping[str, str]:
    """People as participation holds them beside texts as their table holds them."""
    return _pairs(sorted(_as_they_answered(seen)), sorted(seen.ids, key=lambda s: seen.ids[s]))


def _by_size(column: str) -> Guess:
    def guess(seen: Seen) -> Mapping[str, str]:
        written: Counter[str] = Counter()
        for commit in seen.commits:
            written[commit.person] += commit.sizes[column]
        people = sorted(written, key=lambda who: written[who])
        return _pairs(people, sorted(seen.ids, key=lambda said: len(said.encode())))

    return guess


def by_ballot_size(seen: Seen) -> Mapping[str, str]:
    """How much the ballots grew with each person's last commit."""
    grown, before = {}, 0
    for commit in seen.commits:
        grown[commit.person] = max(0, commit.sizes["ballots"] - before)
        before = commit.sizes["ballots"]
    people = sorted(grown, key=lambda who: grown[who])
    return _pairs(people, sorted(seen.ids, key=lambda said: len(said.encode())))


def by_shared_key(seen: Seen) -> Mapping[str, str]:
    """A row that came with somebody's commit and whose key names a saying."""
    said_by = {one: said for said, one in seen.ids.items()}
    guessed: dict[str, str] = {}
    known: set[str] = set()
    for commit in seen.commits:
        for one in {*commit.ballots, *commit.sayings} - known:
            if one in said_by:
                guessed[commit.person] = said_by[one]
        known |= {*commit.ballots, *commit.sayings}
    return guessed


GUESSES: dict[str, Guess] = {
    "key": by_key,
    "place": by_place,
    "place backwards": by_place_backwards,
    "person": by_person_in_the_file,
    "size of the talk": _by_size("talk"),
    "size of replies": _by_size("out"),
    "questions waiting": _by_size("asked"),
    "size of the ballot": by_ballot_size,
    "shared key": by_shared_key,
}


def right(guess: Guess, rounds_seen: Sequence[Seen]) -> int:
    return sum(seen.truth[who] == said for seen in rounds_seen for who, said in guess(seen).items())


def test_nobody_guesses_better_than_chance_over_fifty_rounds(panel: Panel) -> None:
    dice = random.Random(5)
    seen = [watch(panel, number, dice) for number in range(ROUNDS)]
    for name, guess in GUESSES.items():
        found = right(guess, seen)
        assert found <= CHANCE + LUCK, f"by {name}: {found} of {ROUNDS * PEOPLE}"


def test_the_journal_holds_no_word_and_is_cut_when_the_round_closes(panel: Panel) -> None:
    dice = random.Random(5)
    path = Path(str(panel.store.engine.url.database))
    journal = path.with_name(path.name + "-wal")
    panel.start(poll(0))
    panel.tick()
    said = {who: a_text(dice, at) for at, who in enumerate(panel.names)}
    for who, words in said.items():
        panel.answer(who, words, "gửi")
    before = path.read_bytes() + journal.read_bytes()
    assert b"p03" in before  # what is not secret is there in plain
    panel.close()
    assert journal.stat().st_size == 0
    after = path.read_bytes()
    for words in said.values():
        assert words.encode() not in before and words.encode() not in after


def test_with_the_keys_as_well_nothing_ties_a_text_to_a_person_once_it_is_closed(
    panel: Panel,
) -> None:
    seen = watch(panel, 0, random.Random(5))
    with panel.store.read() as work:
        people_of = {talks.key_of(work, at(who)): who for who in panel.names}
        states = talks.load(work, people_of, panel.now.date())
        letters = {who: panel.house.waiting(who) for who in panel.names}
        assert work.connection.execute(text("SELECT count(*) FROM ballot")).scalar() == 0
    assert len(states) == PEOPLE
    everything = str(states) + str(letters)
    assert not any(words in everything for words in seen.truth.values())


# -- the same guesser finds what is planted -------------------------------------------------------

FEW = 6


def _found(panel: Panel, *names: str) -> int:
    dice = random.Random(5)
    seen = [watch(panel, number, dice) for number in range(FEW)]
    return max(right(GUESSES[name], seen) for name in names)


FAR_FROM_CHANCE = FEW * PEOPLE // 3  # four times what chance finds


def test_it_finds_keys_that_count_up(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(10**9))
    counting = lambda n: f"{next(numbers):020d}"  # noqa: E731  # a planted source of keys
    monkeypatch.setattr(
        panel.house.reception, "chance", type(panel.house.reception.chance)(counting, counting)
    )
    object.__setattr__(panel.office, "ids", counting)
    assert _found(panel, "key") > FAR_FROM_CHANCE


def test_it_finds_a_ballot_of_its_own_size(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign.Campaign, "room", lambda self: 1 << 14)
    real = Seal.close

    def snug(self: Seal, plain: bytes, where: str, step: int = 64) -> bytes:
        return real(self, plain, where, 64 if where.startswith("ballot") else step)

    monkeypatch.setattr(Seal, "close", snug)
    assert _found(panel, "size of the ballot") > FAR_FROM_CHANCE


def test_it_finds_a_talk_of_its_own_size(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    real = asking.given_for
    monkeypatch.setattr(asking, "given_for", lambda *all_: real(*all_) | {"room": 0})
    assert _found(panel, "size of the talk") > FAR_FROM_CHANCE


def test_it_finds_replies_of_their_own_size(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "ROOMY", 64)
    monkeypatch.setattr("handlers.guarding.MOST_SHOWN", 1_000)
    assert _found(panel, "size of replies") > FAR_FROM_CHANCE


def test_it_finds_a_key_that_stays(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_the_ballots_keys(
        campaign: Campaign, ballots: Sequence[Mapping[str, Any]], office: object
    ) -> Iterator[tuple[str, dict[str, str]]]:
        with panel.store.read() as work:
            kept = work.connection.execute(text("SELECT id FROM ballot ORDER BY id"))
            ids = [row.id for row in kept]
        for one, said in zip(ids, ballots, strict=True):
            yield one, {"words": said["matters"][0]["words"]}

    monkeypatch.setattr(clock, "_sayings", with_the_ballots_keys)
    assert _found(panel, "shared key") > FAR_FROM_CHANCE

"""A closed round's result for a unit: made once, weighed against all before, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict

from scheduler import panel
from scheduler.edition import units as length
from scheduler.office import Office
from scheduler.panel import Refused
from storage import digests, rounds
from storage.campaign import CONFIRMED, ELSEWHERE, SCALE, SKIPPED, Asked, Campaign
from storage.people import Tree
from storage.rounds import Round, Saying
from storage.store import Work
from storage.vocabulary import Message
from storage.words import Words

MOST_SAYINGS = 200
LONGEST_SAYING = 300  # characters of one saying in a message
BANDS = ((2.34, "low"), (3.67, "middle"), (5.01, "high"))


class Table(BaseModel):
    """One round in figures for one unit, as it is frozen. Groups are options joined by `+`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = 1
    round: str
    unit: str
    region: tuple[str, ...]
    contributors: int
    cells: dict[str, dict[str, int]]
    groups: dict[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True)
class Shown:
    """What a reader gets: a table, of which unit, and why not of their own if it is not."""

    table: Table | None
    unit: str
    why: str | None = None


@dataclass(frozen=True)
class Sayings:
    """What people wrote and analysts passed: in this round; before, and how many confirmed it."""

    passed: Sequence[Saying]
    confirmed: Sequence[tuple[Saying, int]]


def shown_to(work: Work, round: Round, unit: str, now: datetime, office: Office) -> Shown:
    """The table of a unit, or of the nearest one above it that may be shown.

    The caller's transaction writes. What is shown here weighs on every later table.
    """
    tree = digests.whole_tree(work)
    why = None
    above = tree.above(unit) if unit in tree.units else (tree.root.id,)
    for each in above:
        try:
            return Shown(table_of(work, round, each, now, office), each, why)
        except Refused as refused:
            why = why or str(refused)
    return Shown(None, unit, why or "few")


def table_of(work: Work, round: Round, unit: str, now: datetime, office: Office) -> Table:
    """The frozen table of a unit, made now if it is new. Raises Refused with the reason."""
    digests.alone(work)
    tree = digests.whole_tree(work)
    kept = {u: Table.model_validate_json(s) for u, s in rounds.results(work, round.id).items()}
    if unit in kept:
        return kept[unit]
    if round.state != "closed":
        raise Refused("open" if round.state == "open" else "few")
    if not kept and unit != tree.root.id:
        # The whole panel comes first: its groups are the groups of every table.
        root = _made(work, round, tree.root.id, kept, tree)
        _keep(work, root, now)
        kept[root.unit] = root
    made = _made(work, round, unit, kept, tree)
    same = next((each for each in kept.values() if set(each.region) == set(made.region)), None)
    if same is not None:
        return same  # another name for the same people: nothing new is shown
    _keep(work, made, now)
    return made


def _keep(work: Work, made: Table, now: datetime) -> None:
    frozen = orjson.dumps(made.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    rounds.add_result(work, made.round, made.unit, now, frozen)


def _made(work: Work, round: Round, unit: str, kept: Mapping[str, Table], tree: Tree) -> Table:
    of: dict[str, str] = orjson.loads(round.buckets)
    counts = rounds.tallies(work, round.id)
    sizes = {bucket: found["="] for bucket, found in counts.get("=", {}).items()}
    region = frozenset(sizes) if unit == tree.root.id else panel.region(unit, of, tree)
    shown = [frozenset(each.region) for each in kept.values()]
    if region not in shown:
        panel.admit(region, shown, sizes, round.floor)
    standing = rounds.find_campaign(work, round.campaign)
    if standing is None:
        raise Refused("few")
    cells: dict[str, dict[str, int]] = {}
    groups: dict[str, tuple[tuple[str, ...], ...]] = {}
    for question in _countable(standing.campaign):
        found = counts.get(question.key, {})
        group = _grouping(question, found, sum(sizes.values()))
        beside = [frozenset(t.region) for t in kept.values() if question.key in t.cells]
        table = panel.cells(region, beside, group, _filled(found, sizes), sizes)
        if table is not None:
            cells[question.key] = table
            groups[question.key] = group.groups
    heard = _heard(counts.get(CONFIRMED, {}), sizes)
    beside = [frozenset(t.region) for t in kept.values() if CONFIRMED in t.cells]
    table = panel.cells(region, beside, heard, _filled(counts.get(CONFIRMED, {}), sizes), sizes)
    if table is not None:
        cells[CONFIRMED] = table
    return Table(
        round=round.id,
        unit=unit,
        region=tuple(sorted(region)),
        contributors=sum(sizes[bucket] for bucket in region),
        cells=cells,
        groups=groups,
    )


def _heard(found: Mapping[str, Counter[str]], sizes: Mapping[str, int]) -> panel.Grouping:
    """The sayings of earlier rounds that enough people have heard as well, and enough have not."""
    total: Counter[str] = Counter()
    for each in found.values():
        total.update(each)
    size = sum(sizes.values())
    shown = sorted(o for o in total if total[o] >= panel.CELL and size - total[o] >= panel.CELL)
    return panel.Grouping(CONFIRMED, tuple((one,) for one in shown), several=True)


def _countable(campaign: Campaign) -> Iterator[Asked]:
    """The questions that are counted; those of several matters as if several could be chosen.

    Of places in several matters nothing is shown: there is no list of them to weigh beforehand.
    """
    several = {"kind": "several"} if campaign.repeat > 1 else {}
    for question in campaign.question:
        if question.kind != "text":
            yield question.model_copy(update=several)


def _grouping(question: Asked, found: Mapping[str, Counter[str]], size: int) -> panel.Grouping:
    total: Counter[str] = Counter()
    for each in found.values():
        total.update(each)
    return panel.grouping(question, total, size)


def _filled(found: Mapping[str, Counter[str]], sizes: Mapping[str, int]) -> dict[str, Counter[str]]:
    return {bucket: found.get(bucket, Counter()) for bucket in sizes}


def sayings_of(work: Work, round: Round, shown: Shown) -> Sayings:
    """The passed words of a round, and those of earlier ones that were confirmed in it."""
    if shown.table is None:
        return Sayings((), ())
    passed = rounds.sayings(work, "passed", [round.id], MOST_SAYINGS)
    heard = shown.table.cells.get(CONFIRMED, {})
    known = rounds.passed_by_id(work, heard)
    return Sayings(passed, [(each, heard[each.id]) for each in known])


# -- words ----------------------------------------------------------------------------------------


def text(
    campaign: Campaign,
    round: Round,
    shown: Shown,
    sayings: Sayings,
    words: Words,
    office: Office,
    longest: int,
) -> Message:
    """A result for chat, at most `longest` UTF-16 units; sayings come in as far as they fit."""
    language = words.language
    title = campaign.say(campaign.title, language)
    head = words("panel.title", title=title, due=f"{round.due.astimezone(office.zone):%d/%m/%Y}")
    if shown.table is None:
        return Message(f"{head}\n\n{words(f'panel.refused_{shown.why}', floor=round.floor)}")
    lines = [head, words("panel.contributors", count=shown.table.contributors)]
    if shown.why:
        lines.append(words(f"panel.refused_{shown.why}", floor=round.floor))
        lines.append(words("panel.instead"))
    for question in _countable(campaign):
        lines += ["", *_question(question, campaign, shown.table, words, office)]
    if sayings.confirmed:
        lines += ["", words("panel.confirmed")]
    for saying, count in sayings.confirmed:
        said = _words_of(saying, campaign)[:LONGEST_SAYING]
        lines.append(words("panel.heard", said=said, count=count))
    lines += ["", words("panel.note", floor=round.floor, cell=panel.CELL)]
    body = _fitting(lines, longest)
    return Message(_with_sayings(body, campaign, sayings.passed, words, longest))


def _question(
    question: Asked, campaign: Campaign, table: Table, words: Words, office: Office
) -> Iterator[str]:
    yield campaign.say(question.text, words.language)
    found = table.cells.get(question.key)
    groups = table.groups.get(question.key, ())
    if not found or (len(groups) < 2 and question.kind != "several"):
        yield words("panel.alike", cell=panel.CELL)
        return
    for group in groups:
        count = found["+".join(group)]
        share = words(
            "bulletin.number.percent",
            number=f"{100 * count / table.contributors:.0f}",
        )
        yield words(
            "panel.row", label=_label(question, group, words, office), count=count, share=share
        )
    if question.kind == "scale":
        yield from _level(groups, found, table.contributors, words)


def _label(question: Asked, group: Sequence[str], words: Words, office: Office) -> str:
    named = {each.id: each.label(words.language) for each in question.options}
    own = [option for option in group if option != SKIPPED]
    labels = [_named(option, question, named, words, office) for option in own]
    if question.kind == "scale" and len(own) > 1:
        labels = [f"{own[0]}–{own[-1]}"]
    if len(labels) > 3:
        labels = [words("panel.others")]
    if SKIPPED in group:
        labels.append(words("panel.skipped"))
    return f" {words('panel.or')} ".join(labels)


def _named(
    option: str, question: Asked, named: Mapping[str, str], words: Words, office: Office
) -> str:
    if question.kind == "place":
        return words("panel.elsewhere") if option == ELSEWHERE else office.place(option)
    return named.get(option, option)


def _level(
    groups: Sequence[Sequence[str]], found: Mapping[str, int], contributors: int, words: Words
) -> Iterator[str]:
    """An average where it says no more than the cells do and enough people stand behind it."""
    points = {"+".join(g): [int(o) for o in g if o in SCALE] for g in groups}
    heard = [(found[name], sum(at) / len(at), len(at)) for name, at in points.items() if at]
    people = sum(count for count, _, _ in heard)
    mean = sum(count * middle for count, middle, _ in heard) / people
    if contributors >= panel.MEAN_FROM and len(heard) == len(SCALE):
        number = f"{mean:.1f}".replace(".", words("bulletin.number.decimal"))
        yield f"  {words('panel.mean', mean=number)}"
    else:
        band = next(name for under, name in BANDS if mean < under)
        yield f"  {words(f'panel.band_{band}')}"


def _fitting(lines: Sequence[str], longest: int) -> str:
    kept = list(lines)
    while length("\n".join(kept)) > longest and len(kept) > 2:
        kept.pop(-3 if len(kept) > 4 else -1)  # the note stays
    return "\n".join(kept)


def _with_sayings(
    body: str, campaign: Campaign, passed: Sequence[Saying], words: Words, longest: int
) -> str:
    """Add what analysts passed, in the order of random ids and without label or unit."""
    if not passed:
        return body
    added = "\n\n" + words("panel.sayings")
    for each in passed:
        said = _words_of(each, campaign)[:LONGEST_SAYING]
        line = "\n" + words("panel.saying", said=said)
        if length(body + added + line) > longest:
            break
        added += line
    return body + added


def _words_of(saying: Saying, campaign: Campaign) -> str:
    """What was written, without any label."""
    texts = {each.key for each in campaign.question if each.kind == "text"}
    return " / ".join(said for key, said in saying.said.items() if key in texts)

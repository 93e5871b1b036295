"""Who took part: counts per unit and round, and one person's own statement; never what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo

from storage import rounds
from storage.campaign import Campaign
from storage.people import Member, Tree
from storage.store import Work
from storage.words import Words

MONTHS = ("3", "6", "12")
SMALL = 5  # people asked; in smaller units it is not said apart how many officers answered
SMALL_UNITS = ""
MOST_LINES = 60


def since(months: int, now: datetime) -> datetime:
    """The first moment of a span of months; a month counts 30.5 days."""
    return now - timedelta(days=round(30.5 * months))


def statement(work: Work, member: Member, months: int, now: datetime, words: Words) -> str:
    """Rounds asked and answered by one person, as an allowance needs it."""
    found = rounds.attended(work, member.id, since(months, now))
    titles = _titles(work, words)
    lines = [
        words(
            "attendance.line_done" if each.done else "attendance.line_missed",
            title=titles.get(each.campaign, each.campaign),
            due=f"{each.due.astimezone(now.tzinfo):%d/%m/%Y}",
        )
        for each in found[:MOST_LINES]
    ]
    done = sum(each.done for each in found)
    head = words("attendance.own", months=months, done=done, asked=len(found))
    return "\n".join((head, *lines, words("attendance.note")))


def by_unit(work: Work, unit: str, months: int, now: datetime, tree: Tree, words: Words) -> str:
    """Each round with how many of each unit below were asked and answered."""
    lines = list(_by_unit(work, unit, months, now, tree, words))
    head = words("attendance.units", months=months, unit=tree.units[unit].called(words.language))
    if not lines:
        lines = [words("attendance.none")]
    return "\n".join((head, *lines[:MOST_LINES], words("attendance.note")))


def _by_unit(
    work: Work, unit: str, months: int, now: datetime, tree: Tree, words: Words
) -> Iterator[str]:
    counted = rounds.attendance(work, tree.below(unit), since(months, now))
    known = {each.id: each for each in rounds.closed_rounds(work, 500)}
    campaigns = {each.campaign.id: each.campaign for each in rounds.campaigns(work)}
    for one in sorted({each.round for each in counted}, key=lambda r: (known[r].due, r)):
        round = known[one]
        campaign = campaigns[round.campaign]
        asked, done = _joined([each for each in counted if each.round == one], campaign)
        yield words(
            "attendance.round",
            title=campaign.say(campaign.title, words.language),
            due=_day(round.due, now.tzinfo),
            done=sum(done.values()),
            asked=sum(asked.values()),
        )
        for each in sorted(asked, key=lambda u: (u == SMALL_UNITS, u)):
            name = tree.units[each].called(words.language) if each in tree.units else None
            label = name or words("attendance.small")
            yield words("attendance.unit", unit=label, done=done[each], asked=asked[each])


def _joined(
    counted: list[rounds.Attendance], campaign: Campaign
) -> tuple[Counter[str], Counter[str]]:
    """By unit; small ones are one where the campaign asks officers, who are anonymous there."""
    asked: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for each in counted:
        small = "officer" in campaign.who.roles and each.asked < SMALL
        unit = SMALL_UNITS if small else each.unit
        asked[unit] += each.asked
        done[unit] += each.done
    return asked, done


def _titles(work: Work, words: Words) -> Mapping[str, str]:
    return {
        each.campaign.id: each.campaign.say(each.campaign.title, words.language)
        for each in rounds.campaigns(work)
    }


def _day(at: datetime, zone: tzinfo | None) -> str:
    return f"{at.astimezone(zone):%d/%m/%Y}"

"""Campaigns on the command line: checked, put in force, ended, and what came of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.installation import ROOMS, Installation, now
from bot.office import office_of
from handlers.attendance import by_unit
from scheduler import results
from scheduler.panel import Refused
from storage import people, rounds
from storage.campaign import Campaign
from storage.campaign_file import BadCampaign, read_campaign
from storage.rounds import Round

SHIPPED = ROOMS / "campaigns"
NEWEST = 10  # rounds listed of each campaign


class NoSuchRound(Exception):
    """No round that is over has that id: look at the list of campaigns."""


def checked(opened: Installation, file: str) -> Campaign:
    """The campaign of a file, or of one that comes with the program by its name.

    Raises BadCampaign when it, or a unit or organisation it names, is not there.
    """
    shipped = SHIPPED / f"{file}.toml"
    path = shipped if shipped.is_file() and not Path(file).exists() else Path(file)
    campaign = read_campaign(path)
    with opened.store.read() as work:
        units = people.tree(work, opened.today()).units
    organisations = {each.id for each in opened.organisations}
    for named, known, what in (
        (campaign.who.units, set(units), "unit"),
        (campaign.who.organisations, organisations, "organisation"),
    ):
        for one in named:
            if one not in known:
                line = _line_of(path, one)
                raise BadCampaign(f"{path.name}: line {line}: who: there is no {what} {one}")
    return campaign


def _line_of(path: Path, word: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((at for at, line in enumerate(lines, 1) if f'"{word}"' in line), 1)


def put_in_force(opened: Installation, file: str) -> Campaign:
    """Put a campaign in force from now on. Raises BadCampaign, rounds.Fixed."""
    campaign = checked(opened, file)
    with opened.store.write() as work:
        rounds.set_campaign(work, campaign, now())
    return campaign


def end(opened: Installation, campaign: str) -> bool:
    """End a campaign; its open round is counted at the next tick. False when there is none."""
    with opened.store.write() as work:
        return rounds.close_campaign(work, campaign, now())


def listed(opened: Installation) -> str:
    """Every campaign with its newest rounds: id, when, in which state, how many answered."""
    lines = []
    with opened.store.read() as work:
        for each in rounds.campaigns(work):
            when = "ended" if each.closed else each.campaign.when
            lines.append(f"{each.campaign.id} ({when})")
            running = rounds.open_rounds(work, each.campaign.id)
            closed = rounds.closed_rounds(work, NEWEST, each.campaign.id)
            lines += [_line(opened, one) for one in (*running, *closed)]
    return "\n".join(lines) or "No campaign yet: `langnghe campaign add FILE`."


def _line(opened: Installation, one: Round) -> str:
    zone = opened.settings.zone
    days = f"{one.due.astimezone(zone):%d/%m/%Y} to {one.until.astimezone(zone):%d/%m/%Y}"
    return f"  {one.id}  {days}  {one.state}{_answered(one)}"


def _answered(one: Round) -> str:
    # How many answered an open round would tell who did, of those seen answering.
    return "" if one.state == "open" else f", {one.contributors} answered"


def result(opened: Installation, round: str, unit: str | None, language: str) -> str:
    """The result of a round that is over, for a unit. Raises NoSuchRound.

    A table that may not be shown is a sentence that says why.
    """
    office = office_of(opened)
    words = next(found for known, found in opened.catalogues.items() if known == language)
    with opened.store.write() as work:
        found = rounds.find_round(work, round)
        standing = rounds.find_campaign(work, found.campaign) if found else None
        if found is None or standing is None or found.state == "open":
            raise NoSuchRound(round)
        chosen = unit or people.tree(work, opened.today()).root.id
        try:
            table = results.table_of(work, found, chosen, now(), office)
            shown = results.Shown(table, chosen)
        except Refused as refused:
            shown = results.Shown(None, chosen, str(refused))
        sayings = results.sayings_of(work, found, shown)
        said = results.text(standing.campaign, found, shown, sayings, words, office, 100_000)
    return said.text


def attendance(opened: Installation, unit: str | None, months: int, language: str) -> str:
    """Who took part, in counts by round and unit."""
    words = next(found for known, found in opened.catalogues.items() if known == language)
    with opened.store.read() as work:
        tree = people.tree(work, opened.today())
        local = now().astimezone(opened.settings.zone)
        return by_unit(work, unit or tree.root.id, months, local, tree, words)


def holidays_run_out(opened: Installation) -> bool:
    """Whether the lunar dates known end within half a year."""
    soon = opened.today() + timedelta(days=182)
    return soon.year > opened.workdays.holidays.known_until

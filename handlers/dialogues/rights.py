"""The person's rights: see what is kept of them, correct it, have it deleted."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.attendance import since
from handlers.dialogue import About, Begin, Desk, Dialogue, Nothing, Outcome, Settled
from handlers.forgetting import forget_person
from handlers.linking import described
from handlers.questions import Choice
from storage import outbox, people, reach, rounds
from storage.people import Member
from storage.vocabulary import Message


@dataclass(frozen=True)
class Seen:
    """A wish to see what is kept."""

    def settle(self, desk: Desk) -> Settled:
        """Everything tied to this address; reports are not, so they are not among it."""
        words = desk.words
        lines = [words("rights.kept", language=words("language.name"))]
        for purpose, given, on in people.consents(desk.work, desk.key):
            answer = words("rights.agreed" if given else "rights.refused")
            day = on.strftime("%d/%m/%Y")
            lines.append(f"• {words(f'rights.purpose_{purpose}')}: {answer} ({day})")
        if desk.member is not None:
            office = desk.tree().units.get(desk.member.unit)
            unit = office.called(desk.language) if office else desk.member.unit
            role = words(f"role.{desk.member.role}")
            lines.append("• " + words("rights.enrolled", role=role, unit=unit))
            ways = reach.ways(desk.work, [desk.member.id]).get(desk.member.id, [])
            names = ", ".join(described(way, words, desk.now) for way in ways)
            lines.append("• " + words("rights.channels", names=names))
            lines += [f"• {line}" for line in _of_rounds(desk, desk.member)]
        keys = people.keys_of(desk.work, desk.member.id) if desk.member else [desk.key]
        waiting = outbox.count(desk.work, keys)
        lines.append("• " + words("rights.waiting", count=waiting))
        lines.append(words("rights.reports"))
        return Settled((Message("\n".join(lines)),), Begin("rights"))


def _of_rounds(desk: Desk, member: Member) -> list[str]:
    mine = rounds.affiliations(desk.work, member.id)
    names = [o.called(desk.language) for o in desk.house.organisations if o.id in mine]
    attended = rounds.attended(desk.work, member.id, since(24, desk.now))
    lines = []
    if names:
        lines.append(desk.words("rights.organisations", names=", ".join(names)))
    if attended:
        done = sum(each.done for each in attended)
        lines.append(desk.words("rights.rounds", done=done, asked=len(attended)))
    return lines


@dataclass(frozen=True)
class Changed:
    """A change of the consent to machine reading."""

    machine: bool

    def settle(self, desk: Desk) -> Settled:
        """It holds for every report from now on."""
        wording = f"{desk.words('welcome.wording')}/{desk.language}"
        people.consent(desk.work, desk.key, "machine", self.machine, wording, desk.today)
        said = "rights.machine_on" if self.machine else "rights.machine_off"
        return Settled((desk.tell(said),))


@dataclass(frozen=True)
class Deleted:
    """A wish to be forgotten."""

    def settle(self, desk: Desk) -> Settled:
        """What is tied to the address goes; reports are not."""
        forget_person(desk.work, desk.key, desk.today)
        return Settled((desk.tell("rights.deleted"),), forget=True)


async def rights(about: About) -> Outcome:
    """One right at a time."""
    wanted = await Choice(
        "right", ask="rights", options=("see", "correct", "machine_yes", "machine_no", "delete")
    )
    if wanted == "see":
        return Seen()
    if wanted == "correct":
        return Nothing("rights.how_to_correct", Begin("lookup"))
    if wanted == "delete":
        sure = await Choice("sure", ask="rights.sure", options=("yes", "no"))
        return Deleted() if sure == "yes" else Nothing("rights.kept_all")
    return Changed(wanted == "machine_yes")


DIALOGUE = Dialogue("rights", rights, menu=9, before_consent=True)

"""How a bulletin names things in a language: numbers, changes, dates, periods, labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from scheduler.periods import Period
from scheduler.snapshot import Row, Snapshot
from storage.words import Words
from tagging.taxonomy import Taxonomy, UnknownLabel


@dataclass(frozen=True)
class Wording:
    """One language's words with the labels of the taxonomy."""

    words: Words
    taxonomy: Taxonomy

    def say(self, key: str, **values: object) -> str:
        """A sentence of the bulletin."""
        return self.words(f"bulletin.{key}", **values)

    def number(self, number: int) -> str:
        """A whole number, in threes."""
        return f"{number:,}".replace(",", self.say("number.thousands"))

    def percent(self, part: int, whole: int) -> str:
        """A share with one decimal."""
        return self._percent(f"{100 * part / whole:,.1f}")

    def change(self, now: int, before: int) -> str:
        """How far a number moved, of what it was; what it was is not nothing."""
        if now == before:
            return self.say("same")
        sign = "+" if now > before else self.say("number.minus")
        return sign + self._percent(f"{100 * abs(now - before) / before:,.1f}")

    def _percent(self, number: str) -> str:
        whole, _, tenths = number.rpartition(".")
        whole = whole.replace(",", self.say("number.thousands"))
        return self.say("number.percent", number=f"{whole}{self.say('number.decimal')}{tenths}")

    def day(self, day: date) -> str:
        """A date."""
        return f"{day:%d/%m/%Y}"

    def period(self, period: Period) -> str:
        """A period by its name."""
        year, _, within = period.key.partition("-")
        names = {"month": "months", "quarter": "quarters", "half": "halves"}.get(period.kind)
        if names is None:
            return self.say(f"period.{period.kind}", year=year)
        number = int(within.lstrip("QH")) - 1
        name = self.words.all(f"bulletin.period.{names}")[number]
        return self.say(f"period.{period.kind}", name=name, year=year)

    def label(self, taken: Snapshot, axis: str, label: str) -> str:
        """A label of an axis as people read it; one that nobody named any more is its id."""
        if label == "none" and axis != "kind":
            return self.say(f"none.{axis}")
        if axis == "place":
            return taken.places.get(label, label)
        if axis == "kind":
            known = self.words.knows(f"bulletin.kind.{label}")
            return self.say(f"kind.{label}") if known else label
        try:
            return self.taxonomy.label(axis, label, self.words.language)
        except UnknownLabel:
            return label

    def labels(self, taken: Snapshot, axis: str, rows: tuple[str, ...]) -> str:
        """Several labels in a line."""
        return "; ".join(self.label(taken, axis, one) for one in rows)

    def moved(self, taken: Snapshot, rows: tuple[Row, ...]) -> str:
        """Topics with where they came from and went to."""
        return "; ".join(
            self.say(
                "moved",
                label=self.label(taken, "topic", row.label),
                **{"from": self.number(row.before or 0), "to": self.number(row.count)},
            )
            for row in rows
        )

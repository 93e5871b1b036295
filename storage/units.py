"""The tree of units as an office writes it down in a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from storage.people import Office


def read_units(path: Path) -> list[Office]:
    """The units of a file, superiors first. Raises ValueError saying what is off."""
    with path.open("rb") as source:
        listed = tomllib.load(source).get("unit", [])
    units: dict[str, Office] = {}
    for each in listed:
        unit = _unit(each)
        if unit.inspects and unit.parent is not None:
            raise ValueError(f"unit {unit.id}: one that inspects stands under no other")
        if unit.parent is not None and unit.parent not in units:
            raise ValueError(f"unit {unit.id}: its parent {unit.parent} must stand before it")
        units[unit.id] = unit
    if sum(u.parent is None and not u.inspects for u in units.values()) != 1:
        raise ValueError("exactly one unit must have no parent (besides one that inspects)")
    return list(units.values())


def _unit(written: dict[str, object]) -> Office:
    try:
        name = str(written["name"])
        return Office(
            id=str(written["id"]),
            name=name,
            name_en=str(written.get("name_en", name)),
            parent=str(written["parent"]) if "parent" in written else None,
            ward=str(written["ward"]) if "ward" in written else None,
            inspects=bool(written.get("inspects", False)),
        )
    except KeyError as missing:
        raise ValueError(f"a unit without {missing}") from None

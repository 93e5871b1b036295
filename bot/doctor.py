"""The examination: does each part of an installation work, and if not, what helps."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pysqlite3
from dotenv import dotenv_values

from bot import settings
from bot.campaigns import holidays_run_out
from bot.finding import Finding
from bot.installation import Installation, open_installation
from bot.settings import Settings, WrongSetting
from storage import outbox, people, reports, talks
from storage.migrating import NewerDatabase
from storage.sealing import CannotOpen, KeysMissing
from storage.store import BadDatabase, StoreDown

LEAST_FREE = 500_000_000  # bytes; photos and videos need room


def examine() -> Iterator[Finding]:
    """Every finding, in the order in which things depend on each other."""
    try:
        chosen = settings.load()
    except WrongSetting as wrong:
        yield Finding("settings", False, f"{wrong}. Mend it in .env or the environment.")
        return
    yield Finding("settings", True, "every setting can be used.")
    yield from _strange_names()
    yield _room(chosen)
    try:
        opened = open_installation(chosen)
    except (WrongSetting, BadDatabase, KeysMissing, NewerDatabase, StoreDown) as trouble:
        yield Finding("database", False, _what_helps(trouble))
        return
    for examined in (_database, _keys, _models, _units, _people, _calendar, _letters, _reports):
        yield _safely(examined, opened)
    if chosen.telegram_token.get_secret_value():
        from bot.channels.telegram.office import check

        yield from check(chosen, opened.catalogues)
    if chosen.zalo_oa_app_id:
        from bot.channels.zalo import office

        yield from office.check(opened)
    if chosen.zalo_bot_token.get_secret_value():
        from bot.channels.zalobot.office import check as check_zalobot

        yield from check_zalobot(chosen)


def _what_helps(trouble: Exception) -> str:
    if isinstance(trouble, KeysMissing):
        return f"there are data but no keys at {trouble}: put the back-up of keys.json there."
    if isinstance(trouble, NewerDatabase):
        return "a newer version wrote this database: start that version."
    return f"{trouble}"


def _strange_names() -> Iterator[Finding]:
    known = {name.upper() for name in Settings.model_fields}
    for name in dotenv_values(".env"):
        if name.upper() not in known:
            yield Finding("settings", False, f".env names {name}, which nothing reads: a slip?")


def _room(chosen: Settings) -> Finding:
    folder = next(p for p in (chosen.data_dir, *chosen.data_dir.parents, Path()) if p.exists())
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding("disk", False, f"{folder} cannot be written: mend its owner or DATA_DIR.")
    return Finding("disk", free > LEAST_FREE, f"{free // 1_000_000} MB are free in {folder}.")


def _safely(examined: Callable[[Installation], Finding], opened: Installation) -> Finding:
    try:
        return examined(opened)
    except StoreDown as down:
        return Finding(examined.__name__.strip("_"), False, f"the database fails: {down}.")


def _database(opened: Installation) -> Finding:
    with opened.store.read() as work:
        kind = work.connection.dialect.name
        version = pysqlite3.sqlite_version if kind == "sqlite" else ""
        fine = True
        if kind == "sqlite":
            answer = work.connection.exec_driver_sql("PRAGMA quick_check").scalar()
            fine = answer == "ok"
    sentence = f"{kind} {version} answers, its schema is current."
    return Finding("database", fine, sentence if fine else "damaged: restore the last back-up.")


def _keys(opened: Installation) -> Finding:
    path = opened.settings.data_dir / "keys.json"
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding("keys", False, f"others may read {path}: run chmod 600 {path}")
    try:
        with opened.store.read() as work:
            letters = talks.exhume(work)
    except CannotOpen:
        return Finding("keys", False, f"{path} does not open this database: restore its back-up.")
    if letters:
        faults = ", ".join(sorted({reason for _, reason, _ in letters}))
        return Finding("keys", False, f"{len(letters)} dead letters wait for a mender: {faults}.")
    return Finding("keys", True, "the keys open what is sealed, nobody else may read them.")


def _models(opened: Installation) -> Finding:
    from tagging.tagger import Tagger

    if not (opened.models / "places.json").is_file():
        return Finding("tagger", False, "not trained yet: run `langnghe tagger train`.")
    size = sum(f.stat().st_size for f in opened.models.iterdir() if f.is_file())
    tags = Tagger.load(opened.models).tag("nha ben canh ban ma tuy")
    fine = tags.topic == "drugs"
    return Finding("tagger", fine, f"trained, {size / 1e6:.1f} MB; a try is labelled {tags.topic}.")


def _units(opened: Installation) -> Finding:
    with opened.store.read() as work:
        tree = people.tree(work, opened.today())
    if "(mẫu)" in tree.root.name:
        return Finding("units", True, "the sample tree stands; write your own into UNITS_FILE.")
    return Finding("units", True, f"{len(tree.units)} units, {tree.root.name} at the top.")


def _people(opened: Installation) -> Finding:
    with opened.store.read() as work:
        administrators = people.enrolled(work, "administrator")
        supervisors = people.enrolled(work, "supervisor")
    if not administrators:
        return Finding("people", False, "no administrator yet: `run` prints an invitation.")
    if not supervisors:
        return Finding("people", False, "no supervisor, so nobody gets a digest: `invite` one.")
    return Finding("people", True, f"{administrators} administrators, {supervisors} supervisors.")


def _calendar(opened: Installation) -> Finding:
    year = opened.workdays.holidays.known_until
    fine = not holidays_run_out(opened)
    sentence = f"public holidays are known until {year}"
    return Finding(
        "calendar", fine, f"{sentence}." if fine else f"{sentence}: add to HOLIDAYS_FILE."
    )


def _letters(opened: Installation) -> Finding:
    with opened.store.read() as work:
        waiting, doubts = outbox.count(work), outbox.doubts(work)
        shut = people.shut_out(work)
    sentence = f"{waiting} messages wait for their people."
    if shut:
        sentence += f" {shut} addresses of enrolled people have blocked the bot."
    if doubts:
        sentence += f" {len(doubts)} may have arrived and may not: see `langnghe doubts`."
    return Finding("outbox", not doubts, sentence)


def _reports(opened: Installation) -> Finding:
    with opened.store.read() as work:
        told = reports.count(work)
    return Finding("reports", True, f"{told} reports are kept.")

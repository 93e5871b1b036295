"""An installation: its folder, keys, database, models and words; made at the first start."""

from __future__ import annotations

import json
import logging
import secrets
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from bot.settings import Settings, WrongSetting
from handlers.dialogue import Chance, Ears
from handlers.house import House
from handlers.reception import Reception
from storage import people, talks, words
from storage.attachments import Vault
from storage.campaign import Campaign
from storage.campaign_file import read_campaign
from storage.migrating import migrate, revision
from storage.organisations import Organisation, read_organisations
from storage.sealing import Keys, KeysMissing, Seal
from storage.store import Store, Work
from storage.units import read_units
from storage.vocabulary import Language, Role
from storage.workdays import SHIPPED, Workdays, read_holidays
from tagging.emergency import Emergency
from tagging.places import Places
from tagging.tagger import TaggerInUse
from tagging.training import train

ROOMS = Path(__file__).parent.parent
INVITED_FOR = timedelta(days=7)

log = logging.getLogger("langnghe")


def now() -> datetime:
    """The one place where the program reads the clock: aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Installation:
    """Everything the programs work with."""

    settings: Settings
    keys: Keys
    store: Store
    catalogues: dict[Language, words.Words]
    vault: Vault
    incoming: Vault
    workdays: Workdays
    organisations: tuple[Organisation, ...]

    @property
    def models(self) -> Path:
        """Where the trained models lie."""
        return self.settings.data_dir / "models"

    @cached_property
    def places(self) -> Places:
        """The gazetteer, loaded once."""
        return Places.load(self.models)

    @cached_property
    def tagger(self) -> TaggerInUse:
        """The tagger, loaded once; the clock looks whether another model was put in place."""
        return TaggerInUse(self.models)

    def today(self) -> date:
        """The date in the installation's zone."""
        return now().astimezone(self.settings.zone).date()

    def reception(self) -> Reception:
        """The reception with everything it hears with; loads the models."""
        ears = Ears(self.tagger, self.places, Emergency.load().tells)
        house = House(
            self.settings.zone,
            self.workdays,
            self.settings.smallest_panel,
            self.organisations,
            shipped_campaigns(),
        )
        return Reception(ears, self.catalogues, house, chance())

    def invite(self, role: Role, unit: str) -> str:
        """Make an invitation and return its code; only the code's keyed hash is kept."""
        code = "-".join(chance().letters(4) for _ in range(3))
        with self.store.write() as work:
            people.invite(work, code, role, unit, now() + INVITED_FOR)
        return code

    def bury(self, work: Work, letters: Sequence[object], reason: str) -> None:
        """Keep what nobody can make sense of, sealed, as dead letters for whoever mends it."""
        until = self.today() + timedelta(days=House.dead_days)
        for letter in letters:
            sealed = json.dumps(letter).encode()
            talks.bury(work, chance().letters(20), sealed, reason, until)

    def link(self, code: str) -> str:
        """The address that opens the web chat with an invitation."""
        return f"{self.settings.address}/?moi={code}"


def chance() -> Chance:
    """Codes that nobody can guess."""
    return Chance(
        lambda n: b32encode(secrets.token_bytes(n)).decode()[:n].lower(),
        lambda n: f"{secrets.randbelow(10**n):0{n}d}",
    )


def open_installation(settings: Settings) -> Installation:
    """Open an installation, or make it: folder, keys, schema, units. Raises WrongSetting."""
    keys = _keys(settings)
    seal = Seal(keys, lambda: Keys.read(settings.data_dir / "keys.json"))
    store = Store(settings.database, seal)
    migrate(store.engine)
    opened = Installation(
        settings,
        keys,
        store,
        _words(settings),
        Vault(settings.data_dir / "attachments", seal),
        Vault(settings.data_dir / "incoming", seal),
        _workdays(settings),
        _organisations(settings),
    )
    _plant_units(opened)
    return opened


def _keys(settings: Settings) -> Keys:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WrongSetting(f"DATA_DIR={folder}: cannot be made ({error.strerror})") from None
    path = folder / "keys.json"
    try:
        return Keys.read(path)
    except KeysMissing:
        if _used(settings):
            raise  # new keys would make every word in there unreadable for good
    except ValueError:
        raise WrongSetting(f"DATA_DIR: {path} is damaged; put its back-up there") from None
    made = Keys.new()
    made.write(path)
    return made


def _used(settings: Settings) -> bool:
    """Whether the database was used already, wherever it lies."""
    store = Store(settings.database, Seal(Keys.new()))
    try:
        with store.read() as work:
            return revision(work.connection) is not None
    finally:
        store.close()


def _words(settings: Settings) -> dict[Language, words.Words]:
    try:
        return words.load(*_word_folders(settings))
    except ValueError as slip:
        raise WrongSetting(f"WORDS_DIR={settings.words_dir}: {slip}") from None


def _workdays(settings: Settings) -> Workdays:
    try:
        holidays = read_holidays(settings.holidays_file or SHIPPED)
    except (OSError, ValueError) as error:
        raise WrongSetting(f"HOLIDAYS_FILE={settings.holidays_file}: {error}") from None
    return Workdays(settings.zone, settings.quiet_from, settings.quiet_until, holidays)


def _organisations(settings: Settings) -> tuple[Organisation, ...]:
    chosen = settings.organisations_file
    try:
        return read_organisations(chosen or ROOMS / "campaigns" / "organisations.toml")
    except (OSError, ValueError) as error:
        raise WrongSetting(f"ORGANISATIONS_FILE={chosen}: {error}") from None


def shipped_campaigns() -> tuple[Campaign, ...]:
    """The campaigns that come with the program."""
    files = sorted((ROOMS / "campaigns").glob("*.toml"))
    return tuple(read_campaign(each) for each in files if each.stem != "organisations")


def _word_folders(settings: Settings) -> tuple[Path, ...]:
    ours = (ROOMS / "handlers" / "catalogues", ROOMS / "scheduler" / "catalogues")
    theirs = settings.words_dir
    if theirs is None:
        return ours
    if not (theirs / "vi.toml").is_file() or not (theirs / "en.toml").is_file():
        raise WrongSetting(f"WORDS_DIR={theirs}: a folder with vi.toml and en.toml is expected")
    return (*ours, theirs)


def _plant_units(opened: Installation) -> None:
    chosen = opened.settings.units_file
    try:
        units = read_units(chosen or ROOMS / "storage" / "units.toml")
    except (OSError, ValueError) as error:
        raise WrongSetting(f"UNITS_FILE={chosen}: {error}") from None
    with opened.store.write() as work:
        if chosen is not None or not people.tree(work, opened.today()).units:
            people.set_units(work, units, opened.today())


def ensure_models(opened: Installation) -> None:
    """Train the models from the messages in the repository where there are none yet."""
    if not (opened.models / "places.json").is_file():
        log.info("training the tagger; this happens once and takes less than a minute")
        opened.models.mkdir(parents=True, exist_ok=True)
        train(opened.models)

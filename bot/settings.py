"""The settings of an installation, from the environment and `.env`, checked once at the start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
CODE = re.compile(r"[A-Za-z0-9_-]+")
LONGER_SECRETS = re.compile(r"[A-Za-z0-9_-]{8,256}(,[A-Za-z0-9_-]{8,256})*")
SECRETS = re.compile(r"[A-Za-z0-9_-]{1,256}(,[A-Za-z0-9_-]{1,256})*")


class WrongSetting(Exception):
    """A setting cannot be used: the message names the variable and says what is expected."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("a time zone such as Asia/Ho_Chi_Minh") from None
    return name


def _address(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("an address such as https://langnghe.example.vn, or nothing")
    return url.rstrip("/")


def _token(given: SecretStr) -> SecretStr:
    if given.get_secret_value() and not TOKEN.fullmatch(given.get_secret_value()):
        raise ValueError("a bot token such as 123456:ABC..., from @BotFather, or nothing")
    return given


def _secrets(given: SecretStr) -> SecretStr:
    if given.get_secret_value() and not SECRETS.fullmatch(given.get_secret_value()):
        raise ValueError(
            "1 to 256 letters, digits, _ or -; a second one behind a comma, or nothing"
        )
    return given


def _zalo_bot_token(given: SecretStr) -> SecretStr:
    if given.get_secret_value() and not TOKEN.fullmatch(given.get_secret_value()):
        raise ValueError("a bot token such as 123456:abc-xyz, from Zalo Bot Creator, or nothing")
    return given


def _longer_secrets(given: SecretStr) -> SecretStr:
    if given.get_secret_value() and not LONGER_SECRETS.fullmatch(given.get_secret_value()):
        raise ValueError(
            "8 to 256 letters, digits, _ or -; a second one behind a comma, or nothing"
        )
    return given


def _with_app(given: SecretStr, info: ValidationInfo) -> SecretStr:
    if info.data.get("zalo_oa_app_id") and not given.get_secret_value():
        raise ValueError("needed where ZALO_OA_APP_ID is set; developers.zalo.me shows it")
    return given


def _media_hosts(listed: str) -> str:
    from bot.downloading import read_hosts  # with it comes httpx; few set this

    read_hosts(listed)
    return listed


def _code(given: str) -> str:
    if given and not CODE.fullmatch(given):
        raise ValueError("the code between zalo_verifier and .html, or nothing")
    return given


class Settings(BaseSettings):
    """Every setting, with what holds where nothing is set. `.env.example` says what each is for."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("data")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    public_url: Annotated[str, AfterValidator(_address)] = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Ho_Chi_Minh"
    words_dir: Path | None = None
    units_file: Path | None = None
    digest_kind: Literal["month", "quarter", "half", "nine", "year"] = "month"
    digest_cut: Literal["1", "15"] = "1"
    digest_day: Annotated[int, Field(ge=1, le=28)] = 1
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 8
    quiet_from: Annotated[int, Field(ge=0, le=23)] = 21
    quiet_until: Annotated[int, Field(ge=0, le=23)] = 7
    meeting_day: Annotated[int, Field(ge=1, le=28)] = 25
    holidays_file: Path | None = None
    organisations_file: Path | None = None
    smallest_panel: Annotated[int, Field(ge=5)] = 10
    smallest_group: Annotated[int, Field(ge=5)] = 5
    learn_hour: Annotated[int, Field(ge=0, le=23)] = 3
    keep_days: Annotated[int, Field(ge=30, le=730)] = 730
    messages_per_minute: Annotated[int, Field(ge=0)] = 60
    telegram_token: Annotated[SecretStr, AfterValidator(_token)] = SecretStr("")
    telegram_api_url: Annotated[str, AfterValidator(_address)] = "https://api.telegram.org"
    telegram_webhook_secret: Annotated[SecretStr, AfterValidator(_secrets)] = SecretStr("")
    zalo_oa_app_id: Annotated[str, Field(pattern=r"^[0-9]*$")] = ""
    zalo_oa_app_secret: Annotated[
        SecretStr, Field(validate_default=True), AfterValidator(_with_app)
    ] = SecretStr("")
    zalo_oa_secret_key: Annotated[
        SecretStr, Field(validate_default=True), AfterValidator(_with_app)
    ] = SecretStr("")
    zalo_oa_id: Annotated[str, Field(pattern=r"^[0-9]*$")] = ""
    zalo_oa_signature: Literal["enforce", "log"] = "enforce"
    zalo_oa_buttons: bool = False
    zalo_oa_paid: bool = False
    zalo_oa_site_verification: Annotated[str, AfterValidator(_code)] = ""
    zalo_oa_silent_hours: Annotated[int, Field(ge=0)] = 14
    zalo_media_hosts: Annotated[
        str, Field(validate_default=False), AfterValidator(_media_hosts)
    ] = "zdn.vn,zadn.vn,zalo.me"
    zalo_oa_api_url: Annotated[str, AfterValidator(_address)] = "https://openapi.zalo.me"
    zalo_oauth_url: Annotated[str, AfterValidator(_address)] = "https://oauth.zaloapp.com"
    zalo_bot_token: Annotated[SecretStr, AfterValidator(_zalo_bot_token)] = SecretStr("")
    zalo_bot_api_url: Annotated[str, AfterValidator(_address)] = "https://bot-api.zaloplatforms.com"
    zalo_bot_webhook_secret: Annotated[SecretStr, AfterValidator(_longer_secrets)] = SecretStr("")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def database(self) -> str:
        """The database's address: the embedded one where none is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'langnghe.db'}"

    @property
    def address(self) -> str:
        """Where people reach the web chat."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets Telegram may call with; the first is the one it is told."""
        given = self.telegram_webhook_secret.get_secret_value()
        return tuple(given.split(",")) if given else ()

    @property
    def zalo_bot_secrets(self) -> tuple[str, ...]:
        """The secrets Zalo's Bot Platform may call with; the first is the one it is told."""
        given = self.zalo_bot_webhook_secret.get_secret_value()
        return tuple(given.split(",")) if given else ()

    @property
    def zone(self) -> ZoneInfo:
        """The zone of every date people see."""
        return ZoneInfo(self.timezone)


def load() -> Settings:
    """Read the settings. Raises WrongSetting with the name of the first one that does not do."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        secret = Settings.model_fields[name.lower()].annotation is SecretStr
        given = "(not shown)" if secret else first.get("input")
        raise WrongSetting(
            f"{name}={given}: {first['msg'].removeprefix('Value error, ')}"
        ) from None

"""The command line: `langnghe`, for those who run an installation."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from bot import settings
from bot.finding import Finding, Refused
from bot.installation import Installation, ensure_models, now, open_installation
from bot.settings import WrongSetting
from handlers.conversation import FORUM
from storage import people
from storage.migrating import NewerDatabase
from storage.sealing import KeysMissing
from storage.store import BadDatabase, StoreDown
from storage.vocabulary import ROLES, Role

app = typer.Typer(
    name="langnghe",
    help="Lắng Nghe: a chatbot that listens. Tips and opinions in, protected; a digest out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tagger = typer.Typer(help="The machine that suggests labels.", no_args_is_help=True)
case = typer.Typer(help="The cases that wait for an answer.", no_args_is_help=True)
keys = typer.Typer(help="The keys that seal what people wrote.", no_args_is_help=True)
telegram = typer.Typer(help="What Telegram knows of this bot.", no_args_is_help=True)
zalo = typer.Typer(help="The Zalo Official Account.", no_args_is_help=True)
zalobot = typer.Typer(help="What Zalo's Bot Platform knows of this bot.", no_args_is_help=True)
campaign = typer.Typer(help="Rounds of collaborators and officers.", no_args_is_help=True)
app.add_typer(tagger, name="tagger")
app.add_typer(telegram, name="telegram")
app.add_typer(zalo, name="zalo")
app.add_typer(zalobot, name="zalobot")
app.add_typer(case, name="case")
app.add_typer(keys, name="keys")
app.add_typer(campaign, name="campaign")

LESSONS = {
    "taken": "Learned from {count} corrected reports: the new model is better and in use.",
    "kept": "Tried {count} corrected reports: the new model is not better, the old one stays.",
    "nothing": "Nobody has corrected anything since the last lesson.",
    "failed": "The lesson failed; the log says why, and the old model stays.",
}

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line; what the operator can mend is said in one line, with exit code 2."""
    try:
        app()
    except WrongSetting as wrong:
        _stop(f"Wrong setting: {wrong}\nSee .env.example.")
    except BadDatabase as bad:
        _stop(f"Wrong setting: {bad}")
    except KeysMissing as missing:
        _stop(
            f"There is a database but no key file {missing}. Put its back-up there: without it "
            "nothing that people wrote can be read. To begin anew, name another DATA_DIR."
        )
    except NewerDatabase as newer:
        _stop(f"The database stands at step {newer}, newer than this program. Update the program.")
    except Refused as refused:
        _stop(f"{refused}.")
    except StoreDown as down:
        _stop(f"The database cannot be used: {down}. Check DATABASE_URL and DATA_DIR.")


def _stop(sentence: str) -> NoReturn:
    err.print(sentence, markup=False)
    sys.exit(2)


def _opened() -> Installation:
    chosen = settings.load()
    _log_to_standard_error(chosen.log_level)
    return open_installation(chosen)


def _log_to_standard_error(level: str) -> None:
    line = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.WARNING, format=line, stream=sys.stderr, force=True)
    logging.getLogger("telegram").setLevel(logging.CRITICAL)  # it tells at length what we handle
    for name in ("langnghe", "uvicorn.error"):
        logging.getLogger(name).setLevel(level.upper())


@app.command()
def run() -> None:
    """Serve web chat, clerk and clock. The first start makes everything it needs."""
    from bot.serving import serve

    opened = _opened()
    ensure_models(opened)
    out.print(f"Lắng Nghe: {opened.settings.address}", markup=False)
    _invite_first_administrator(opened)
    serve(opened)


def _invite_first_administrator(opened: Installation) -> None:
    with opened.store.write() as work:
        if people.enrolled(work, "administrator"):
            return
        people.revoke(work, "administrator")
        root = people.tree(work, opened.today()).root.id
    link = opened.link(opened.invite("administrator", root))
    out.print(f"First administrator, one use, 7 days: {link}", markup=False)


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema (`run` does it too)."""
    _opened()
    out.print("The database stands at this version's schema.")


@app.command()
def invite(
    role: Annotated[str, typer.Argument(help=", ".join(ROLES))],
    unit: Annotated[str, typer.Option(help="Id of the unit; `langnghe units` lists them.")],
) -> None:
    """Invite one person: prints a link and a code, good once, for 7 days."""
    if role not in ROLES:
        _stop(f"There is no role {role}. One of: {', '.join(ROLES)}")
    opened = _opened()
    _must_know(opened, unit)
    code = opened.invite(_role(role), unit)
    _print_ways_in(opened, code)
    out.print(f"Code: {code}", markup=False)


def _must_know(opened: Installation, unit: str) -> None:
    with opened.store.read() as work:
        known = people.tree(work, opened.today()).units
    if unit not in known:
        _stop(f"There is no unit {unit}. One of: {', '.join(known)}")


def _print_ways_in(opened: Installation, payload: str, qr: Path | None = None) -> None:
    from bot.poster import draw, ways_in

    links = ways_in(opened, payload)
    for channel, link in links.items():
        out.print(f"{'Link' if channel == 'web' else 'Telegram'}: {link}", markup=False)
    for path in draw(links, qr) if qr is not None else ():
        out.print(f"QR code: {path}", markup=False)


@app.command()
def forum(
    unit: Annotated[str, typer.Option(help="Id of the unit that holds it.")],
    qr: Annotated[Path | None, typer.Option(help="A name for PNG files with QR codes.")] = None,
) -> None:
    """Make the links of a unit's forum: who opens one gives an opinion to that unit."""
    opened = _opened()
    _must_know(opened, unit)
    _print_ways_in(opened, f"{FORUM}{unit}", qr)


def _role(name: str) -> Role:
    return next(role for role in ROLES if role == name)


@app.command()
def units() -> None:
    """List the units that stand today."""
    opened = _opened()
    with opened.store.read() as work:
        tree = people.tree(work, opened.today())
    listed = Table("id", "name", "under", "ward")
    for unit in tree.units.values():
        under = "(inspects)" if unit.inspects else unit.parent or ""
        listed.add_row(unit.id, unit.name, under, unit.ward or "")
    out.print(listed)


@app.command()
def wards(text: Annotated[str, typer.Argument(help="Part of a name, old or new.")]) -> None:
    """Find wards and their ids by part of their name, for the file of units."""
    from tagging.places import Places

    opened = _opened()
    ensure_models(opened)
    for ward in Places.load(opened.models).search(text, 10):
        out.print(f"{ward.id}\t{ward.name}, {ward.province}", markup=False)


@app.command()
def digest(
    period: Annotated[str, typer.Option(help="2026-10, 2026-Q4, 2026-H1, 2026-9M or 2026.")],
    unit: Annotated[str | None, typer.Option(help="Id of the unit; the highest if none.")] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="What to print.")] = "text",
    language: Annotated[Literal["vi", "en"], typer.Option(help="Of the text.")] = "vi",
    reached: Annotated[bool, typer.Option("--reached", help="Print who received it.")] = False,
) -> None:
    """Print the digest of a period; one that is over is frozen for good by the first to ask.

    With --reached: who it was sent to, by which channel it went, and whether it was received.
    """
    from bot.office import office_of
    from scheduler.edition import text
    from scheduler.likeness import gather
    from scheduler.periods import BadPeriod
    from scheduler.press import ask
    from scheduler.snapshot import thaw

    opened = _opened()
    ensure_models(opened)
    with opened.store.read() as work:
        tree = people.tree(work, opened.today())
    if unit is not None and unit not in tree.units:
        _stop(f"There is no unit {unit}. One of: {', '.join(tree.units)}")
    if reached:
        _print_recipients(opened, period, unit)
        return
    office = office_of(opened)
    gather(opened.store, most=sys.maxsize)
    try:
        made = ask(opened.store, unit or tree.root.id, period, now(), office)
    except BadPeriod as bad:
        _stop(str(bad))
    if format == "json":
        sys.stdout.buffer.write(made.snapshot + b"\n")
    else:
        words = opened.catalogues[language]
        sys.stdout.write(text(thaw(made.snapshot), words, office.taxonomy) + "\n")


def _print_recipients(opened: Installation, period: str, unit: str | None) -> None:
    from bot.reached import received
    from scheduler.periods import BadPeriod

    try:
        out.print(received(opened, period, unit))
    except BadPeriod as bad:
        _stop(str(bad))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON lines or CSV; .gz too. Column text, and if "
                                         "there: time, unit, channel.")],
    unit: Annotated[str | None, typer.Option(help="For lines without one.")] = None,
    time: Annotated[str | None, typer.Option(help="For lines without one: 2026-10-31.")] = None,
) -> None:  # fmt: skip
    """Bring in existing feedback; interrupt and repeat it as you like, nothing comes in twice."""
    from bot.importing import BadFile, bring_in

    opened = _opened()
    ensure_models(opened)
    try:
        result = bring_in(opened, file, unit, time, err)
    except BadFile as bad:
        _stop(str(bad))
    out.print(
        f"{result.new} new, {result.known} known already, {result.left_out} left out "
        f"(no text, or a unit or time that does not fit)."
    )


@app.command()
def doctor() -> None:
    """Say in plain words what works, what does not, and what to do about it."""
    from bot.doctor import examine

    _print_findings(examine())


def _print_findings(findings: Iterable[Finding]) -> NoReturn:
    sick = False
    for finding in findings:
        mark = "[green]ok  [/green]" if finding.fine else "[red]BAD [/red]"
        out.print(f"{mark} {finding.part}: ", end="")
        out.print(finding.sentence, markup=False)
        sick = sick or not finding.fine
    raise typer.Exit(1 if sick else 0)


@app.command()
def doubts(
    again: Annotated[str | None, typer.Option(help="Send this one again.")] = None,
    drop: Annotated[str | None, typer.Option(help="Let this one go.")] = None,
) -> None:
    """List messages that may have arrived: none is sent again unless you say so.

    Whoever one of them is for gets it with the next reply, told that they may know it.
    """
    from bot.sending import doubted, settle

    opened = _opened()
    for letter, resend in ((again, True), (drop, False)):
        if letter is not None and not settle(opened.store, letter, resend):
            _stop(f"There is no message {letter} in doubt.")
    out.print(doubted(opened.store))


@telegram.command("check")
def telegram_check() -> None:
    """Hold Telegram against the settings: token, webhook, what waits, commands, descriptions."""
    from bot.channels.telegram.office import check

    opened = _on_telegram()
    _print_findings(check(opened.settings, opened.catalogues))


@telegram.command("set")
def telegram_set() -> None:
    """Tell Telegram the webhook (or that we poll), the commands and the descriptions."""
    from bot.channels.telegram.office import check, introduce

    opened = _on_telegram()
    introduce(opened.settings, opened.catalogues)
    _print_findings(check(opened.settings, opened.catalogues))


@telegram.command("unset")
def telegram_unset() -> None:
    """Take the webhook and the commands back; what people sent stays with Telegram for a day."""
    from bot.channels.telegram.office import withdraw

    opened = _on_telegram()
    withdraw(opened.settings)
    out.print("Telegram calls nobody now, and shows no commands.")


def _on_telegram() -> Installation:
    opened = _opened()
    if not opened.settings.telegram_token.get_secret_value():
        raise WrongSetting("TELEGRAM_TOKEN is not set: ask @BotFather for a token")
    return opened


@zalo.command("connect")
def zalo_connect(
    refresh_token: Annotated[
        bool, typer.Option("--refresh-token", help="Ask for one of the console's API Explorer.")
    ] = False,
) -> None:
    """Connect the Official Account: its administrator agrees once, the rest renews itself."""
    from bot.channels.zalo import office

    opened = _on_zalo()
    if refresh_token:
        office.bring(opened, _secretly("Refresh token"))
    else:
        asked = office.consent(opened.settings)
        out.print("An administrator of the account opens this and agrees:", asked.url, markup=False)
        pasted = _secretly("The address you are led to then, or the code in it")
        code = office.code_in(pasted, asked, opened.settings.zalo_oa_id)
        office.connect(opened, code, asked.verifier)
    _print_findings(office.check(opened))


def _secretly(what: str) -> str:
    """What is typed at the terminal, not shown there; or a line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True))
    return sys.stdin.readline()


@zalo.command("check")
def zalo_check() -> None:
    """Hold Zalo against the settings: token, account, quota, webhook."""
    from bot.channels.zalo.office import check

    _print_findings(check(_on_zalo()))


def _on_zalo() -> Installation:
    opened = _opened()
    if not opened.settings.zalo_oa_app_id:
        raise WrongSetting("ZALO_OA_APP_ID is not set: developers.zalo.me shows it")
    return opened


@zalobot.command("check")
def zalobot_check() -> None:
    """Hold Zalo's Bot Platform against the settings: token, webhook, the plan's limits."""
    from bot.channels.zalobot.office import check

    _print_findings(check(_on_zalobot().settings))


@zalobot.command("set")
def zalobot_set() -> None:
    """Tell Zalo's Bot Platform the webhook, or that there is none; then check."""
    from bot.channels.zalobot.office import check, introduce

    opened = _on_zalobot()
    introduce(opened.settings)
    _print_findings(check(opened.settings))


@zalobot.command("unset")
def zalobot_unset() -> None:
    """Take the webhook back."""
    from bot.channels.zalobot.office import withdraw

    withdraw(_on_zalobot().settings)
    out.print("Zalo calls no webhook any more.")


def _on_zalobot() -> Installation:
    opened = _opened()
    if not opened.settings.zalo_bot_token.get_secret_value():
        raise WrongSetting("ZALO_BOT_TOKEN is not set: Zalo Bot Creator gives it")
    return opened


@app.command()
def tag() -> None:
    """Label JSON lines with `text` on standard input; the same lines come out, labelled."""
    from bot.labelling import label_lines

    chosen = settings.load()
    _log_to_standard_error("error")
    try:
        label_lines(chosen.data_dir / "models", sys.stdin.buffer, sys.stdout.buffer)
    except ValueError as wrong:
        _stop(str(wrong))


@tagger.command("train")
def tagger_train() -> None:
    """Train the models from the messages in the repository, in under a minute."""
    from tagging.training import train

    chosen = settings.load()
    _log_to_standard_error(chosen.log_level)
    folder = chosen.data_dir / "models"
    folder.mkdir(parents=True, exist_ok=True)
    out.print(str(train(folder)), markup=False)


@tagger.command("evaluate")
def tagger_evaluate(
    bare: Annotated[bool, typer.Option(help="Take the diacritics off first.")] = False,
) -> None:
    """Judge the models by the held-out messages, which another hand wrote."""
    from bot.labelling import judged

    chosen = settings.load()
    out.print(judged(chosen.data_dir / "models", bare), markup=False)


@tagger.command("learn")
def tagger_learn() -> None:
    """Learn now from what people corrected, as each night does; takes a model only if better."""
    from bot.labelling import taught

    opened = _opened()
    ensure_models(opened)
    lesson = taught(opened)
    out.print(LESSONS[lesson.state].format(count=lesson.texts))


@tagger.command("rollback")
def tagger_rollback() -> None:
    """Go back to the model that was in use before; a second time undoes the first."""
    from bot.labelling import rolled_back
    from tagging.model import BrokenModel, NoModel

    try:
        rolled_back(_opened())
    except (NoModel, BrokenModel):
        _stop("There is no model from before.")
    out.print("The model from before is in use; running programs pick it up within a minute.")


@tagger.command("history")
def tagger_history() -> None:
    """List what the tagger learned from corrections, and whether it was better for it."""
    from bot.labelling import history

    out.print(history(_opened()))


@case.command("list")
def case_list(
    unit: Annotated[str | None, typer.Option(help="With all units under it.")] = None,
) -> None:
    """List the cases that wait for an answer, oldest first, without their words."""
    from bot.desk import waiting_cases

    out.print(waiting_cases(_opened(), unit))


@case.command("show")
def case_show(alias: str) -> None:
    """Print one case with its words, for the officer in charge."""
    from bot.desk import NoSuchCase, full_case

    try:
        out.print(full_case(_opened(), alias), markup=False)
    except NoSuchCase:
        _stop(f"There is no case {alias}.")


@case.command("alike")
def case_alike(alias: str) -> None:
    """List what others told in nearly the same words, of the same topic, place and week."""
    from bot.desk import NoSuchCase, alike_cases

    try:
        out.print(alike_cases(_opened(), alias))
    except NoSuchCase:
        _stop(f"There is no case {alias}.")


@case.command("label")
def case_label(
    alias: str,
    topic: Annotated[str | None, typer.Option(help="As in tagging/taxonomy.toml.")] = None,
    sentiment: Annotated[str | None, typer.Option(help="praise, neutral, criticism.")] = None,
    urgency: Annotated[str | None, typer.Option(help="emergency, pressing, routine.")] = None,
) -> None:
    """Correct or confirm the machine's labels: these count, and the machine learns from them."""
    from bot.desk import NoSuchCase, label

    wanted = {"topic": topic, "sentiment": sentiment, "urgency": urgency}
    try:
        given = label(_opened(), alias, wanted)
    except NoSuchCase:
        _stop(f"There is no case {alias}.")
    except ValueError as wrong:
        _stop(str(wrong))
    out.print(f"{alias}: {', '.join(given.values())}", markup=False)


@case.command("file")
def case_file(
    alias: str,
    number: Annotated[int, typer.Argument(help="As `case show` numbers the files.")],
    to: Annotated[Path, typer.Option(help="Where to write it; nothing is overwritten.")],
) -> None:
    """Write one file of a case to disk, for the officer in charge."""
    from bot.desk import NoSuchCase, file_of

    try:
        content = file_of(_opened(), alias, number)
    except NoSuchCase:
        _stop(f"There is no case {alias}.")
    except LookupError:
        _stop(f"{alias} has no file {number} that was kept; `case show {alias}` lists them.")
    try:
        with to.open("xb") as out_file:
            out_file.write(content)
    except OSError as error:
        _stop(f"{to}: {error.strerror}")


@case.command("answer")
def case_answer(
    alias: str,
    state: Annotated[str, typer.Option(help="answered, checking, passed, sorting or closed.")] = (
        "answered"
    ),
) -> None:
    """Answer a case with the text on standard input; a sender who asked to be told is told."""
    from bot.desk import NoSuchCase, answer

    text = sys.stdin.read().strip()
    try:
        answer(_opened(), alias, text, state)
    except NoSuchCase:
        _stop(f"There is no case {alias}.")
    except ValueError as wrong:
        _stop(str(wrong))
    out.print(f"{alias}: {state}", markup=False)


@campaign.command("check")
def campaign_check(
    file: Annotated[str, typer.Argument(help="A TOML file, or a name of ours.")],
) -> None:
    """Say whether a campaign file is good, or which line is not and why."""
    from bot.campaigns import checked
    from storage.campaign_file import BadCampaign

    try:
        found = checked(_opened(), file)
    except BadCampaign as bad:
        _stop(str(bad))
    out.print(f"{found.id}: {len(found.question)} questions, {found.when}", markup=False)


@campaign.command("add")
def campaign_add(
    file: Annotated[str, typer.Argument(help="A TOML file, or a name of ours.")],
) -> None:
    """Put a campaign in force; one that was answered already is not changed any more."""
    from bot.campaigns import put_in_force
    from storage.campaign_file import BadCampaign
    from storage.rounds import Fixed

    try:
        found = put_in_force(_opened(), file)
    except BadCampaign as bad:
        _stop(str(bad))
    except Fixed as fixed:
        _stop(f"{fixed} has been answered or has ended, so it stays as it is: use another id.")
    out.print(f"{found.id} is in force: {found.when}", markup=False)


@campaign.command("end")
def campaign_end(id: str) -> None:
    """End a campaign: no more rounds; one that is open takes no more answers and is counted."""
    from bot.campaigns import end

    if not end(_opened(), id):
        _stop(f"There is no campaign {id}; `campaign list` shows them.")
    out.print(f"{id} has ended.", markup=False)


@campaign.command("list")
def campaign_list() -> None:
    """List the campaigns and their newest rounds."""
    from bot.campaigns import listed

    out.print(listed(_opened()), markup=False)


@campaign.command("result")
def campaign_result(
    round: Annotated[str, typer.Argument(help="Id of a round that is over.")],
    unit: Annotated[str | None, typer.Option(help="Id of the unit; the highest if none.")] = None,
    language: Annotated[Literal["vi", "en"], typer.Option(help="Of the text.")] = "vi",
) -> None:
    """Print what may be shown of a round for a unit; the first to ask freezes it for good."""
    from bot.campaigns import NoSuchRound, result

    opened = _opened()
    ensure_models(opened)
    try:
        out.print(result(opened, round, unit, language), markup=False)
    except NoSuchRound:
        _stop(f"There is no round {round} that is over; `campaign list` shows them.")


@campaign.command("reached")
def campaign_reached(round: Annotated[str, typer.Argument(help="Id of a round.")]) -> None:
    """Count by unit whom a round's call has not gone to; never who, nor who answered."""
    from bot.reached import NoSuchRound, called

    try:
        out.print(called(_opened(), round))
    except NoSuchRound:
        _stop(f"There is no round {round}; `campaign list` shows them.")


@campaign.command("attendance")
def campaign_attendance(
    unit: Annotated[str | None, typer.Option(help="With all units under it.")] = None,
    months: Annotated[int, typer.Option(help="How far back.", min=1, max=36)] = 12,
    language: Annotated[Literal["vi", "en"], typer.Option(help="Of the text.")] = "vi",
) -> None:
    """Print how many of each unit were asked and answered; never what."""
    from bot.campaigns import attendance

    opened = _opened()
    with opened.store.read() as work:
        known = people.tree(work, opened.today()).units
    if unit is not None and unit not in known:
        _stop(f"There is no unit {unit}. One of: {', '.join(known)}")
    out.print(attendance(opened, unit, months, language), markup=False)


@keys.command("rotate")
def keys_rotate() -> None:
    """Put a new sealing key in front; what is sealed from the next start on uses it."""
    opened = _opened()
    opened.keys.rotated().write(opened.settings.data_dir / "keys.json")
    out.print("A new key is in use from the next start; older ones still open what they sealed.")

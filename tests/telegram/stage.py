"""Transcripts on Telegram: what is said in one becomes what a user of the app does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from storage.vocabulary import FileAt, Message, Option, Pressed, Said
from tests.server import Server
from tests.staging import Contents, LiveStage
from tests.telegram import people
from tests.telegram.double import BotApi
from tests.telegram.people import Heard
from tests.telegram.texts import units

CHANNEL = "telegram"
LONGEST_DATA = 64  # bytes
LONGEST_TEXT = 4096  # UTF-16 units


def telegram_stage(server: Server, api: BotApi, seconds: float = 20) -> LiveStage:
    """A started program and the people who talk to it through the double."""
    return LiveStage(server, api, CHANNEL, do, message_of, seconds)


def callback_data(pressed: Pressed) -> str:
    """What the button of an option carries: question and option, shortened where too long."""
    data = f"{pressed.question}|{Option(pressed.option, '').code}"
    assert len(data.encode()) <= LONGEST_DATA, data
    return data


def message_of(heard: Heard) -> Message:
    """What was heard as the program's own word for it; without buttons its question is unknown."""
    parts = [(b.label, *(b.data or "").partition("|")) for b in heard.buttons if b.data]
    choices = tuple(Option(option, label) for label, _, _, option in parts)
    question = parts[0][1] if parts else None
    return Message(heard.text, question, choices, picture="sent" if heard.photo else None)


def do(said: Said, person: people.Person, contents: Contents) -> None:
    """Do in the app what says this."""
    if said.pressed is not None:
        _press(said.pressed, person)
    elif said.place is not None:
        person.location(said.place.lat, said.place.lon)
    elif said.files:
        _send(said.files, person, contents)
    elif said.start is not None:
        person.start(said.start)
    elif units(said.text or "") > LONGEST_TEXT:
        person.long(said.text or "")
    else:
        person.say(said.text or "")


def _press(pressed: Pressed, person: people.Person) -> None:
    """Press the newest button of this option; one that is gone on some message of before."""
    datas = {f"{pressed.question}|{pressed.option}", callback_data(pressed)}
    chat = person.chat()
    for heard in reversed(chat):
        for button in heard.buttons:
            if button.data in datas:
                person.press_data(heard.message_id, button.data)
                return
    person.press_data(chat[-1].message_id if chat else 1, callback_data(pressed))


def _send(files: Sequence[FileAt], person: people.Person, contents: Contents) -> None:
    ways: dict[str, Callable[[bytes], object]] = {
        "photo": person.photo,
        "voice": person.voice,
        "video": person.video,
        "audio": person.audio,
    }
    sent = [contents[file.locator] for file in files]
    if len(files) > 1 and {file.kind for file in files} == {"photo"}:
        person.album(sent)
        return
    for file, content in zip(files, sent, strict=True):
        ways.get(file.kind, person.document)(content)

"""Transcripts on Zalo: what is said in one becomes what a user of the app does on each surface."""

from __future__ import annotations

from collections.abc import Callable

from bot.splitting import units
from storage.prompting import ROUND
from storage.vocabulary import Message, Option, Said
from tests.server import Server, a_file
from tests.staging import Contents, LiveStage
from tests.zalo.double import Double
from tests.zalo.people import APP_LIMIT, Heard, Person

HANDED_OUT = ("MÃ HỒ SƠ CỦA", "YOUR RECEIPT")  # what stands above a receipt that is new
OFFERED = "offered"  # the question of what is chosen by saying something; Zalo knows no other
PROMPT = f"{ROUND}any"
# A prompt offers no number, since it may come between a question and its answer.
COMMANDS = (("/traloi", "Trả lời"), ("/answer", "Answer"))
# A frame of silence as Zalo's voices are: AAC-LC, 16 kHz, one channel, in ADTS.
FRAME = bytes.fromhex("fff1604001bffc00c800802380")


def zalo_stage(server: Server, double: Double, channel: str, seconds: float = 20) -> LiveStage:
    """A started program and the people who talk to it through the double of a surface."""
    return LiveStage(server, double, channel, do, message_of, seconds, made)


def message_of(heard: Heard) -> Message:
    """What was heard as the program's own word for it; choosing an option says its id."""
    offered = tuple(Option(each.says, each.label) for each in heard.choices)
    prompts = tuple(Option(says, label) for says, label in COMMANDS if says in heard.text)
    question = OFFERED if offered else PROMPT if prompts else None
    if any(words in heard.text for words in HANDED_OUT):
        question = "saved"
    picture = "sent" if heard.photo else None
    return Message(heard.text, question, (*offered, *prompts), picture=picture)


def do(said: Said, person: Person, contents: Contents) -> None:
    """Do in the app what says this. Raises AssertionError for what no app can do."""
    if said.pressed is not None:
        assert said.pressed.question in (OFFERED, PROMPT, "saved"), "there are no old buttons here"
        person.say(said.pressed.option)
    elif said.place is not None:
        person.location(said.place.lat, said.place.lon)
    elif said.files:
        for file in said.files:
            _WAYS[file.kind](person, contents[file.locator])
    elif said.start is not None:
        person.start(said.start)
    elif units(said.text or "") > APP_LIMIT:
        person.long(said.text or "")
    else:
        person.say(said.text or "")


_WAYS: dict[str, Callable[[Person, bytes], object]] = {
    "photo": Person.photo,
    "voice": Person.voice,
    "video": Person.video,
    "document": Person.document,
}


def made(kind: str, number: int) -> bytes:
    """A small real file as people have them on Zalo: voices are AAC there."""
    return FRAME * (16 + number) if kind == "voice" else a_file(kind, number)

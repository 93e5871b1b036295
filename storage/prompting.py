"""The words by which a round calls for an answer: by the clock, or at the end of another talk."""

from __future__ import annotations

from datetime import datetime, tzinfo

from storage.campaign import Campaign
from storage.vocabulary import Language, Message, Option
from storage.words import Words

ROUND = "round:"  # what the question of a prompt begins with; the id of the round follows
ANSWER = "answer"


def prompt(
    words: Words,
    campaign: Campaign,
    round: str,
    closes: datetime,
    zone: tzinfo | None,
    number: int = 0,
) -> Message:
    """A prompt, or the reminder of a number; it replaces an earlier one that still waits."""
    language: Language = words.language
    text = words(
        "prompt.reminder" if number else "prompt.call",
        title=campaign.say(campaign.title, language),
        closes=f"{closes.astimezone(zone):%d/%m/%Y}",
    )
    return Message(text, ROUND + round, (Option(ANSWER, words("prompt.answer")),))


def round_in(question: str) -> str | None:
    """The round whose prompt a button belongs to, if it belongs to one."""
    return question.removeprefix(ROUND) if question.startswith(ROUND) else None

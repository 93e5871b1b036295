"""One event of one person: what it means where the talk stands, what comes of it, what is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from handlers.asking import due_prompts
from handlers.commands import Command, Commands
from handlers.dialogue import About, Begin, Desk, Dialogue, Outcome, Settled, dialogues
from handlers.linking import code_in
from handlers.questions import Partly, Question, Retake, Unclear, receipt_in
from handlers.reading import number_in
from handlers.replay import Turn, play
from handlers.scene import Scene
from handlers.talk import Running, Talk
from storage import attachments
from storage.prompting import ROUND, prompt, round_in
from storage.vocabulary import Message, Role, Said
from storage.words import Words

INVITATION = re.compile(r"[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}", re.IGNORECASE)
FORUM = "gopy-"  # what a link of a unit's forum begins with; the unit's id follows
SHORTEST_STORY = 12  # characters; what is shorter is a greeting, and gets the menu


class Conversation:
    """Hears one thing from one person. `replies` holds what is said back."""

    def __init__(
        self,
        desk: Desk,
        talk: Talk,
        commands: Commands,
        files: tuple[str, ...] = (),
        ref: str = "",
    ) -> None:
        self.desk, self.talk = desk, talk
        self._commands, self._files, self._ref = commands, files, ref
        self.replies: list[Message] = []
        self.answered: list[str] = []
        self.took_files = False
        self.settled = False
        self.wishes = False
        self.forgotten = False

    @property
    def words(self) -> Words:
        """The catalogue of the person's language."""
        return self.desk.words

    @property
    def role(self) -> Role:
        """What the person is here."""
        return self.desk.member.role if self.desk.member else "citizen"

    def hear(self, said: Said, too_large: int = 0) -> None:
        """Understand one thing said, and answer it; files that no answer holds any more go.

        `too_large`: how many files came with it that are more than is taken.
        """
        held, busy = self._held(), self.busy
        self.replies += [self.desk.tell(remark) for remark in self.talk.remarks]
        self.talk.remarks = []
        if too_large:
            most = attachments.LARGEST // 2**20
            self.replies.append(self.desk.tell("files.too_large", count=too_large, most=most))
        if too_large and not said.files and not said.text:
            self._repeat()
        else:
            self._understand(said)
        attachments.drop(self.desk.work, sorted(held - self._held()))
        if busy and not self.busy and not self.forgotten:
            self._call()

    def hand_over(self, until: datetime) -> None:
        """One of ours speaks with the person: what runs is set aside, and the bot is quiet."""
        held = self._held()
        self._set_aside()
        self.talk.staff = until.isoformat()
        attachments.drop(self.desk.work, sorted(held - self._held()))

    def stay_quiet(self, said: Said) -> None:
        """Hear what is meant for one of ours: nothing comes of it, but danger is still told of."""
        self._warn(said.text or "")

    @property
    def busy(self) -> bool:
        """Whether the person is in the middle of something that gives way to nothing else."""
        running = self.talk.running
        return running is not None and not self._dialogue(running).yields

    def _call(self) -> None:
        """Tell of the rounds that came due while something else was going on."""
        zone = self.desk.house.zone
        if not self.desk.house.workdays.calls(self.desk.now):
            return  # the clock tells when people may be called again
        for round, campaign in due_prompts(self.desk):
            self.replies.append(prompt(self.words, campaign, round.id, round.closes, zone))

    def _held(self) -> set[str]:
        talks = (self.talk.running, self.talk.aside)
        return set() if self.forgotten else {f for talk in talks if talk for f in talk.files()}

    def _understand(self, said: Said) -> None:
        command = self._commands.read(said.text) if said.text and not said.files else None
        called = round_in(said.pressed.question) if said.pressed else None
        if said.edits is not None:
            self._amend(said)
        elif said.unread:
            self._again("unclear.kind")
        elif said.start is not None:
            self._start(said.start)
        elif called is not None:
            self._respond(called)
        elif command is not None and not self._is_an_option(said):
            self._obey(command)
        else:
            self._warn(said.text or "")
            if self.talk.running is None:
                self._first_words(said)
            else:
                self._answer(said, self.talk.running)

    def _is_an_option(self, said: Said) -> bool:
        """Whether the open question offers the very words that are a command elsewhere."""
        running = self.talk.running
        if running is None or (said.text or "").startswith("/"):
            return False
        turn = self._turn(running)
        asking = turn.asking
        return bool(asking and asking.pressed(said, self._scene(running, turn, asking)))

    def _warn(self, text: str) -> None:
        # Whatever was asked, somebody in danger sees the numbers before anything else.
        if text and self.desk.ears.danger(text):
            self.replies.append(self.desk.tell("emergency.now"))

    def _respond(self, round: str) -> None:
        self.answered.append(ROUND + round)  # so the prompt was read
        running = self.talk.running
        if (
            running is not None
            and running.name == "respond"
            and running.given.get("round") == round
        ):
            self._ask()  # tapped twice
        else:
            self._begin(Begin("respond", {"round": round}))

    # -- steering -------------------------------------------------------------------------------

    def _obey(self, command: Command) -> None:
        steering: dict[str, Callable[[], None]] = {
            "start": lambda: self._start(command.rest) if command.rest else self._menu(),
            "menu": self._menu,
            "cancel": self._cancel,
            "resume": self._resume,
            "back": self._back,
            "unknown": lambda: self._again("unclear.command"),
        }
        steer = steering.get(command.name)
        self._warn(command.rest)
        if steer is not None:
            steer()
        elif command.rest:
            # What stands behind the command is its first words: a code, a language, a story.
            given, story = {"typed": command.rest}, {"what": [command.rest, []]}
            self._begin(Begin(command.name, given, story))
        else:
            self._begin(Begin(command.name))

    def _start(self, payload: str) -> None:
        code = payload.strip().lower()
        forum = code.removeprefix(FORUM) if code.startswith(FORUM) else None
        if forum in self.desk.tree().units:
            self._begin(Begin("opinion", {"forum": forum}))
        elif INVITATION.fullmatch(code):
            self._begin(Begin("enrol", {"code": code}))
        elif code_in(code):
            self._begin(Begin("link", {"code": code}))
        elif self.talk.running is not None:
            self._ask()  # a page opened again, an old link tapped: the talk goes on where it was
        else:
            self._menu()

    def _menu(self) -> None:
        self._begin(Begin("menu" if self.talk.welcomed else "welcome"))
        if self.talk.aside is not None:
            self.replies.append(self.desk.tell("talk.aside"))

    def _cancel(self) -> None:
        running = self.talk.running
        if running is None or self._dialogue(running).yields:
            self._again("talk.nothing_runs")
        elif self._dialogue(running).stored:
            self._again("talk.stored")
        else:
            self.talk.running = None
            self.replies.append(self.desk.tell("talk.cancelled"))

    def _resume(self) -> None:
        aside, self.talk.aside = self.talk.aside, None
        if aside is not None:
            self._set_aside()
            self.talk.running = aside
            self._ask()
        elif self.talk.running is not None:
            self._ask()
        else:
            self._again("talk.nothing_waits")

    def _back(self) -> None:
        running = self.talk.running
        path = self._turn(running).path if running else ()
        answered = [question.key for question, _ in path]
        if running is None:
            self._again("talk.nothing_runs")
        elif not answered:
            self._again("talk.first_question")
        else:
            self._drop_answer(running, answered[-1])
            self._ask()

    def _again(self, why: str, **values: object) -> None:
        self.replies.append(self.desk.tell(why, **values))
        self._repeat()

    def _repeat(self) -> None:
        if self.talk.running is not None:
            self._ask()
        else:
            self._menu()

    # -- answering ------------------------------------------------------------------------------

    def _answer(self, said: Said, running: Running) -> None:
        turn = self._turn(running)
        question = turn.asking
        if question is None:  # a newer version asks no more than was answered
            self._ask()
        elif self._is_for_another(said, question, self._scene(running, turn, question)):
            self._again("unclear.stale")
        elif said.files and not question.takes_files:
            if self._dialogue(running).yields:
                self._first_words(said)
            else:
                self._again("files.not_now")
        else:
            reading = question.read(said, self._scene(running, turn, question))
            if isinstance(reading, Unclear) and self._says_something_else(said, running):
                self._first_words(said)
            else:
                self._take(question, reading, running)

    @staticmethod
    def _is_for_another(said: Said, question: Question[Any], scene: Scene) -> bool:
        """Whether a button, or a number or label where there are none, was of an older question."""
        if said.pressed is not None:
            return said.pressed.question != question.key
        if said.to in (None, question.key) or said.files or not said.text:
            return False
        is_number = number_in(said.text, scene.words) is not None
        return is_number or question.pressed(said, scene) is not None

    def _says_something_else(self, said: Said, running: Running) -> bool:
        text = (said.text or "").strip()
        code = receipt_in(text) or INVITATION.fullmatch(text)
        return bool(code) or (self._dialogue(running).yields and len(text) >= SHORTEST_STORY)

    def _take(self, question: Question[Any], reading: Any, running: Running) -> None:
        if isinstance(reading, Unclear):
            self._again(reading.why, **dict(reading.values))
            return
        self.took_files = bool(self._files)
        if isinstance(reading, Partly):
            running.so_far[question.key] = reading.so_far
        elif isinstance(reading, Retake):
            self._drop_answer(running, reading.key)
        else:
            self._keep(question, reading, running)
        self._ask()

    def _keep(self, question: Question[Any], reading: Any, running: Running) -> None:
        self.answered.append(question.key)
        running.answers[question.key] = question.keep(reading)
        running.so_far.pop(question.key, None)
        running.refs.pop(question.key, None)
        if self._ref:
            running.refs[question.key] = self._ref

    def _amend(self, said: Said) -> None:
        """A message was edited: the answer it gave in the running talk changes with it."""
        running = self.talk.running
        path = self._turn(running).path if running else ()
        for question, answer in path:
            if running and running.refs.get(question.key) == said.edits:
                self._ref = said.edits or ""
                self._change(question, answer, said, running)
                return
        self._warn(said.text or "")
        self._again("edit.late")

    def _change(self, question: Question[Any], answer: Any, said: Said, running: Running) -> None:
        running.so_far[question.key] = question.before(answer)
        turn = self._turn(running)
        self._warn(said.text or "")
        reading = question.read(replace(said, edits=None), self._scene(running, turn, question))
        running.so_far.pop(question.key, None)
        if isinstance(reading, Unclear):
            self._again(reading.why, **dict(reading.values))
        elif isinstance(reading, Partly):
            self._drop_answer(running, question.key)
            running.so_far[question.key] = reading.so_far
            self._ask()
        else:
            self._keep(question, reading, running)
            self._again("edit.done")

    @staticmethod
    def _drop_answer(running: Running, key: str) -> None:
        running.answers.pop(key, None)
        running.so_far.pop(key, None)

    def _first_words(self, said: Said) -> None:
        text = (said.text or "").strip()
        receipt = receipt_in(text)
        if receipt:
            self._begin(Begin("lookup", answers={"receipt": receipt}))
        elif INVITATION.fullmatch(text):
            self._start(text)
        elif said.pressed is not None:
            self._again("unclear.stale")
        elif len(text) < SHORTEST_STORY and not self._files:
            self._menu()
        else:
            self.took_files = bool(self._files)
            self._begin(Begin("sorting", {"text": text, "files": list(self._files)}))

    # -- playing --------------------------------------------------------------------------------

    def _begin(self, begin: Begin) -> None:
        dialogue = dialogues().get(begin.name)
        if dialogue is None or not dialogue.open_to(self.role):
            self._again("talk.not_open")
        elif not (self.talk.welcomed or dialogue.before_consent):
            then = {"name": begin.name, "given": dict(begin.given), "answers": dict(begin.answers)}
            self._begin(Begin("welcome", {"then": then}))
        else:
            self._set_aside()
            self.talk.running = Running(begin.name, dict(begin.given), dict(begin.answers))
            self._ask()

    def _set_aside(self) -> None:
        running, self.talk.running = self.talk.running, None
        if running is None:
            return
        if self._dialogue(running).resumable and (running.answers or running.given):
            self.talk.aside = running

    def _ask(self) -> None:
        running = self.talk.running
        if running is None:
            return
        turn = self._turn(running)
        if turn.asking is not None:
            self.replies.append(turn.asking.message(self._scene(running, turn, turn.asking)))
        elif turn.outcome is not None:
            self._settle(turn.outcome)

    def _settle(self, outcome: Outcome) -> None:
        settled: Settled = outcome.settle(self.desk)
        ended, self.talk.running = self.talk.running, None
        self.settled = True
        self.wishes |= settled.wishes
        if settled.language is not None:
            self._speak(settled.language)
        if settled.welcomed is not None:
            self.talk.welcomed = settled.welcomed
        self.replies += settled.say
        if settled.forget:
            self.forgotten = True
        elif settled.next is not None:
            carried = ended.answers if ended and settled.next.carries else {}
            self._begin(replace(settled.next, answers={**carried, **settled.next.answers}))

    def _speak(self, language: Any) -> None:
        self.talk.language = language
        self.desk = replace(self.desk, words=self.desk.catalogues[language])

    def _turn(self, running: Running) -> Turn[Outcome]:
        dialogue = self._dialogue(running)
        about = About(self.role, self.talk.language, running.given)
        return play(dialogue.script, about, running.answers)

    def _dialogue(self, running: Running) -> Dialogue:
        # A dialogue that a newer version no longer has ends in the menu.
        return dialogues().get(running.name) or dialogues()["menu"]

    def _scene(self, running: Running, turn: Turn[Outcome], question: Question[Any]) -> Scene:
        return Scene(
            self.words,
            self.desk.ears.places,
            self.desk.tree,
            running.so_far.get(question.key),
            self._files if question.takes_files else (),
            turn.path,
        )

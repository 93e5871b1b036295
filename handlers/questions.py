"""The kinds of question a dialogue can ask; each turns what was said into a typed answer."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from handlers.numbering import how_to_answer
from handlers.reading import chosen, is_way, number_in, plain
from handlers.scene import Scene, Ward
from storage.vocabulary import Asks, Message, Option, Said

T = TypeVar("T")
KIND_WORDS = frozenset(
    ("p", "x", "q", "h", "tp", "tx", "tt", "phuong", "xa", "quan", "huyen", "thi", "tran")
) | {"thanh", "pho", "tinh"}
MOST_WARDS = 5  # to choose from; more do not fit a phone
LONGEST_STORY = 8000  # characters; about three pages, more comes as a file or in parts


class Gone(Exception):
    """An answer kept from before fits its question no longer: ask anew."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What was said is no answer; the catalogue key of the sentence that helps."""

    why: str
    values: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Partly:
    """A part of the answer was heard; the question stands, and this is remembered for it."""

    so_far: Any


@dataclass(frozen=True, slots=True)
class Retake:
    """The person wants to answer another question again."""

    key: str


class Question(Generic[T]):
    """Something a dialogue asks. `ask` is the catalogue section of its words."""

    asks: ClassVar[Asks | None] = "text"
    takes_files: ClassVar[bool] = False

    def __init__(self, key: str, ask: str, **values: object) -> None:
        self.key, self.ask, self.values = key, ask, values

    def __await__(self) -> Generator[Question[T], T, T]:
        return (yield self)

    def message(self, scene: Scene) -> Message:
        """How the question is put."""
        options = self.options(scene)
        return Message(
            self.text(scene),
            self.key,
            options,
            asks=type(self).asks,
            by_number=self.by_number(options, scene),
        )

    def by_number(self, options: Sequence[Option], scene: Scene) -> str:
        """What asks for a number where there are no buttons; nothing where the text does."""
        return how_to_answer(options, scene.words, type(self).asks is not None)

    def text(self, scene: Scene) -> str:
        """The words of the question."""
        return scene.words(f"{self.ask}.ask", **self.values)

    def options(self, scene: Scene) -> tuple[Option, ...]:
        """The answers it offers; none where one simply types."""
        return ()

    def read(self, said: Said, scene: Scene) -> T | Unclear | Partly | Retake:
        """The answer in what was said, or why there is none."""
        raise NotImplementedError(type(self).__name__)  # every kind says how it reads

    def keep(self, answer: T) -> Any:
        """The answer as it is stored: plain JSON."""
        return answer

    def recall(self, kept: Any) -> T:
        """The answer out of its stored form. Raises Gone when it fits no longer."""
        answer: T = kept
        return answer

    def show(self, answer: T, scene: Scene) -> str:
        """The answer as it stands in a summary."""
        return str(answer)

    def before(self, answer: T) -> Any:
        """What of an answer stays heard when the words that gave it are edited."""
        return None

    def name(self, scene: Scene) -> str | None:
        """What a summary calls it; None where it does not stand in one."""
        return _known(f"{self.ask}.name", scene)

    def edit(self, scene: Scene) -> str | None:
        """The label of the button that asks it again; None where there is no such button."""
        return _known(f"{self.ask}.edit", scene)

    def pressed(self, said: Said, scene: Scene) -> str | None:
        """The option somebody pressed or typed, if it is one of those offered."""
        options = self.options(scene)
        if said.pressed is not None:
            given = said.pressed.option
            return next((o.id for o in options if given in (o.id, o.code)), None)
        return chosen(said.text, options, scene.words) if said.text else None


def _known(key: str, scene: Scene) -> str | None:
    return scene.words(key) if scene.words.knows(key) else None


class Choice(Question[str]):
    """One of a list; the answer is the option's id."""

    asks: ClassVar[Asks | None] = None

    def __init__(self, key: str, ask: str, options: Sequence[str], **values: object) -> None:
        super().__init__(key, ask, **values)
        self.ids = tuple(options)

    def options(self, scene: Scene) -> tuple[Option, ...]:
        return tuple(Option(one, scene.words(f"{self.ask}.{one}")) for one in self.ids)

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        return self.pressed(said, scene) or Unclear("unclear.choice")

    def recall(self, kept: Any) -> str:
        if kept not in self.ids:
            raise Gone(self.key)
        return str(kept)

    def show(self, answer: str, scene: Scene) -> str:
        return scene.words(f"{self.ask}.{answer}")


class Labelled(Question[str]):
    """One of a list that is no catalogue's: the ids with what people read."""

    asks: ClassVar[Asks | None] = None

    def __init__(
        self, key: str, ask: str, listed: Sequence[Sequence[str]], **values: object
    ) -> None:
        super().__init__(key, ask, **values)
        self.listed = listed

    def options(self, scene: Scene) -> tuple[Option, ...]:
        return tuple(Option(one, label) for one, label in self.listed)

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        return self.pressed(said, scene) or Unclear("unclear.choice")

    def recall(self, kept: Any) -> str:
        if kept not in [one for one, _ in self.listed]:
            raise Gone(self.key)
        return str(kept)

    def show(self, answer: str, scene: Scene) -> str:
        return next((label for one, label in self.listed if one == answer), answer)


class ChoiceOrWords(Choice):
    """One of a list, or one's own words where none fits."""

    asks: ClassVar[Asks | None] = "text"
    longest: ClassVar[int] = 300  # characters; it is a detail, not a story

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        option = self.pressed(said, scene)
        if option:
            return option
        own = (said.text or "").strip()
        is_number = number_in(own, scene.words) is not None
        if is_number or not any(letter.isalnum() for letter in own):
            return Unclear("unclear.choice")
        if len(own) > self.longest:
            return Unclear("unclear.long", (("most", self.longest),))
        return f"={own}"

    def recall(self, kept: Any) -> str:
        return str(kept) if str(kept).startswith("=") else super().recall(kept)

    def show(self, answer: str, scene: Scene) -> str:
        return answer[1:] if answer.startswith("=") else super().show(answer, scene)


class Words(Question[str]):
    """A short text of one's own: a way to be reached, a code."""

    def __init__(self, key: str, ask: str, shortest: int, longest: int, **values: object) -> None:
        super().__init__(key, ask, **values)
        self.shortest, self.longest = shortest, longest

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        text = " ".join((said.text or "").split())
        if len(text) < self.shortest or not any(letter.isalnum() for letter in text):
            return Unclear("unclear.short")
        if len(text) > self.longest:
            return Unclear("unclear.long", (("most", self.longest),))
        return text


@dataclass(frozen=True, slots=True)
class Telling:
    """A story: words, and the files that came with them."""

    text: str
    files: tuple[str, ...] = ()


class Narrative(Question[Telling]):
    """Free words; whoever cannot write may send a voice message or a picture instead."""

    takes_files: ClassVar[bool] = True

    def read(self, said: Said, scene: Scene) -> Telling | Unclear | Partly:
        files = (*(scene.so_far or ()), *scene.files)
        text = (said.text or "").strip()
        if scene.files and sum(letter.isalnum() for letter in text) < 3:
            return Partly(list(files))
        if files and is_way(plain(text), "done", scene.words):
            return Telling("", files)
        if sum(letter.isalnum() for letter in text) < 3:
            return Unclear("unclear.story")
        if len(text) > LONGEST_STORY:
            return Unclear("unclear.long", (("most", LONGEST_STORY),))
        return Telling(text, files)

    def text(self, scene: Scene) -> str:
        if scene.so_far:
            return scene.words("files.then_words", count=len(scene.so_far))
        return super().text(scene)

    def keep(self, answer: Telling) -> Any:
        return [answer.text, list(answer.files)]

    def recall(self, kept: Any) -> Telling:
        return Telling(kept[0], tuple(kept[1]))

    def before(self, answer: Telling) -> Any:
        return list(answer.files)

    def show(self, answer: Telling, scene: Scene) -> str:
        story = answer.text if len(answer.text) <= 300 else f"{answer.text[:300]}…"
        if not answer.files:
            return story
        return f"{story} {scene.words('files.shown', count=len(answer.files))}".strip()


class Files(Question[Telling]):
    """Any number of files up to a limit, until the person says that these are all.

    What was written under them is kept with them. As it is stored: the ids of the files and, each
    behind an `=`, the words.
    """

    asks: ClassVar[Asks | None] = "files"
    takes_files: ClassVar[bool] = True

    def __init__(self, key: str, ask: str, most: int) -> None:
        super().__init__(key, ask)
        self.most = most

    def options(self, scene: Scene) -> tuple[Option, ...]:
        one = "done" if scene.so_far else "none"
        return (Option(one, scene.words(f"{self.ask}.{one}")),)

    def text(self, scene: Scene) -> str:
        if scene.so_far:
            count = len(_sorted_out(scene.so_far).files)
            return scene.words("files.more", count=count, most=self.most)
        return scene.words(f"{self.ask}.ask", most=self.most)

    def read(self, said: Said, scene: Scene) -> Telling | Unclear | Partly:
        heard = list(scene.so_far or ())
        if scene.files:
            caption = [f"={said.text}"] if said.text else []
            return self._with([*heard, *scene.files, *caption])
        text = plain(said.text or "")
        ended = any(is_way(text, way, scene.words) for way in ("done", "none", "no"))
        if ended or self.pressed(said, scene) or _ends(said):
            return _sorted_out(heard)
        return Unclear("files.unclear")

    def _with(self, heard: list[str]) -> Unclear | Partly:
        told = _sorted_out(heard)
        if len(told.files) > self.most:
            return Unclear("files.too_many", (("most", self.most),))
        if len(told.text) > LONGEST_STORY:
            return Unclear("unclear.long", (("most", LONGEST_STORY),))
        return Partly(heard)

    def keep(self, answer: Telling) -> Any:
        return [*answer.files, *([f"={answer.text}"] if answer.text else [])]

    def recall(self, kept: Any) -> Telling:
        return _sorted_out(kept)

    def before(self, answer: Telling) -> Any:
        return list(answer.files)

    def show(self, answer: Telling, scene: Scene) -> str:
        if not answer.files:
            return scene.words(f"{self.ask}.none")
        return f"{scene.words('files.shown', count=len(answer.files))} {answer.text}".strip()


def _sorted_out(heard: Sequence[str]) -> Telling:
    """Files, and the words under them."""
    words = (one[1:] for one in heard if one.startswith("="))
    return Telling("\n".join(words), tuple(one for one in heard if not one.startswith("=")))


def _ends(said: Said) -> bool:
    # An older keyboard of this very question may still read "none" when files have come since.
    return said.pressed is not None and said.pressed.option in ("done", "none")


@dataclass(frozen=True, slots=True)
class Where:
    """A place as somebody gave it: a ward, a pin, words; nothing at all when they do not know."""

    ward: str | None = None
    words: str | None = None
    pin: tuple[float, float] | None = None


class Place(Question[Where]):
    """A pin, a ward found by part of its name, one's own words, or "I don't remember"."""

    asks: ClassVar[Asks | None] = "place"
    longest: ClassVar[int] = 300

    def text(self, scene: Scene) -> str:
        if scene.so_far:
            return scene.words("place.which", typed=scene.so_far["typed"])
        return super().text(scene)

    def options(self, scene: Scene) -> tuple[Option, ...]:
        unknown = Option("unknown", scene.words("place.unknown"))
        if not scene.so_far:
            return (unknown,)
        wards = (Option(w, scene.ward_label(w)) for w in scene.so_far["offered"])
        return (*wards, Option("typed", scene.words("place.typed")), unknown)

    def read(self, said: Said, scene: Scene) -> Where | Unclear | Partly:
        if said.place is not None:
            return Where(pin=(round(said.place.lat, 5), round(said.place.lon, 5)))
        option = self.pressed(said, scene)
        if option:
            return self._picked(option, scene)
        typed = " ".join((said.text or "").split())
        if is_way(plain(typed), "unknown", scene.words):
            return Where()
        if not any(letter.isalnum() for letter in typed):
            return Unclear("place.unclear")
        if len(typed) > self.longest:
            return Unclear("unclear.long", (("most", self.longest),))
        offered = _nearest(scene, typed)
        return Partly({"typed": typed, "offered": offered}) if offered else Where(words=typed)

    def _picked(self, option: str, scene: Scene) -> Where:
        if option == "unknown":
            return Where()
        typed = scene.so_far["typed"]
        return Where(words=typed) if option == "typed" else Where(ward=option, words=typed)

    def keep(self, answer: Where) -> Any:
        return [answer.ward, answer.words, answer.pin]

    def recall(self, kept: Any) -> Where:
        ward, words, pin = kept
        return Where(ward, words, tuple(pin) if pin else None)

    def show(self, answer: Where, scene: Scene) -> str:
        if answer.ward:
            return scene.ward_label(answer.ward)
        if answer.pin:
            return scene.words("place.pin", lat=answer.pin[0], lon=answer.pin[1])
        return answer.words or scene.words("place.unknown")


def _nearest(scene: Scene, typed: str) -> list[str]:
    """The wards a name may mean, those of the provinces this office serves first."""
    served = {u.ward.split(".")[0] for u in scene.tree().units.values() if u.ward}
    wards = [ward for ward in scene.places.search(typed, 30) if _names(ward, typed)]
    whole = [ward for ward in wards if plain(typed) in plain(ward.name)]
    found = [ward.id for ward in whole or wards]
    mentioned = None if found else scene.places.find(typed)
    if mentioned is not None:
        found = [mentioned.id]
    return sorted(found, key=lambda ward: ward.split(".")[0] not in served)[:MOST_WARDS]


def _names(ward: Ward, typed: str) -> bool:
    """Whether every word typed begins one of the ward's; "chợ cũ" describes and names none."""
    known = plain(" ".join((ward.name, ward.province, *ward.old))).split()
    words = [word for word in plain(typed).split() if word not in KIND_WORDS]
    return bool(words) and all(any(k.startswith(w) for k in known) for w in words)


class UnitName(Question[str]):
    """A unit found by part of its name; "?" when the person cannot name it."""

    def text(self, scene: Scene) -> str:
        if scene.so_far:
            return scene.words("unit.which")
        return super().text(scene)

    def options(self, scene: Scene) -> tuple[Option, ...]:
        language = scene.words.language
        offered = scene.so_far or ()
        named = (scene.tree().units.get(unit) for unit in offered)
        units = (Option(unit.id, unit.called(language)) for unit in named if unit)
        return (*units, Option("?", scene.words("unit.unknown")))

    def read(self, said: Said, scene: Scene) -> str | Unclear | Partly:
        option = self.pressed(said, scene)
        if option:
            return option
        wanted = plain(said.text or "")
        if is_way(wanted, "unknown", scene.words):
            return "?"
        units = scene.tree().units.values()
        found = [u.id for u in units if wanted and wanted in plain(f"{u.name} {u.name_en}")]
        if not found:
            return Unclear("unit.unclear")
        return found[0] if len(found) == 1 else Partly(found[:6])

    def show(self, answer: str, scene: Scene) -> str:
        unit = scene.tree().units.get(answer)
        return unit.called(scene.words.language) if unit else scene.words("unit.unknown")


class Digits(Question[str]):
    """A receipt: 16 digits, typed in any grouping."""

    length: ClassVar[int] = 16

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        digits = receipt_in(said.text or "")
        return digits or Unclear("lookup.unclear")


def receipt_in(text: str) -> str | None:
    """The 16 digits of a text that is nothing but a receipt, else None."""
    bare = "".join(letter for letter in text if not letter.isspace() and letter not in ".-–_")
    fits = len(bare) == Digits.length and bare.isascii() and bare.isdigit()
    return bare if fits else None


def grouped(receipt: str) -> str:
    """A receipt as people read it: 4 groups of 4."""
    return " ".join(receipt[at : at + 4] for at in range(0, len(receipt), 4))


class Saved(Choice):
    """Whether the receipt was kept: tap "saved", or type its last group back."""

    asks: ClassVar[Asks | None] = "text"

    def __init__(self, key: str, ask: str, receipt: str) -> None:
        super().__init__(key, ask, ("saved",), receipt=grouped(receipt))
        self.receipt = receipt

    def read(self, said: Said, scene: Scene) -> str | Unclear:
        typed = "".join(letter for letter in said.text or "" if letter.isdigit())
        if typed in (self.receipt[-4:], self.receipt) or self.pressed(said, scene):
            return "saved"
        return Unclear("receipt.again")


class Review(Question[str]):
    """Everything answered so far in one view: send it, drop it, or answer one part again."""

    asks: ClassVar[Asks | None] = None

    def options(self, scene: Scene) -> tuple[Option, ...]:
        edits = (
            Option(f"edit.{question.key}", label)
            for question, _ in scene.path
            if (label := question.edit(scene)) is not None
        )
        send = Option("send", scene.words(f"{self.ask}.send"))
        return (send, *edits, Option("drop", scene.words(f"{self.ask}.drop")))

    def text(self, scene: Scene) -> str:
        lines = [
            f"• {name}: {question.show(answer, scene)}"
            for question, answer in scene.path
            if (name := question.name(scene)) is not None
        ]
        return "\n".join((scene.words(f"{self.ask}.ask"), "", *lines))

    def read(self, said: Said, scene: Scene) -> str | Unclear | Retake:
        option = self.pressed(said, scene)
        if option is None:
            return Unclear("unclear.choice")
        return Retake(option.removeprefix("edit.")) if option.startswith("edit.") else option

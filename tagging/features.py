"""What the models look at in a message: its words, with and without marks, and pairs of words."""

from collections.abc import Iterator
from itertools import chain
from sys import intern

from tagging.words import PAUSES, Words

Feature = str | tuple[str, str]  # a word, or a word and the one after it
DANGER = "!danger"  # the rules of emergency.py have found danger; no word is spelled so
_JOINT = "_"  # no word holds one
_PAIR = 2  # pairs are the third kind of what `features` gives, one for each word


def features(words: Words, danger: bool) -> Iterator[Feature]:
    """The features of the message; one that stands there twice comes twice.

    Words are folded, so that accented and bare text share what is learned; a word that
    bears marks counts a second time as spelled.
    """
    told = (DANGER,) if danger else ()
    return chain(words.folded, words.spelled, words.pairs(), told)


def origin(place: int, words: Words) -> tuple[int, int] | None:
    """The words (from, to before) of the feature in this place, if it is of any but a pause."""
    kind, at = divmod(place, len(words.folded))
    if kind > _PAIR or words.folded[at] in PAUSES:
        return None
    joined = kind == _PAIR and at > 0 and words.folded[at - 1] not in PAUSES
    return at - joined, at + 1


def written(feature: Feature) -> str:
    """`feature` as one word, for the files of models."""
    return feature if isinstance(feature, str) else _JOINT.join(feature)


def named(name: str) -> Feature:
    """The feature that is written so."""
    first, joint, second = name.partition(_JOINT)
    return (intern(first), intern(second)) if joint else intern(first)

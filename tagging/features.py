"""What the models look at in a message: its words, with and without marks, and pairs of words."""

from sys import intern

from tagging.words import PAUSES, Words

Feature = str | tuple[str, str]  # a word, or a word and the one after it
DANGER = "!danger"  # the rules of emergency.py have found danger; no word is spelled so
_JOINT = "_"  # no word holds one


def features(words: Words, danger: bool) -> list[Feature]:
    """The features of the message; one that stands there twice comes twice.

    Words are folded, so that accented and bare text share what is learned; a word that
    bears marks counts a second time as spelled.
    """
    told = (DANGER,) if danger else ()
    return [*words.folded, *words.spelled, *words.pairs, *told]


def origin(feature: Feature, words: Words) -> tuple[int, int] | None:
    """The words (from, to before) that `feature` came from first, if from any but a pause."""
    if isinstance(feature, tuple):
        at, joined = words.pairs.index(feature), feature[0] not in PAUSES
    elif feature == DANGER:
        return None
    else:
        said = words.folded if feature in words.folded else words.spelled
        at, joined = said.index(feature), False
    if words.folded[at] in PAUSES:
        return None
    return at - (joined and at > 0), at + 1


def written(feature: Feature) -> str:
    """`feature` as one word, for the files of models."""
    return feature if isinstance(feature, str) else _JOINT.join(feature)


def named(name: str) -> Feature:
    """The feature that is written so."""
    first, joint, second = name.partition(_JOINT)
    return (intern(first), intern(second)) if joint else intern(first)

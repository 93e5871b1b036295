"""What the models look at in a message: its words, with and without marks, and pairs of words."""

from tagging.words import Words

START = "^"
DANGER = "!danger"  # the rules of emergency.py have found danger; no word is spelled so


def features(words: Words, danger: bool) -> dict[str, int]:
    """Each feature of the message once, with the word it came from (-1: from none).

    Words are folded, so that accented and bare text share what is learned; a word that
    bears marks counts a second time as spelled. A space joins the words of a pair.
    """
    found: dict[str, int] = {DANGER: -1} if danger else {}
    before = START
    for at, (bare, full) in enumerate(zip(words.folded, words.spelled, strict=True)):
        found.setdefault(bare, at)
        if full is not bare and full != bare:
            found.setdefault(full, at)
        found.setdefault(f"{before}_{bare}", at)
        before = bare
    return found

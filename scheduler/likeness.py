"""Laying new reports beside their like: those of one topic, one place and one week."""

from __future__ import annotations

from storage import alike
from storage.store import Store
from tagging.alike import grouped

MOST = 2000  # texts in one look of the clock, so that an import does not hold up the rest


def gather(store: Store, most: int = MOST) -> int:
    """Group what waits and return how many texts were compared. Raises StoreDown.

    A corner with a new report is compared whole, in memory, and no transaction is open
    meanwhile; where it has changed since, it waits on.
    """
    with store.read() as work:
        corners = alike.waiting(work)
    compared = 0
    for corner in corners:
        if compared >= most:
            break
        with store.read() as work:
            texts = alike.texts(work, corner)
        reports = list(texts)
        leaders = grouped(texts.values())
        names = {one: reports[at] for one, at in zip(reports, leaders, strict=True)}
        with store.write() as work:
            alike.group(work, corner, names)
        compared += len(texts)
    return compared

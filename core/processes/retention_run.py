"""A retention run is carried out by the second person: each erasure in a transaction of its own.

Broken off, it goes on where it stopped: what is erased waits no longer, so nobody is erased twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from core.actions.privacy import erasures
from core.desk import Desk
from core.errors import DeskError
from core.processes import erased_files
from core.queries.retention import RunWaits
from core.rules.permissions import Actor


def carry_out(
    desk: Desk, actor: Actor, waiting: Iterable[RunWaits], *, now: datetime, reason: str
) -> tuple[list[str], dict[str, str]]:
    """Who was erased, and of the others why not. A refusal of one stops no other."""
    done: list[str] = []
    refused: dict[str, str] = {}
    for each in waiting:
        erase = partial(
            erasures.approve, actor=actor, now=now, erasure_id=each.id, typed=each.external_id, reason=reason
        )
        try:
            desk.database.run(erase)
        except DeskError as refusal:
            refused[each.external_id] = refusal.message
        else:
            done.append(each.external_id)
            erased_files.destroy(desk, each.id)
    return done, refused

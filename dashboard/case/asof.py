"""A decided case as its mediator could see it: what was there when the decision was made, and nothing later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import streamlit as st

from core.queries.cases import Case
from dashboard.ui import cards, deadline


class Dated(Protocol):
    """Anything that happened at a time."""

    @property
    def at(self) -> datetime: ...


Each = TypeVar("Each", bound=Dated)


def chosen(case: Case) -> datetime | None:
    """The time of the decision that stands, when the reader wants to see the case as it was then."""
    if case.ruling is None:
        return None
    made_at = case.ruling.record.made_at
    if not st.toggle("As it was when it was decided", key=f"as-of-{case.id}"):
        return None
    cards.note(
        f"Evidence, timeline and messages up to {deadline.exact(made_at)}. "
        "Terms, money and parties are as they are now."
    )
    return made_at


def before(things: Sequence[Each], until: datetime | None) -> list[Each]:
    """What was there already at that instant."""
    return [each for each in things if until is None or each.at <= until]

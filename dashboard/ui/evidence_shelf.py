"""What is on the table: the rows of evidence, and which of them are open in this browser."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.actions.cases.evidence import Opened
from core.errors import DeskError
from core.queries.evidence import EvidenceItem
from core.rules.evidence import Area


@dataclass(frozen=True)
class Part:
    """A part of a piece that was marked just now, and waits for its note."""

    evidence_id: int
    page: int | None
    area: Area


class Shelf:
    """Which pieces are open in this browser, and what they show: read once when opened, kept while open."""

    def __init__(self, key: str, there: set[int], *, whose: str | None = None) -> None:
        self.key, self.whose = key, whose
        self.opened: dict[int, Opened | DeskError] = st.session_state.setdefault(f"{key}:opened", {})
        self.ids: list[int] = [each for each in st.session_state.get(f"{key}:open", []) if each in there]
        for gone in self.opened.keys() - set(self.ids):
            del self.opened[gone]

    def show(self, *ids: int) -> None:
        st.session_state[f"{self.key}:open"] = list(ids)
        if ids:
            seen: set[int] = st.session_state.setdefault(f"{self.key}:seen", set())
            seen.update(ids)

    @property
    def large(self) -> bool:
        return bool(st.session_state.get(f"{self.key}:large"))

    def enlarge(self, large: bool) -> None:
        st.session_state[f"{self.key}:large"] = large

    @property
    def part(self) -> Part | None:
        return part(self.key)

    def mark(self, evidence_id: int, page: int | None, area: Area) -> None:
        st.session_state[f"{self.key}:part"] = Part(evidence_id, page, area)

    def seen(self, row: EvidenceItem) -> bool:
        own = self.whose is None and row.id in st.session_state.get(f"{self.key}:seen", ())
        return row.opened_at is not None or own


def part(key: str) -> Part | None:
    """The part that waits for its note, on the shelf of this key."""
    found: Part | None = st.session_state.get(f"{key}:part")
    return found


def unmark(key: str) -> None:
    st.session_state.pop(f"{key}:part", None)

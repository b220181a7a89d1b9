"""What the mediator has chosen and written so far, and what it would come to.

Streamlit forgets a field that is not on screen. What was typed is therefore kept beside the fields, for each case, and
in the database whenever it changes, until the decision is recorded: another page, a reload, a crash or signing out
loses nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from core.actions import drafts, plan
from core.actions.plan import Draft
from core.errors import DeskError
from core.money import Money
from core.queries.cases import Case
from core.rules import splits
from core.rules.grounds import DecisionOutcome, Ground, Reference
from dashboard import current

ALWAYS = f"cites-{Reference.RESOLUTION_NOTES.value}"
_PERCENT = re.compile(r"\s*(\d{1,3})(?:[.,](\d{1,2}))?\s*%?\s*")


class OutcomeMissing(DeskError):
    """Choose an outcome first: a full release, a partial release or a full refund."""


class GroundMissing(DeskError):
    """Choose the ground that the decision stands on."""


class PercentUnreadable(DeskError):
    """“{text}” is not a percentage. Write it like 60 or 62.5."""


@dataclass(frozen=True)
class Sketch:
    """A draft as it is typed: anything may still be missing."""

    outcome: DecisionOutcome | None = None
    by_percent: bool = False
    share: str = ""
    ground: Ground | None = None
    reasons: str = ""
    references: frozenset[Reference] = frozenset()
    evidence_ids: frozenset[int] = frozenset()
    override: bool = False

    def release(self, case: Case) -> Money | None:
        """What the payee would get of a partial release. Raises when it cannot be read."""
        if self.outcome is not DecisionOutcome.PARTIAL_RELEASE or not self.share.strip():
            return None
        held = case.dossier.money(case.dossier.order.held_minor)
        if self.by_percent:
            return splits.by_percent(held, hundredths(self.share))
        return Money.parse(self.share, held.currency)

    def draft(self, case: Case) -> Draft:
        """The finished draft. Raises what is missing, as a sentence."""
        if self.outcome is None:
            raise OutcomeMissing()
        if self.ground is None:
            raise GroundMissing()
        return Draft(
            ticket_id=case.id,
            outcome=self.outcome,
            ground=self.ground,
            reasons=self.reasons.strip(),
            release=self.release(case),
            references=self.references,
            evidence_ids=self.evidence_ids,
            override=self.override,
        )


def hundredths(text: str) -> int:
    """ "62.5 %" as 6250."""
    found = _PERCENT.fullmatch(text)
    if found is None:
        raise PercentUnreadable(text=text)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def amounts(case: Case, sketch: Sketch) -> dict[str, Any] | None:
    """Every amount that this sketch would come to, as a plan names them; None while the outcome or share is missing.

    Without a ground, a full refund is reckoned without a concession. Raises what a plan would raise about amounts.
    """
    if sketch.outcome is None:
        return None
    release = sketch.release(case)
    if sketch.outcome is DecisionOutcome.PARTIAL_RELEASE and release is None:
        return None
    tried = Draft(
        ticket_id=case.id,
        outcome=sketch.outcome,
        ground=sketch.ground or Ground.AGREED_CANCELLATION,
        reasons="",
        release=release,
    )
    return plan.amounts(case.dossier, plan.split_of(case.dossier, tried))


def key(case_id: int, name: str) -> str:
    return f"draft-{case_id}-{name}"


def restore(case_id: int, name: str, default: Any) -> str:
    """The key of a field, filled with what was last typed there."""
    field = key(case_id, name)
    if field not in st.session_state:
        st.session_state[field] = _kept(case_id).get(name, default)
    return field


def keep(case_id: int, **values: Any) -> None:
    _kept(case_id).update(values)


def save(case_id: int) -> None:
    """Write what is kept into the database, if it is not what is there."""
    content = _written(_kept(case_id))
    if content == st.session_state[f"draft-{case_id}:saved"]:
        return
    actor, now = current.actor(), current.now()
    current.desk().database.run(
        lambda session: drafts.save(session, actor, now=now, ticket_id=case_id, content=content)
    )
    st.session_state[f"draft-{case_id}:saved"] = content


def restored(case_id: int) -> datetime | None:
    """When the draft on screen was saved, if it came back from the database."""
    _kept(case_id)
    at: datetime | None = st.session_state[f"draft-{case_id}:restored"]
    return at


def discard(case_id: int) -> None:
    """Thrown away by its writer."""
    actor, now = current.actor(), current.now()
    current.desk().database.run(lambda session: drafts.clear(session, actor, now=now, ticket_id=case_id))
    forget(case_id)


def forget(case_id: int) -> None:
    """The decision is recorded, and the database has forgotten the draft with it."""
    for name in _kept(case_id):
        st.session_state.pop(key(case_id, name), None)
    for name in ("", ":saved", ":restored"):
        st.session_state.pop(f"draft-{case_id}{name}", None)


def _kept(case_id: int) -> dict[str, Any]:
    name = f"draft-{case_id}"
    if name not in st.session_state:
        with current.reading() as session:
            found = drafts.find(session, current.actor(), ticket_id=case_id)
        st.session_state[name] = _read(found.content) if found else {}
        st.session_state[f"{name}:saved"] = dict(found.content) if found else {}
        st.session_state[f"{name}:restored"] = found.updated_at if found else None
    kept: dict[str, Any] = st.session_state[name]
    return kept


def _written(kept: dict[str, Any]) -> dict[str, Any]:
    """Only what was chosen or typed; what a new form would show anyway is left out."""
    own = {name: value for name, value in kept.items() if value and name not in (ALWAYS, "by")}
    return own | ({"by": kept["by"]} if own.get("share") else {})


def _read(content: dict[str, Any]) -> dict[str, Any]:
    """As the fields want it. What a later release no longer knows is left out."""
    known = dict(content)
    for name, kind in (("outcome", DecisionOutcome), ("ground", Ground)):
        if (value := known.pop(name, None)) in set(kind):
            known[name] = kind(value)
    return known

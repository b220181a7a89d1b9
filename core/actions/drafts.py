"""Unfinished decisions: what a member of staff has chosen and written about a case, kept until it is decided.

A draft is its writer's alone, decides nothing and is not audited. It is kept by the names of its fields: outcome, by
("%", "items" or a currency), share, ground, reasons, override, evidence, cites-…, passage-…, items and item-…-….
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import DeskError
from core.money import Money
from core.records import Decision, DecisionDraft
from core.rules.grounds import DecisionOutcome, Reference
from core.rules.permissions import Actor, Permission, require

LONGEST = 64_000  # bytes


class DraftTooLong(DeskError):
    """This draft is too long to be saved. Shorten it, or keep it somewhere else."""


def save(session: Session, actor: Actor, *, now: datetime, ticket_id: int, content: dict[str, Any]) -> None:
    """Keep this as the actor's draft of the case; what was kept before is replaced. Raises `DraftTooLong`."""
    require(actor, Permission.READ_CASES)
    if len(rfc8785.dumps(content)) > LONGEST:
        raise DraftTooLong()
    _put(session, ticket_id, actor.id, content, now=now)


def _put(
    session: Session, ticket_id: int, staff_id: int | None, content: dict[str, Any], *, now: datetime
) -> None:
    draft = insert(DecisionDraft).values(
        ticket_id=ticket_id, staff_id=staff_id, content=content, updated_at=now
    )
    session.execute(
        draft.on_conflict_do_update(
            index_elements=["ticket_id", "staff_id"],
            set_={"content": draft.excluded.content, "updated_at": draft.excluded.updated_at},
        )
    )


def find(session: Session, actor: Actor, *, ticket_id: int) -> DecisionDraft | None:
    """The actor's own draft of this case, if anything is in it."""
    found = session.get(DecisionDraft, (ticket_id, actor.id)) if actor.id else None
    return found if found and found.content else None


def clear(session: Session, actor: Actor, *, now: datetime, ticket_id: int) -> None:
    """The decision is recorded, or its writer threw the draft away."""
    session.execute(
        update(DecisionDraft)
        .where(DecisionDraft.ticket_id == ticket_id, DecisionDraft.staff_id == actor.id)
        .values(content={}, updated_at=now)
    )


def give_back(session: Session, decision: Decision, *, now: datetime) -> None:
    """A decision that was returned or became void is its maker's draft again."""
    _put(session, decision.ticket_id, decision.maker_id, _content(decision), now=now)


def _content(decision: Decision) -> dict[str, Any]:
    cited, pieces = decision.citations, decision.plan["bindings"]["evidence"]
    exhibits = [each for each in cited if each["sha256"] in pieces]
    passages = {
        f"passage-{each['audience']}": each["passage"]
        for each in decision.plan["letters"]
        if "passage" in each
    }
    evidence = [each["id"] for each in exhibits]
    references = {f"cites-{each['reference']}": True for each in cited}
    references.pop(f"cites-{Reference.RESOLUTION_NOTES.value}", None)
    return {
        "outcome": decision.outcome,
        "ground": decision.ground,
        "reasons": decision.reasons,
        **({"override": True} if decision.plan["override"] else {}),
        **({"evidence": evidence} if evidence else {}),
        **references,
        **passages,
        **_share(decision),
    }


def _share(decision: Decision) -> dict[str, Any]:
    """How the amount was divided: item by item, or as an amount."""
    if decision.outcome != DecisionOutcome.PARTIAL_RELEASE:
        return {}
    currency = decision.currency
    rows: list[dict[str, Any]] = decision.plan.get("items", [])
    if not rows:
        return {"by": currency, "share": Money(decision.release_minor, currency).major()}
    content: dict[str, Any] = {"by": "items", "items": list(range(1, len(rows) + 1))}
    for number, row in enumerate(rows, 1):
        content |= {
            f"item-{number}-title": row["title"],
            f"item-{number}-value": Money(row["value"], currency).major(),
            f"item-{number}-done": row["done"],
            f"item-{number}-part": _percent(row["part_bps"]) if row["done"] == "PARTLY" else "",
        }
    return content


def _percent(bps: int) -> str:
    whole, rest = divmod(bps, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")

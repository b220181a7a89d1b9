"""Unfinished decisions: what a member of staff has chosen and written about a case, kept until it is decided.

A draft is its writer's alone, decides nothing and is not audited. It is kept by the names of its fields: outcome, by
("%", "items" or a currency), share, ground, reasons, override, ends_project, evidence, cites-…, passage-…, items and
item-…-…. Those that are words (`is_words`) lie with all other half-written words, at `place`; the rest is one row,
which has a version: when another tab has saved since, nothing is overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.actions.cases import unsent_text
from core.actions.cases.unsent_text import ChangedInAnotherTab
from core.errors import DeskError
from core.money import Money, percent
from core.records import Decision, DecisionDraft, UnsentText
from core.rules import text_fields
from core.rules.grounds import DecisionOutcome, Reference
from core.rules.items import Done
from core.rules.permissions import Actor, Permission, require

LONGEST = 64_000  # bytes
_WORDS = re.compile(r"reasons|passage-(payer|payee)|item-[0-9]+-title")


class DraftTooLong(DeskError):
    """This draft is too long to be saved. Shorten it, or keep it somewhere else."""


@dataclass(frozen=True)
class Kept:
    """The whole draft, words and all. `version` is that of the row without them; 0: there was none."""

    content: dict[str, Any]
    updated_at: datetime | None = None
    version: int = 0


def place(case_id: int, name: str) -> str:
    """Where the words of this field lie."""
    return text_fields.named("case", case_id, name)


def is_words(name: str) -> bool:
    """Whether a field of a draft holds what a person wrote, and not what they chose."""
    return _WORDS.fullmatch(name) is not None


def save(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    case_id: int,
    content: dict[str, Any],
    base: int | None = None,
    tab: str = "",
) -> int:
    """Keep this as the actor's draft of the case; returns its version. `base` is the version that it began from, and
    None replaces whatever is there. Words in it are kept in their places.

    Raises `DraftTooLong`, `ChangedInAnotherTab`.
    """
    require(actor, Permission.READ_CASES)
    if len(rfc8785.dumps(content)) > LONGEST:
        raise DraftTooLong()
    free = None if base is None else or_(DecisionDraft.version == base, DecisionDraft.writer == (tab or None))
    return _put(session, case_id, actor.id, content, now=now, tab=tab, where=free)


def _put(
    session: Session,
    case_id: int,
    staff_id: int | None,
    content: Mapping[str, Any],
    *,
    now: datetime,
    tab: str = "",
    where: ColumnElement[bool] | None = None,
) -> int:
    chosen = {name: value for name, value in content.items() if not is_words(name)}
    draft = insert(DecisionDraft).values(
        case_id=case_id, staff_id=staff_id, content=chosen, version=1, writer=tab, updated_at=now
    )
    version = session.scalar(
        draft.on_conflict_do_update(
            index_elements=["case_id", "staff_id"],
            set_={
                "content": draft.excluded.content,
                "version": DecisionDraft.version + 1,
                "writer": draft.excluded.writer,
                "updated_at": draft.excluded.updated_at,
            },
            where=where,
        ).returning(DecisionDraft.version)
    )
    if version is None:
        there = session.get_one(DecisionDraft, (case_id, staff_id), populate_existing=True)
        raise ChangedInAnotherTab(at=there.updated_at)
    for name in content.keys() - chosen.keys():
        unsent_text.give(
            session,
            staff_id=staff_id or 0,
            now=now,
            place=place(case_id, name),
            body=str(content[name]),
            tab=tab,
        )
    return int(version)


def find(session: Session, actor: Actor, *, case_id: int) -> Kept | None:
    """The actor's own draft of this case, if anything is in it."""
    found = read(session, actor, case_id=case_id)
    return found if found.content else None


def read(session: Session, actor: Actor, *, case_id: int) -> Kept:
    """The actor's own draft of this case, empty or not."""
    row = session.get(DecisionDraft, (case_id, actor.id), populate_existing=True) if actor.id else None
    words, at = _words(session, actor, case_id)
    chosen = row.updated_at if row and row.content else None
    return Kept(
        {**(row.content if row else {}), **words},
        max((each for each in (chosen, at) if each), default=None),
        row.version if row else 0,
    )


def _words(session: Session, actor: Actor, case_id: int) -> tuple[dict[str, str], datetime | None]:
    """The words of a draft by the names of their fields, and when the last of them was saved."""
    begin = place(case_id, "x")[:-1]
    rows = session.scalars(
        select(UnsentText).where(
            UnsentText.staff_id == actor.id, UnsentText.place.startswith(begin), UnsentText.body != ""
        )
    ).all()
    own = {each.place.removeprefix(begin): each for each in rows}
    own = {name: each for name, each in own.items() if is_words(name)}
    return {name: each.body for name, each in own.items()}, max(
        (each.updated_at for each in own.values()), default=None
    )


def clear(session: Session, actor: Actor, *, now: datetime, case_id: int) -> None:
    """The decision is recorded, or its writer threw the draft away."""
    session.execute(
        update(DecisionDraft)
        .where(DecisionDraft.case_id == case_id, DecisionDraft.staff_id == actor.id)
        .values(content={}, version=DecisionDraft.version + 1, writer="", updated_at=now)
    )
    words, _ = _words(session, actor, case_id)
    unsent_text.sent(session, actor, now=now, wanted=[place(case_id, name) for name in words])


def give_back(session: Session, decision: Decision, *, now: datetime) -> None:
    """A decision that was returned or became void is its maker's draft again."""
    _put(session, decision.case_id, decision.maker_id, _content(decision), now=now)


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
        **({"ends_project": True} if decision.ends_project else {}),
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
            f"item-{number}-part": percent(row["part_bps"]).removesuffix(" %")
            if row["done"] == Done.PARTLY
            else "",
        }
    return content

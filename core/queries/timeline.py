"""One stream of everything that happened around a milestone: what people wrote and handed in, what the desk did, where
the money went, which letters were sent. Each with its author and its audience."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.money import Money
from core.queries import case_money, exhibits, happenings
from core.queries.cases import Case
from core.queries.happenings import About
from core.records import Notification, Staff
from core.records.audit import audit_entries
from core.rules.grounds import DecisionOutcome

MOST = 400
SIDES = {"PAYER": "payer", "PAYEE": "payee", "STAFF": "staff", "SYSTEM": "system"}


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `text` may be an outsider's words, or ours; it is shown as it is written."""

    at: datetime
    about: About
    title: str
    who: str
    staff_only: bool = False
    text: str | None = None
    tone: str = "quiet"
    facts: Mapping[str, str | Money | None] = field(default_factory=dict)
    reference: str = ""


def timeline(session: Session, case: Case) -> tuple[list[Happening], bool]:
    """The newest `MOST` happenings, oldest first, and whether older ones were left out. Six statements."""
    everything = sorted(
        [
            *_entries(session, case),
            *_messages(session, case),
            *_evidence(session, case),
            *_letters(session, case),
            *_journals(session, case),
        ],
        key=lambda each: each.at,
    )
    return _gathered(everything[-MOST:]), len(everything) > MOST


def _gathered(each: list[Happening]) -> list[Happening]:
    """The same by the same person within a minute is told once, with how often."""
    told: list[Happening] = []
    often = 1
    for one in each:
        last = told[-1] if told else None
        again = last is not None and not one.text and _mark(one) == _mark(last)
        often = often + 1 if again else 1
        if last is not None and again:
            told[-1] = replace(last, facts={"Times": str(often)})
        else:
            told.append(one)
    return told


def _mark(each: Happening) -> tuple[object, ...]:
    return each.title, each.who, each.text, each.at.replace(second=0, microsecond=0)


def _entries(session: Session, case: Case) -> Iterator[Happening]:
    entry = audit_entries.c
    rows = session.execute(
        select(entry.at, entry.actor_kind, entry.actor_id, entry.action, entry.reason, entry.after)
        .where(
            or_(
                entry.milestone_id == case.dossier.milestone.id,
                (entry.project_id == case.dossier.project.id) & entry.milestone_id.is_(None),
            )
        )
        .order_by(entry.id.desc())
        .limit(MOST)
    ).all()
    staff = _names(session, {row.actor_id for row in rows if row.actor_kind == "staff"})
    parties = {each.id: f"{each.name} · {each.role.lower()}" for each in case.parties}
    for row in reversed(rows):
        kind = happenings.kind(row.action)
        if kind is None:
            continue
        names = staff if row.actor_kind == "staff" else parties
        yield Happening(
            at=row.at,
            about=kind.about,
            title=kind.title,
            who=names.get(row.actor_id, "") if row.actor_id else "the desk itself",
            staff_only=kind.staff_only,
            text=row.reason,
            tone=kind.tone,
            facts=_facts(row.after or {}, case, staff),
        )


def _names(session: Session, ids: set[int]) -> dict[int, str]:
    return {
        row.id: row.name for row in session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    }


def _facts(after: Mapping[str, Any], case: Case, staff: Mapping[int, str]) -> dict[str, str | Money | None]:
    """The few facts of an entry that a reader of the timeline wants."""
    currency = case.dossier.milestone.currency
    facts: dict[str, str | Money | None] = {}
    for name in ("charge", "held", "released", "refunded", "amount", "fee"):
        if isinstance(after.get(name), dict):
            facts[name.capitalize()] = Money.from_dict(after[name])
    if after.get("outcome") in DecisionOutcome.__members__:
        facts["Outcome"] = DecisionOutcome(after["outcome"]).label
        facts["To the payee"] = Money(after["release"], currency)
        facts["To the payer"] = Money(after["refund"], currency)
    if "confirmed" in after:
        facts["What"] = str(after["confirmed"]).replace("_", " ").capitalize()
    if "mediator" in after:
        known = after["mediator"]
        facts["Mediator"] = staff.get(known, f"staff {known}") if known else "nobody"
    return facts


def _messages(session: Session, case: Case) -> Iterator[Happening]:
    for each in exhibits.messages(session, case.dossier.milestone.id):
        private = each.audience == "STAFF"
        yield Happening(
            at=each.at,
            about=About.MESSAGE,
            title="Note among staff" if private else "Message",
            who=f"{each.author} · {SIDES[each.side]}",
            staff_only=private,
            text=each.body,
            tone="wait" if private else "quiet",
        )


def _evidence(session: Session, case: Case) -> Iterator[Happening]:
    for each in exhibits.evidence(session, case.dossier.milestone.id, staff_id=None):
        yield Happening(
            at=each.at,
            about=About.EVIDENCE,
            title="Evidence handed in",
            who=f"{each.uploader} · {each.uploader_role.lower()}",
            facts={"File": each.file_name, "Caption": each.caption or None},
            reference=each.sha256[:10],
        )


def _letters(session: Session, case: Case) -> Iterator[Happening]:
    names = {each.id: each.name for each in case.parties}
    rows = session.scalars(
        select(Notification)
        .where(Notification.milestone_id == case.dossier.milestone.id)
        .order_by(Notification.id.desc())
        .limit(MOST)
    )
    for each in rows:
        yield Happening(
            at=each.created_at,
            about=About.LETTER,
            title=f"Letter to {names.get(each.party_id, 'a party')}",
            who="the desk itself",
            facts={"Subject": each.subject, "State": each.status.capitalize()},
        )


def _journals(session: Session, case: Case) -> Iterator[Happening]:
    for each in case_money.journals(session, case.dossier.milestone.id):
        moved = [leg.debit for leg in each.legs if leg.debit is not None]
        yield Happening(
            at=each.posted_at,
            about=About.MONEY,
            title=f"Booked: {each.memo or each.kind}",
            who="the ledger",
            staff_only=True,
            tone="info",
            facts={"Moved": Money.total(moved, case.dossier.milestone.currency)},
            reference=f"J-{each.id}",
        )

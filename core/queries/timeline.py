"""The timeline of a milestone: messages, evidence, actions of the desk, money and e-mails, each with its author and
audience.

A page is found first, by time and over all sources, without reading their content (`timeline_page`); then each source
is asked for the content of its own events. So the cost of a page depends on the length of the timeline only for
finding it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.audit import actions
from core.audit.actions import About
from core.money import Money
from core.queries import timeline_page
from core.queries.cases import CaseView
from core.queries.timeline_page import Mark, Page, TimelineFilter
from core.records import Evidence, Handover, Message, Notification, Party, Recusal, Staff
from core.records.audit import audit_entries
from core.rules.grounds import DecisionOutcome
from core.rules.messages import Audience, AuthorKind
from core.rules.parties import PartyRole
from core.rules.requests import RequestKind

__all__ = ["Mark", "Page", "Stream", "TimelineEvent", "TimelineFilter", "timeline"]

SIDES = {
    PartyRole.PAYER: "payer",
    PartyRole.PAYEE: "payee",
    AuthorKind.STAFF: "staff",
    AuthorKind.SYSTEM: "system",
}


@dataclass(frozen=True)
class TimelineEvent:
    """One event. `text` may be an outsider's words or ours, and is shown literally. `mark`: its position and its name
    in an address."""

    at: datetime
    about: About
    title: str
    who: str
    staff_only: bool = False
    text: str | None = None
    tone: str = "quiet"
    facts: Mapping[str, str | Money | None] = field(default_factory=dict)
    reference: str = ""
    mark: Mark | None = None


@dataclass(frozen=True)
class Stream:
    """A page of the timeline, oldest first, and whether there is more before and after it."""

    events: Sequence[TimelineEvent]
    page: Page

    @property
    def first(self) -> Mark | None:
        return self.page.marks[0] if self.page.marks else None

    @property
    def last(self) -> Mark | None:
        return self.page.marks[-1] if self.page.marks else None


def timeline(session: Session, case: CaseView, wanted: TimelineFilter | None = None) -> Stream:
    """A page of the timeline; without a position the newest one. One statement to find it, and one for each source."""
    page = timeline_page.find(
        session, case.context.milestone.id, case.context.project.id, wanted or TimelineFilter()
    )
    told: dict[Mark, TimelineEvent] = {}
    for source, tell in SOURCES.items():
        marks = {mark.id: mark for mark in page.marks if mark.source == source}
        if marks:
            told |= {marks[number]: one for number, one in tell(session, case, list(marks))}
    return Stream(_gathered([replace(told[mark], mark=mark) for mark in page.marks if mark in told]), page)


def _gathered(each: list[TimelineEvent]) -> list[TimelineEvent]:
    """Repetitions by the same person within a minute are shown once, with their count."""
    told: list[TimelineEvent] = []
    often = 1
    for one in each:
        last = told[-1] if told else None
        again = last is not None and not one.text and _is_entry(one) and _like(one) == _like(last)
        often = often + 1 if again else 1
        if last is not None and again:
            told[-1] = replace(last, facts={"": f"{often} times"})
        else:
            told.append(one)
    return told


def _is_entry(each: TimelineEvent) -> bool:
    """Events with content of their own (a file, an e-mail) are never merged."""
    return each.mark is not None and each.mark.source == "entry"


def _like(each: TimelineEvent) -> tuple[object, ...]:
    return each.title, each.who, each.text, each.at.replace(second=0, microsecond=0)


Told = Iterator[tuple[int, TimelineEvent]]


def _entries(session: Session, case: CaseView, ids: list[int]) -> Told:
    entry = audit_entries.c
    rows = session.execute(
        select(
            entry.id,
            entry.at,
            entry.actor_kind,
            entry.actor_id,
            entry.role,
            entry.action,
            entry.reason,
            entry.after,
        ).where(entry.id.in_(ids))
    ).all()
    staff = _names(session, {row.actor_id for row in rows if row.actor_kind == "staff"} | _mediators(rows))
    parties = {each.id: f"{each.name} · {each.role.lower()}" for each in case.parties}
    for row in rows:
        kind = actions.of(row.action)
        if kind is None:
            continue
        yield (
            row.id,
            TimelineEvent(
                at=row.at,
                about=kind.about,
                title=kind.title,
                who=_who(row, staff if row.actor_kind == "staff" else parties),
                staff_only=kind.staff_only,
                text=row.reason,
                tone=kind.tone,
                facts=_facts(row.after or {}, case, staff),
            ),
        )


def _who(row: Any, names: Mapping[int, str]) -> str:
    if row.actor_kind == "operator":
        return f"{row.role} (command line)"
    return names.get(row.actor_id, "") if row.actor_id else "System"


def _mediators(rows: Sequence[Any]) -> set[int]:
    return {row.after["mediator"] for row in rows if row.after and row.after.get("mediator")}


def _names(session: Session, ids: set[int]) -> dict[int, str]:
    return {
        row.id: row.name for row in session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    }


def _facts(
    after: Mapping[str, Any], case: CaseView, staff: Mapping[int, str]
) -> dict[str, str | Money | None]:
    """The facts of an entry that matter on a timeline."""
    currency = case.context.milestone.currency
    facts: dict[str, str | Money | None] = {}
    for name in ("charge", "held", "released", "refunded", "amount", "fee"):
        if isinstance(after.get(name), dict):
            facts[name.capitalize()] = Money.from_dict(after[name])
    if after.get("outcome") in DecisionOutcome.__members__ and "release" in after:
        facts["Outcome"] = DecisionOutcome(after["outcome"]).label
        facts["To the payee"] = Money(after["release"], currency)
        facts["To the payer"] = Money(after["refund"], currency)
    if "until" in after:
        facts["Due"] = _moment(after["until"])
    if after.get("for") in RequestKind.__members__:
        facts["For"] = RequestKind(after["for"]).label.lower()
    if "confirmed" in after:
        facts["What"] = str(after["confirmed"]).replace("_", " ").capitalize()
    if "mediator" in after:
        known = after["mediator"]
        facts["Mediator"] = staff.get(known, f"staff {known}") if known else "nobody"
    return facts


def _moment(stored: Any) -> str:
    """A time of an entry as every other: `1 Dec 2026, 00:00 UTC`."""
    return f"{datetime.fromisoformat(str(stored)).astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def _messages(session: Session, case: CaseView, ids: list[int]) -> Told:
    rows = session.execute(
        select(Message, Party.name, Party.role, Staff.name)
        .outerjoin(Party, (Message.author_kind == "party") & (Party.id == Message.author_id))
        .outerjoin(Staff, (Message.author_kind == "staff") & (Staff.id == Message.author_id))
        .where(Message.id.in_(ids))
    )
    for each, party, role, staff in rows:
        private = each.audience == Audience.STAFF
        side = SIDES[role or each.author_kind]
        yield (
            each.id,
            TimelineEvent(
                at=each.at,
                about=About.MESSAGE,
                title="Note among staff" if private else "Message",
                who=f"{party or staff or 'Escrow Desk'} · {side}",
                staff_only=private,
                text=each.body,
                tone="wait" if private else "quiet",
            ),
        )


def _evidence(session: Session, case: CaseView, ids: list[int]) -> Told:
    rows = session.execute(
        select(Evidence, Party.name, Party.role)
        .join(Party, Party.id == Evidence.uploaded_by)
        .where(Evidence.id.in_(ids))
    )
    for each, name, role in rows:
        yield (
            each.id,
            TimelineEvent(
                at=each.at,
                about=About.EVIDENCE,
                title="Evidence submitted",
                who=f"{name} · {role.lower()}",
                facts={"File": each.file_name, "Caption": each.caption or None},
                reference=each.sha256[:10],
            ),
        )


def _letters(session: Session, case: CaseView, ids: list[int]) -> Told:
    names = {each.id: each.name for each in case.parties}
    for each in session.scalars(select(Notification).where(Notification.id.in_(ids))):
        yield (
            each.id,
            TimelineEvent(
                at=each.created_at,
                about=About.LETTER,
                title=f"E-mail to {names.get(each.party_id or 0, 'staff')}",
                who="System",
                staff_only=each.staff_id is not None,
                facts={"Subject": each.subject, "Status": each.status.capitalize()},
            ),
        )


JOURNALS = text(
    "select id, kind, memo, posted_at, (select sum(one) from unnest(amounts) one where one > 0)::bigint as moved "
    "from journals where id = any(:ids)"
)


def _journals(session: Session, case: CaseView, ids: list[int]) -> Told:
    for each in session.execute(JOURNALS, {"ids": ids}):
        yield (
            each.id,
            TimelineEvent(
                at=each.posted_at,
                about=About.MONEY,
                title=f"Booked: {each.memo or each.kind}",
                who="the ledger",
                staff_only=True,
                tone="info",
                facts={"Moved": Money(each.moved, case.context.milestone.currency)},
                reference=f"J-{each.id}",
            ),
        )


def _handovers(session: Session, case: CaseView, ids: list[int]) -> Told:
    rows = session.execute(
        select(Handover, Staff.name).join(Staff, Staff.id == Handover.by_id).where(Handover.id.in_(ids))
    )
    for each, name in rows:
        words = TimelineEvent(
            each.at,
            About.CASE,
            "Words for the next mediator",
            name,
            staff_only=True,
            text=each.note,
            tone="wait",
        )
        yield each.id, words


def _recusals(session: Session, case: CaseView, ids: list[int]) -> Told:
    rows = session.execute(
        select(Recusal, Staff.name)
        .join(Staff, Staff.id == Recusal.staff_id)
        .where(Recusal.case_id == case.id, Recusal.staff_id.in_(ids))
    )
    for each, name in rows:
        words = TimelineEvent(
            each.at,
            About.CASE,
            "Recused, permanently",
            name,
            staff_only=True,
            text=each.reason,
            tone="wait",
        )
        yield each.staff_id, words


SOURCES: Mapping[str, Callable[[Session, CaseView, list[int]], Told]] = {
    "entry": _entries,
    "message": _messages,
    "evidence": _evidence,
    "letter": _letters,
    "journal": _journals,
    "handover": _handovers,
    "recusal": _recusals,
}

"""An audit entry in words: who, about what, and where that can be seen.

Staff are named for whoever reads here; the log itself holds numbers, and so does every export. Parties stay numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.audit import actions
from core.queries import people
from core.queries.audit import LogEntry
from core.rules.references import ReferenceKind, reference, whole

# object kind: (what it is called, what its number is written as)
OBJECTS: Mapping[str, tuple[str, ReferenceKind | None]] = {
    "ticket": ("Case", "case"),
    "milestone": ("Milestone", "milestone"),
    "project": ("Project", "project"),
    "hold": ("Hold", "hold"),
    "decision": ("Decision", None),
    "evidence": ("Evidence", None),
    "message": ("Message", None),
    "payout": ("Payout", "payout"),
    "refund": ("Refund", None),
    "operation": ("Operation", None),
    "reconciliation": ("Reconciliation", "run"),
    "chargeback": ("Chargeback", "chargeback"),
    "party": ("Party", None),
    "staff": ("Staff", None),
    "staff_session": ("Session", None),
    "export": ("Export", None),
    "audit_entry": ("Audit entry", None),
    "policy": ("Policy", None),
    "report": ("Report", "report"),
    "review": ("Review", "risk review"),
    "practice": ("Practice", None),
    "receipt": ("Receipt", None),
    "letter": ("E-mail", "letter"),
    "desk": ("Desk", None),
}
# What a case's timeline does not tell.
Way = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Names:
    """Staff by name, parties by role."""

    staff: Mapping[int, str]
    parties: Mapping[int, str]

    @classmethod
    def of(cls, session: Session, entries: Iterable[LogEntry]) -> Names:
        """The names that these entries need, in two statements at most."""
        each = list(entries)
        staff = {entry.actor_id for entry in each if entry.actor_kind == "staff" and entry.actor_id}
        parties = {entry.actor_id for entry in each if entry.actor_kind == "party" and entry.actor_id}
        for entry in each:
            number = whole(entry.object_id)
            if number is not None and entry.object_kind in ("staff", "party"):
                (staff if entry.object_kind == "staff" else parties).add(number)
            for facts in (entry.before, entry.after):
                staff |= (
                    {facts[key] for key in ("mediator", "staff") if isinstance((facts or {}).get(key), int)}
                    if facts
                    else set()
                )
        return cls(
            people.names(session, staff) if staff else {},
            people.party_roles(session, parties) if parties else {},
        )

    def member(self, number: int) -> str:
        return self.staff.get(number, f"staff {number}")

    def party(self, number: int) -> str:
        return f"{self.parties.get(number, 'party')} {number}"

    def who(self, entry: LogEntry) -> str:
        if entry.actor_kind == "operator":
            return f"{entry.role} (command line)"
        if entry.actor_kind == "system" or entry.actor_id is None:
            return "The system"
        return (
            self.member(entry.actor_id)
            if entry.actor_kind == "staff"
            else self.party(entry.actor_id).capitalize()
        )

    def what(self, entry: LogEntry) -> str:
        """`Case D-42`, `Hold H-7`, `Payer 17`."""
        number = whole(entry.object_id)
        if number is not None and entry.object_kind == "staff":
            return self.member(number)
        if number is not None and entry.object_kind == "party":
            return self.party(number).capitalize()
        kind = OBJECTS[entry.object_kind][1] if entry.object_kind in OBJECTS else None
        name = reference(kind, number) if kind and number is not None else entry.object_id
        return f"{noun(entry.object_kind)} {name}"


def noun(object_kind: str) -> str:
    """What an object of this kind is called, on screen and in the address."""
    known = OBJECTS.get(object_kind)
    return known[0] if known else object_kind.replace("_", " ").capitalize()


def roles(entry: LogEntry) -> str:
    """As they were when it happened; a party's role is its tie to the project; an operator has none."""
    if entry.actor_kind == "operator":
        return "Operator"
    return ", ".join((entry.role or "").split(",")) or "—"


def title(action: str) -> str:
    """The action as a person would say it."""
    return actions.title(action)


def way(entry: LogEntry) -> Way | None:
    """The page that shows the object of an entry, and with which parameters."""
    number = whole(entry.object_id)
    match entry.object_kind:
        case "ticket" if number:
            return "case", {"id": number}
        case "decision" | "evidence" | "message" if entry.ticket_id:
            return "case", {"id": entry.ticket_id}
        case "project" if number:
            return "project", {"id": number}
        case "hold" | "report" | "review" if number:
            return "holds", {"id": number} if entry.object_kind == "hold" else {}
        case "staff" if number:
            return "people", {"id": number}
        case "payout" if number:
            return "payouts", {"id": number}
        case "operation" if number:
            return "operations", {"id": number}
        case "reconciliation" if number:
            return "reconciliation", {"id": number}
        case "policy":
            return "policy", {}
    return ("project", {"id": entry.project_id}) if entry.project_id else None

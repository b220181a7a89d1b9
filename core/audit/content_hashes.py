"""What a row of words says, as one hash: the entry about the row keeps it, and whoever verifies computes it again.

One function for everybody: `audit.record(…, contents=[row])` writes it, verification and `check` hold the rows of today
against it, a case file proves its texts by it without the database. Columns that change by law (a status, a try) are
no part of it; what a row is told later (how a case ended, why a hold was lifted) is a part of its own. Rows from before
there were hashes are counted, and never called intact.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from core.db import Record
from core.rules.cases import CaseStatus
from core.rules.notifications import LetterStatus

KEPT_IN = "content"  # the name in an entry's `after`: {"messages:12": "9f2c…"}


@dataclass(frozen=True)
class Part:
    """Words that a row has from one moment on. `noun` is what they are called.

    `since`: the column that orders the rows which have them, so that one without an entry after the first with one was
    put in past the desk; empty where none orders them. `rewritten`: they may be said again, and the last entry counts.
    """

    table: str
    noun: str
    columns: tuple[str, ...]
    since: str = "id"
    rewritten: bool = False
    key: tuple[str, ...] = ("id",)

    def number(self, row: Mapping[str, Any]) -> str:
        return "-".join(str(row[column]) for column in self.key)


def _part(table: str, noun: str, columns: str, **also: Any) -> Part:
    return Part(table, noun, tuple(columns.split()), **also)


# What entries said before a table or a column took its present name; hashes are computed over the words of then.
SEALED_AS: Mapping[str, str] = {"cases": "tickets", "case_id": "ticket_id"}
LETTERS = "notifications"  # a letter's words are hashed when it is sent
PARTS: Mapping[str, Part] = {
    "messages": _part(
        "messages", "message", "id milestone_id case_id author_kind author_id audience body at"
    ),
    "evidence": _part(
        "evidence",
        "evidence",
        "id milestone_id case_id uploaded_by kind file_name media_type size_bytes sha256 caption at",
    ),
    "evidence_notes": _part("evidence_notes", "note", "id evidence_id staff_id body at area page"),
    "party_requests": _part(
        "party_requests",
        "request to a party",
        "id case_id party_id kind question asked_by asked_at due_at",
    ),
    "offers": _part(
        "offers", "offer", "id case_id proposed_by currency release_minor refund_minor note made_at"
    ),
    "decisions": _part(
        "decisions",
        "decision",
        "id case_id outcome ground reasons currency release_minor refund_minor plan_hash maker_id made_at",
    ),
    "tickets": _part(
        "cases", "case", "id milestone_id opened_by opened_by_staff reason opened_at corrects_id"
    ),
    "ticket_details": _part("cases", "complaint of case", "id details", since="", rewritten=True),
    "ticket_ends": _part(
        "cases", "resolution of case", "id resolution resolution_notes resolved_at", since="resolved_at"
    ),
    "holds": _part("holds", "hold", "id milestone_id kind reason report_id placed_by placed_at"),
    "hold_ends": _part(
        "holds", "lifting of hold", "id released_by released_at release_reason", since="released_at"
    ),
    "reports": _part(
        "reports",
        "report",
        "id project_id milestone_id external_id kind source severity details author_kind author_id subject_id at",
    ),
    "report_ends": _part(
        "reports", "outcome of report", "id outcome note settled_by settled_at", since="settled_at"
    ),
    "review_ends": _part(
        "risk_reviews",
        "outcome of review",
        "id outcome note reports settled_by settled_at",
        since="settled_at",
    ),
    "chargeback_evidence": _part(
        "chargeback_evidence", "answer to a bank", "id chargeback_id texts files drafted_by drafted_at"
    ),
    "chargeback_acceptances": _part(
        "chargeback_acceptances",
        "acceptance of a chargeback",
        "id chargeback_id reason proposed_by proposed_at",
    ),
    "ticket_mediators": _part("cases", "mediator of case", "id mediator_id", since="", rewritten=True),
    "handovers": _part("handovers", "handover note", "id case_id by_id to_id note at"),
    "recusals": _part(
        "recusals", "recusal", "case_id staff_id reason at", since="at", key=("case_id", "staff_id")
    ),
    "staff": _part("staff", "member of staff", "id issuer subject created_at"),
    "staff_roles": _part(
        "(select s.*, array(select r.role from staff_roles r where r.staff_id = s.id order by 1) as roles from staff s)"
        " as with_roles",
        "name, address or roles of member of staff",
        "id name email active roles",
        since="",
        rewritten=True,
    ),
    LETTERS: _part(LETTERS, "letter", "id template party_id staff_id subject text html created_at", since=""),
}
# A step after which words are final: its entry keeps their hash (`audit.become`).
FINAL: Mapping[tuple[str, str], str] = {
    (LETTERS, LetterStatus.SENT): LETTERS,
    ("cases", CaseStatus.RESOLVED): "ticket_ends",
    ("cases", CaseStatus.WITHDRAWN): "ticket_ends",
}


@dataclass(frozen=True)
class Words:
    """One part of a row, for an entry's `contents`; a row by itself stands for the words that it begins with.

    `also`: what is told of it in other rows.
    """

    part: str
    row: Record
    also: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Other:
    """Words that are not what their entry says. `how`: altered, removed, or without an entry though all after have."""

    part: str
    id: str
    how: str
    entry: int | None = None

    @property
    def words(self) -> str:
        noun = PARTS[self.part].noun
        return f"{noun[0].upper()}{noun[1:]} {self.id}"

    @property
    def text(self) -> str:
        """One sentence without its full stop, for whoever must look."""
        match self.how:
            case "removed":
                return f"{self.words} was recorded by audit entry {self.entry}, and is gone"
            case "unknown":
                return f"{self.words} has no audit entry"
        return f"{self.words} is not what audit entry {self.entry} recorded"


def name(part: str, number: object) -> str:
    return f"{part}:{number}"


def digest(part: str, row: Mapping[str, Any]) -> str:
    """SHA-256 of the row's words in canonical JSON. `row` by column, as the database or a case file has it."""
    values = {
        sealed: _plain(column, row[column] if column in row else row[sealed])
        for column in PARTS[part].columns
        for sealed in [SEALED_AS.get(column, column)]
    }
    return hashlib.sha256(rfc8785.dumps({"table": part, "row": values})).hexdigest()


def hashes(*contents: Record | Words) -> dict[str, str]:
    """For an entry's `after`: the name and the hash of each. The rows are flushed already."""
    found = {}
    for each in contents:
        words = (
            each
            if isinstance(each, Words)
            else Words(SEALED_AS.get(each.__tablename__, each.__tablename__), each)
        )
        part = PARTS[words.part]
        row = {
            column: words.also[column] if column in words.also else getattr(words.row, column)
            for column in part.columns
        }
        found[name(words.part, part.number(row))] = digest(words.part, row)
    return found


# Whoever may write entries may write anything into them: what is no object has no names.
KNOWN = """
    select kept.key, kept.value, e.id
    from audit_entries e, jsonb_each_text(
        case when jsonb_typeof(e.after -> 'content') = 'object' then e.after -> 'content' else '{}' end) kept
    where e.after ? 'content' and kept.value is not null
"""
EVERYWHERE = text(f"{KNOWN} order by e.id")
OF_MILESTONE = text(f"{KNOWN} and e.milestone_id = :milestone_id order by e.id")
NUMBER = re.compile(r"[0-9]{1,18}(-[0-9]{1,18})?")
Kept = dict[str, tuple[str, int]]


def compare(session: Session) -> tuple[list[Other], int]:
    """All that is not what the log says of it; and how many words were recorded before entries kept hashes, so that
    none proves them (of letters, those sent)."""
    all_kept, found = known(_entries(session, EVERYWHERE))
    older = 0
    for part in PARTS:
        kept = _of_part(part, all_kept)
        others, before = _of(session, part, kept)
        found += others
        older += before
    return found, older


def others_of_milestone(session: Session, milestone_id: int) -> Iterator[Other]:
    """What entries about one milestone vouch for, and is altered or gone: before its case leaves the desk."""
    all_kept, found = known(_entries(session, OF_MILESTONE, milestone_id=milestone_id))
    yield from found
    for part in PARTS:
        if kept := _of_part(part, all_kept):
            yield from _of(session, part, kept, only=list(kept))[0]


def known(entries: Iterable[tuple[str, str, int]]) -> tuple[Kept, list[Other]]:
    """The hash that counts for each name: the first, and a later one must agree, unless the words may be rewritten.

    `entries`: name, hash and entry of all that was kept, in the order of the log.
    """
    kept: Kept = {}
    found = []
    for key, value, entry in entries:
        part, _, number = key.partition(":")
        if part not in PARTS or not NUMBER.fullmatch(number):
            continue
        if PARTS[part].rewritten:
            kept[key] = (value, entry)
        elif kept.setdefault(key, (value, entry))[0] != value:
            found.append(Other(part, number, "altered", kept[key][1]))
    return kept, found


def _entries(session: Session, statement: TextClause, **given: int) -> Iterator[tuple[str, str, int]]:
    return ((row.key, row.value, row.id) for row in session.execute(statement, given))


def _of_part(part: str, kept: Kept) -> Kept:
    return {
        number: each
        for key, each in kept.items()
        for table, _, number in [key.partition(":")]
        if table == part
    }


def _of(session: Session, part: str, kept: Kept, *, only: list[str] | None = None) -> tuple[list[Other], int]:
    """What is other than recorded, and how many rows have no hash and are from before there were any."""
    found, seen = [], set()
    older, since = 0, PARTS[part].since
    for row in _rows(session, part, only):
        number = PARTS[part].number(row)
        if number in kept:
            seen.add(number)
            recorded, entry = kept[number]
            if recorded != digest(part, row):
                found.append(Other(part, number, "altered", entry))
        elif since and row[since] is not None:
            if seen:
                found.append(Other(part, number, "unknown"))
            else:
                older += 1
    if part == LETTERS and only is None:
        sent = session.execute(text("select count(*) from notifications where status = 'SENT'")).scalar_one()
        older = max(int(sent) - len(kept), 0)
    gone = sorted(kept.keys() - seen, key=lambda number: [int(each) for each in number.split("-")])
    return [*found, *(Other(part, number, "removed", kept[number][1]) for number in gone)], older


def _rows(session: Session, part: str, only: list[str] | None = None) -> Iterator[Mapping[str, Any]]:
    """In the order in which they came to have these words."""
    chosen = PARTS[part]
    wanted = select(*(text(column) for column in chosen.columns)).select_from(text(chosen.table))
    if only is not None:
        wanted = wanted.where(text(f"concat_ws('-', {', '.join(chosen.key)}) = any(:only)"))
    keys = ", ".join(chosen.key)
    order = f"{chosen.since} nulls last, {keys}" if chosen.since else keys
    given = {} if only is None else {"only": only}
    for row in session.execute(wanted.order_by(text(order)), given).mappings():
        yield dict(row)


def _plain(column: str, value: Any) -> Any:
    if isinstance(value, str) and column.endswith("at"):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, str) else value

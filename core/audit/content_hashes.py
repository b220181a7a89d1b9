"""What a row of words says, as one hash: the entry about the row keeps it, and whoever verifies computes it again.

One function for everybody: `audit.record(…, contents=[row])` writes it, verification and `check` hold the rows of today
against it, a case file proves its texts by it without the database. Columns that change by law (a status, a try) are
no part of it; what a row is told later (how a case ended, why a hold was lifted) is a part of its own. Rows from before
there were hashes are listed by the migration that came with the list (`unhashed_content`), counted, and never called
intact; any other row without a hash was put in past the desk. A part that is added later lists its own rows of before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import rfc8785

from core.db import Record
from core.rules.cases import CaseStatus
from core.rules.notifications import LetterStatus

KEPT_IN = "content"  # the name in an entry's `after`: {"messages:12": "9f2c…"}


@dataclass(frozen=True)
class Part:
    """Words that a row has from one moment on. `noun` is what they are called.

    `said`: which rows have them, in SQL. `rewritten`: they may be said again, and the last entry counts.
    """

    table: str
    noun: str
    columns: tuple[str, ...]
    said: str = "true"
    rewritten: bool = False
    key: tuple[str, ...] = ("id",)

    def number(self, row: Mapping[str, Any]) -> str:
        return "-".join(str(row[column]) for column in self.key)


def _part(table: str, noun: str, columns: str, **also: Any) -> Part:
    return Part(table, noun, tuple(columns.split()), **also)


# What entries said before a table or a column took its present name; hashes are computed over the words of then.
SEALED_AS: Mapping[str, str] = {"cases": "tickets", "case_id": "ticket_id", "settlement_proposals": "offers"}
LETTERS = "notifications"  # a letter's words are hashed when it is sent
ENDED = "coalesce(resolved_at::text, resolution, resolution_notes) is not null"
LIFTED = "coalesce(released_at::text, released_by::text, release_reason) is not null"
SETTLED = "coalesce(settled_at::text, settled_by::text, outcome) is not null"
ANSWERED = "coalesce(settled_at::text, settled_by::text, note) is not null"
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
        "settlement_proposals",
        "settlement proposal",
        "id case_id proposed_by currency release_minor refund_minor note made_at",
    ),
    "decisions": _part(
        "decisions",
        "decision",
        "id case_id outcome ground reasons currency release_minor refund_minor plan_hash maker_id made_at",
    ),
    "tickets": _part(
        "cases", "case", "id milestone_id opened_by opened_by_staff reason opened_at corrects_id"
    ),
    "ticket_details": _part("cases", "complaint of case", "id details", rewritten=True),
    "ticket_ends": _part(
        "cases", "resolution of case", "id resolution resolution_notes resolved_at", said=ENDED
    ),
    "holds": _part("holds", "hold", "id milestone_id kind reason report_id placed_by placed_at"),
    "hold_ends": _part("holds", "lifting of hold", "id released_by released_at release_reason", said=LIFTED),
    "debt_write_offs": _part(
        "debt_write_offs",
        "write-off of a debt",
        "id party_id currency amount_minor reason proposed_by proposed_at",
    ),
    "periods": _part(
        "periods",
        "closed period",
        "id kind first_day last_day closed_by closed_via closed_at explanation last_journal summary",
    ),
    "bank_change_proposals": _part(
        "bank_change_proposals",
        "proposal about a payee's bank account",
        "id bank_change_id decision until reason proposed_by proposed_at",
    ),
    "bank_change_proposal_ends": _part(
        "bank_change_proposals",
        "answer to a proposal about a payee's bank account",
        "id settled_by settled_at note",
        said=ANSWERED,
    ),
    "period_ends": _part(
        "periods", "reopening of closed period", "id reopening_id", said="reopening_id is not null"
    ),
    "year_end_entries": _part(
        "year_end_entries", "year-end closing entry", "journal_id period_id", key=("journal_id",)
    ),
    "year_end_reversals": _part(
        "year_end_entries",
        "reversal of year-end closing entry",
        "journal_id reversal_id",
        said="reversal_id is not null",
        key=("journal_id",),
    ),
    "period_reopenings": _part(
        "period_reopenings", "request to reopen a period", "id period_id reason proposed_by proposed_at"
    ),
    "period_reopening_ends": _part(
        "period_reopenings",
        "answer to a request to reopen a period",
        "id settled_by settled_at note",
        said=ANSWERED,
    ),
    "manual_journals": _part(
        "manual_journals",
        "manual journal",
        "id currency posted_on memo reason account_codes amounts reverses_id attachment_name attachment_sha256"
        " proposed_by proposed_at",
    ),
    "manual_journal_ends": _part(
        "manual_journals",
        "answer to manual journal",
        "id settled_by settled_at note journal_id",
        said=ANSWERED,
    ),
    "manual_journal_reversals": _part(
        "manual_journals",
        "reversal by manual journal",
        "id reverses_journal_id",
        said="reverses_journal_id is not null",
    ),
    "manual_journal_breaks": _part(
        "manual_journals", "break of manual journal", "id break_id", said="break_id is not null"
    ),
    "repayment_plans": _part(
        "repayment_plans", "repayment plan", "id party_id currency after_journal reason agreed_by agreed_at"
    ),
    "repayment_plan_ends": _part(
        "repayment_plans",
        "end of a repayment plan",
        "id ended_by ended_at end_reason",
        said="ended_at is not null",
    ),
    "repayment_instalments": _part(
        "repayment_instalments", "instalment of a repayment plan", "id plan_id position due_on amount_minor"
    ),
    "payee_holds": _part("payee_holds", "hold on a payee", "id party_id kind reason placed_by placed_at"),
    "payee_hold_ends": _part(
        "payee_holds",
        "lifting of a hold on a payee",
        "id released_by released_at release_reason",
        said=LIFTED,
    ),
    "erasures": _part("erasures", "erasure", "id party_id reason proposed_by proposed_at"),
    "erasure_ends": _part("erasures", "answer to an erasure", "id settled_by settled_at note", said=ANSWERED),
    "legal_holds": _part("legal_holds", "legal hold", "id party_id reason placed_by placed_at"),
    "legal_hold_ends": _part(
        "legal_holds",
        "lifting of a legal hold",
        "id lifted_by lifted_at lift_reason",
        said="lifted_at is not null",
    ),
    "hold_lifts": _part(
        "hold_lifts",
        "proposal to lift a hold",
        "id hold_id payee_hold_id reason proposed_by proposed_at",
    ),
    "hold_lift_ends": _part(
        "hold_lifts",
        "answer to a proposal to lift a hold",
        "id settled_by settled_at note",
        said=ANSWERED,
    ),
    "role_grants": _part(
        "role_grants", "proposal to give roles", "id staff_id roles reason proposed_by proposed_at"
    ),
    "role_grant_ends": _part(
        "role_grants", "answer to a proposal to give roles", "id settled_by settled_at note", said=ANSWERED
    ),
    "staff_invitations": _part(
        "staff_invitations",
        "invitation to join the staff",
        "id email name title skills roles reason invited_by invited_at expires_at",
    ),
    "staff_invitation_ends": _part(
        "staff_invitations",
        "end of an invitation to join the staff",
        "id staff_id ended_by ended_at",
        said="ended_at is not null",
    ),
    "ties_ruled_out": _part(
        "ties_ruled_out",
        "tie declared wrong",
        "staff_id party_id reason ruled_by ruled_at",
        key=("staff_id", "party_id"),
    ),
    "reports": _part(
        "reports",
        "report",
        "id project_id milestone_id external_id kind source severity details author_kind author_id subject_id at",
    ),
    "report_ends": _part(
        "reports", "outcome of report", "id outcome note settled_by settled_at", said=SETTLED
    ),
    "review_ends": _part(
        "risk_reviews",
        "outcome of review",
        "id outcome note reports settled_by settled_at",
        said="settled_at is not null",
    ),
    "chargeback_evidence": _part(
        "chargeback_evidence", "answer to a bank", "id chargeback_id texts files drafted_by drafted_at"
    ),
    "chargeback_files": _part(
        "chargeback_files",
        "file for a bank",
        "id chargeback_id origin title media_type size_bytes pages sha256 owner_id contents added_by added_at",
    ),
    "chargeback_remarks": _part(
        "chargeback_remarks", "remark on a chargeback", "id chargeback_id body written_by written_at"
    ),
    "chargeback_acceptances": _part(
        "chargeback_acceptances",
        "acceptance of a chargeback",
        "id chargeback_id reason proposed_by proposed_at",
    ),
    "ticket_mediators": _part("cases", "mediator of case", "id mediator_id", rewritten=True),
    "handovers": _part("handovers", "handover note", "id case_id by_id to_id note at"),
    "recusals": _part("recusals", "recusal", "case_id staff_id reason at", key=("case_id", "staff_id")),
    "staff": _part("staff", "member of staff", "id issuer subject created_at"),
    "staff_roles": _part(
        "(select s.*, array(select r.role from staff_roles r where r.staff_id = s.id order by 1) as roles from staff s)"
        " as with_roles",
        "name, address or roles of member of staff",
        "id name email active roles",
        rewritten=True,
    ),
    "bank_accounts": _part(
        "bank_accounts",
        "bank account",
        "id code name currency identifier opened_by opened_at",
        rewritten=True,
    ),
    "receipts": _part(
        "receipts",
        "document",
        "id number kind milestone_id payer_id payee_id payer_name payee_name currency total_minor lines scope"
        " scope_hash issuer_name issuer_address issuer_tax_id tax_bps tax_minor payment_method original_id at",
    ),
    "csv_mappings": _part("csv_mappings", "mapping of a CSV", "id name version definition made_by made_at"),
    "bank_statement_files": _part(
        "bank_statement_files",
        "file of bank statements",
        "id sha256 name format size_bytes mapping_id imported_by imported_via imported_at",
    ),
    "bank_statements": _part(
        "bank_statements",
        "bank statement",
        "id file_id account_id number reference currency first_on last_on opening_minor closing_minor balances lines"
        " lines_hash",
    ),
    LETTERS: _part(
        LETTERS,
        "letter",
        "id template party_id staff_id subject text html created_at",
        said="status = 'SENT'",
    ),
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
    """Words that are not what their entry says. `how`: altered, removed; unknown: without an entry; derived: not what
    follows from the entry; misfit: not what the plan says that was confirmed. `what`: which of the row's facts."""

    part: str
    id: str
    how: str
    entry: int | None = None
    what: str = ""

    @property
    def words(self) -> str:
        noun = PARTS[self.part].noun
        which = f" ({self.what})" if self.what else ""
        return f"{noun[0].upper()}{noun[1:]} {self.id}{which}"

    @property
    def text(self) -> str:
        """One sentence without its full stop, for whoever must look."""
        match self.how:
            case "removed":
                return f"{self.words} was recorded by audit entry {self.entry}, and is gone"
            case "unknown":
                return f"{self.words} has no audit entry"
            case "derived":
                return f"{self.words} does not follow from audit entry {self.entry} and the policy"
            case "misfit":
                return f"{self.words} is not what the plan says whose hash was recorded"
        return f"{self.words} is not what audit entry {self.entry} recorded"


def name(part: str, number: object) -> str:
    return f"{part}:{number}"


def digest(part: str, row: Mapping[str, Any]) -> str:
    """SHA-256 of the row's words in canonical JSON. `row` by column, as the database or a case file has it."""
    values = {
        sealed: plain_value(column, row[column] if column in row else row[sealed])
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


def plain_value(column: str, value: Any) -> Any:
    if isinstance(value, str) and (column == "at" or column.endswith("_at")):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value

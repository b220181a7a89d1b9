"""Whose words stand where, and what stands there once a person is erased: one table for all of it.

The database has the same list (`personal_data`), and its function `erase_person` goes through it in this order. A text
column of the database is in one of three lists, which a test holds against its catalogue: `ERASED`, `KEPT` with the
reason, or `NOTHING_PERSONAL`.

In SQL `r` is the row, and `e` the erasure: `e.party`, `e.projects`, `e.milestones`, `e.cases` (theirs), `e.names` (a
pattern of the names and addresses that they ever had here), `e.ids` (that, and what the marketplace and Stripe call
them), `e.words` (every line that they wrote here), `e.documents_before`, `e.at`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

WORD = "erased"
_ERASED = f"'{WORD}'"
_MILESTONE = "r.milestone_id = any(e.milestones)"
_CASE = "r.case_id = any(e.cases)"
_PROJECT = "r.project_id = any(e.projects)"
_CHARGEBACK = (
    "exists (select from chargebacks b where b.id = r.chargeback_id and b.milestone_id = any(e.milestones))"
)


@dataclass(frozen=True)
class Erased:
    """Columns of one table. `whose`: which rows; `becomes`: by column, what stands there afterwards."""

    table: str
    whose: str
    becomes: Mapping[str, str]

    @property
    def sets(self) -> str:
        return ", ".join(f"{column} = {value}" for column, value in self.becomes.items())

    @property
    def line(self) -> tuple[str, str, str]:
        """As the database has it."""
        return self.table, self.whose, self.sets


def _own(table: str, whose: str, columns: str, **others: str) -> Erased:
    """What this person wrote, or what is written to them."""
    return Erased(table, whose, {**dict.fromkeys(columns.split(), _ERASED), **others})


def _named(table: str, whose: str, columns: str = "", *, json: str = "") -> Erased:
    """What others wrote about a matter of theirs: only names and addresses of this person are taken out."""
    texts, documents = columns.split(), json.split()
    said = ", ".join([*(f"r.{each}" for each in texts), *(f"r.{each}::text" for each in documents)])
    becomes = {each: f"without_names(r.{each}, e.names)" for each in texts}
    becomes |= {each: f"without_names(r.{each}::text, e.names)::jsonb" for each in documents}
    where = f"({whose}) and " if whose else ""
    return Erased(table, f"{where}concat_ws(' ', {said}) ~* e.names", becomes)


def _quoted(table: str, whose: str, columns: str) -> Erased:
    """What the desk wrote to others and may quote this person in: their words are taken out, line by line."""
    said = ", ".join(f"r.{each}" for each in columns.split())
    becomes = {each: f"without_words(r.{each}, e.words)" for each in columns.split()}
    return Erased(table, f"({whose}) and quotes(concat_ws(' ', {said}), e.words)", becomes)


def _in_values(column: str) -> str:
    return f"(select coalesce(jsonb_object_agg(t.key, {_ERASED}), '{{}}') from jsonb_each(r.{column}) t)"


ERASED: Sequence[Erased] = (
    _own("messages", "r.author_kind = 'party' and r.author_id = e.party", "body"),
    _named("messages", _MILESTONE, "body"),
    _own("cases", "r.opened_by = e.party and r.opened_by_staff is null and r.details <> ''", "details"),
    _named("cases", "r.id = any(e.cases)", "details"),
    _own(
        "evidence",
        "r.uploaded_by = e.party",
        "file_name",
        caption="case r.caption when '' then '' else 'erased' end",
    ),
    _named("evidence", _MILESTONE, "file_name caption"),
    _named(
        "evidence_notes",
        "exists (select from evidence v where v.id = r.evidence_id and v.milestone_id = any(e.milestones))",
        "body",
    ),
    _named("party_requests", _CASE, "question"),
    _own("settlement_proposals", "r.proposed_by = e.party and r.note <> ''", "note"),
    _named("settlement_proposals", _CASE, "note"),
    _own("project_reviews", "r.author_id = e.party and r.body <> ''", "body"),
    _named("project_reviews", _PROJECT, "body"),
    _own("reports", "r.author_kind = 'party' and r.author_id = e.party", "details"),
    _named("reports", _PROJECT, "details note"),
    _own("notifications", "r.party_id = e.party", "subject text html", address="null", error="null"),
    _named("notifications", f"{_PROJECT} or {_MILESTONE}", "subject text html error"),
    _quoted("notifications", f"{_PROJECT} or {_MILESTONE}", "subject text html"),
    _named("handovers", _CASE, "note"),
    _named("recusals", _CASE, "reason"),
    _named("case_reveals", _CASE, json="draft"),
    _named("decision_drafts", _CASE, json="content"),
    _named("holds", _MILESTONE, "reason news release_reason"),
    _named("payee_holds", "r.party_id = e.party", "reason release_reason"),
    _named(
        "hold_lifts",
        "exists (select from holds h where h.id = r.hold_id and h.milestone_id = any(e.milestones))"
        " or exists (select from payee_holds h where h.id = r.payee_hold_id and h.party_id = e.party)",
        "reason note",
    ),
    _named("risk_reviews", _MILESTONE, "note"),
    _named("practice_flags", _PROJECT, "resolution"),
    _own(
        "chargeback_files",
        "r.owner_id = e.party",
        "title",
        contents="(select coalesce(jsonb_agg(t || jsonb_build_object('title', 'erased')), '[]')"
        " from jsonb_array_elements(r.contents) t)",
    ),
    _named("chargeback_files", _CHARGEBACK, "title", json="contents"),
    Erased(
        "chargeback_evidence",
        "exists (select from chargebacks b join milestones m on m.id = b.milestone_id join projects p"
        " on p.id = m.project_id where b.id = r.chargeback_id and p.payer_id = e.party)",
        {"texts": _in_values("texts")},
    ),
    _named("chargeback_evidence", _CHARGEBACK, json="texts"),
    _named("chargeback_remarks", _CHARGEBACK, "body"),
    _named("chargeback_acceptances", _CHARGEBACK, "reason note"),
    _named("debt_write_offs", "r.party_id = e.party", "reason note"),
    _named("repayment_plans", "r.party_id = e.party", "reason end_reason"),
    _named(
        "bank_change_proposals",
        "exists (select from bank_changes b where b.id = r.bank_change_id and b.party_id = e.party)",
        "reason note",
    ),
    _named(
        "refund_returns",
        "exists (select from refunds f where f.id = r.refund_id and f.milestone_id = any(e.milestones))",
        "reference reason note",
    ),
    _named(
        "payout_offers",
        "exists (select from payouts w where w.id = r.payout_id and w.party_id = e.party)",
        "reason",
    ),
    _named("suspense_items", _MILESTONE, "reason why proposed_reason"),
    _named("breaks", "", "remark"),
    _named("staff_ties", "r.party_id = e.party", "reason"),
    _named("ties_ruled_out", "r.party_id = e.party", "reason"),
    _named("legal_holds", "r.party_id = e.party", "reason lift_reason"),
    _named("erasures", "r.party_id = e.party", "reason note"),
    _named("unsent_texts", "", "body"),
    _named("exports", "", "name failure", json="filter facts"),
    _named("outgoing_operations", f"{_MILESTONE} or r.party_id = e.party", "last_error", json="payload"),
    _named("outgoing_events", "", "error", json="data"),
    _named("event_deliveries", "", "error answer"),
    Erased(
        "webhook_events",
        "r.payload::text ~* e.ids",
        {"payload": "'{\"erased\": true}'", "error": "without_names(r.error, e.names)"},
    ),
    # Whoever uses the key again is told so (`core.api.http.idempotency`).
    Erased("api_answers", "r.body ~* e.ids", {"status": "410", "body": "''"}),
    Erased(
        "bank_changes",
        "r.party_id = e.party",
        {
            "before_last4": "case when r.before_last4 is not null then '—' end",
            "after_last4": "'—'",
        },
    ),
    Erased(
        "payee_accounts",
        "r.party_id = e.party",
        {
            "banks": "(select coalesce(jsonb_object_agg(t.key, t.value"
            " || jsonb_build_object('called', 'erased', 'last4', '—')), '{}') from jsonb_each(r.banks) t)"
        },
    ),
    Erased("payment_method_setups", "r.party_id = e.party", {"failure": "null"}),
    Erased("party_changes", "r.party_id = e.party", {"before": _ERASED, "after": "''"}),
    Erased(
        "receipts",
        "r.payer_id = e.party and r.at < e.documents_before",
        {"payer_name": _ERASED},
    ),
    Erased(
        "receipts",
        "r.payee_id = e.party and r.at < e.documents_before",
        {"payee_name": _ERASED},
    ),
    Erased(
        "parties",
        "r.id = e.party",
        {
            "name": _ERASED,
            "email": _ERASED,
            "city": "''",
            "language": "'en'",
            "payment_method": "null",
            "method_kind": "null",
            "method_brand": "null",
            "method_last4": "null",
            "method_saved_at": "null",
            "bank_token_sha256": "null",
            "erased_at": "coalesce(r.erased_at, e.at)",
        },
    ),
)

_AGREED = "What was agreed is the other party's contract as well."
_BOOKS = "The books and the bank's statements are kept as they are, by law."
_DECIDED = "A decision stands with its reasons and its plan, which two people approved by their hash."
_LOG = "The log names people by number and words by hash; a reason that staff typed stays as it was sealed."
_IDS = (
    "By this the marketplace and Stripe know them: without it they would be made again, and money not found."
)
KEPT: Mapping[str, str] = {
    "projects.title": _AGREED,
    "projects.scope": _AGREED,
    "projects.bid_reference": _AGREED,
    "milestones.title": _AGREED,
    "milestones.deliverable": _AGREED,
    "receipts.scope": _AGREED,
    "receipts.lines": _AGREED,
    "receipts.payment_method": _BOOKS,
    "decisions.reasons": _DECIDED,
    "decisions.citations": _DECIDED,
    "decisions.plan": _DECIDED,
    "decisions.approval_reasons": _DECIDED,
    "decisions.check_note": _DECIDED,
    "cases.resolution": _DECIDED,
    "cases.resolution_notes": _DECIDED,
    "settlement_proposals.plan": _DECIDED,
    "risk_reviews.reasons": _DECIDED,
    "risk_reviews.reports": _DECIDED,
    "audit_entries.reason": _LOG,
    "audit_entries.before": _LOG,
    "audit_entries.after": _LOG,
    "journals.memo": _BOOKS,
    "journals.cause": _BOOKS,
    "manual_journals.memo": _BOOKS,
    "manual_journals.reason": _BOOKS,
    "manual_journals.note": _BOOKS,
    "manual_journals.attachment_name": _BOOKS,
    "bank_statement_lines.counterparty": _BOOKS,
    "bank_statement_lines.text": _BOOKS,
    "bank_statement_lines.reference": _BOOKS,
    "bank_statement_lines.odd": _BOOKS,
    "bank_statement_files.name": _BOOKS,
    "bank_matches.undone_reason": _BOOKS,
    "parties.external_id": _IDS,
    "parties.country": _IDS,
    "parties.stripe_customer": _IDS,
    "parties.stripe_account": _IDS,
    "payee_accounts.account": _IDS,
    "payment_method_setups.payment_method": _IDS,
    "practice_flags.licensed_in": _DECIDED,
    "practice_flags.needed_in": _DECIDED,
}


def kept_for_good() -> Iterator[str]:
    """Why something of an erased person stays, each reason once."""
    yield from dict.fromkeys(KEPT.values())

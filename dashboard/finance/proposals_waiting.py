"""Work list of everything that waits for a second person, each row leading to where it is answered."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from core.queries import second_person
from core.queries.second_person import ProposalRow, ReviewKind
from core.rules.permissions import Actor, Permission, allowed
from core.rules.proposals import ProposalKind
from dashboard import navigation, request_context
from dashboard.ui import deadlines, header, tables

# Where each kind is answered: the page, and the name under which it is asked for its number.
PLACES: Mapping[ProposalKind | ReviewKind, tuple[str, str | None]] = {
    ProposalKind.DECISION: ("case", "id"),
    ProposalKind.POLICY_CHANGE: ("policy", None),
    ProposalKind.CHARGEBACK_ACCEPTANCE: ("chargebacks", "id"),
    ProposalKind.CHARGEBACK_ANSWER: ("chargebacks", "id"),
    ProposalKind.REFUND_RETURN: ("operations", "id"),
    ProposalKind.SUSPENSE_EXPLANATION: ("reconciliation", None),
    ProposalKind.PERIOD_REOPENING: ("periods", None),
    ProposalKind.DEBT_WRITE_OFF: ("receivables", "payee"),
    ProposalKind.MANUAL_JOURNAL: ("manual_journals", None),
    ProposalKind.BANK_CHANGE: ("bank_changes", "id"),
    ProposalKind.HOLD_LIFT: ("holds", "id"),
    ProposalKind.ROLE_GRANT: ("people", None),
    ProposalKind.ERASURE: ("personal_data", None),
    ReviewKind.EMERGENCY_ROLE: ("people", None),
}


def _leads(row: ProposalRow) -> tuple[str, dict[str, object]]:
    page, name = PLACES[row.kind]
    return page, {name: row.about} if name else {}


def _readable(actor: Actor, row: ProposalRow) -> bool:
    if row.kind is ReviewKind.EMERGENCY_ROLE:  # for whoever may review it: it is answered nowhere else
        return allowed(actor, Permission.MANAGE_STAFF) and actor.id not in (row.maker_id, row.about)
    entry = navigation.on_disk().get(PLACES[row.kind][0])
    return entry is not None and allowed(actor, entry.permission)


def beside_decisions() -> None:
    """On the page of decisions that wait."""
    show(but=ProposalKind.DECISION)


def show(*, but: ProposalKind | None = None) -> None:
    """What the reader may look at, the longest waiting first, without one kind that the page has already."""
    actor = request_context.actor()

    def listed(session: Session) -> list[ProposalRow]:
        return [row for row in second_person.waiting(session) if row.kind != but and _readable(actor, row)]

    with request_context.reading() as session:
        rows = listed(session)
    now, me = request_context.now(), actor.id
    header.section(
        "What else waits for a second person" if but else "Waiting for a second person",
        "Proposed by one person; a row leads to where it is answered.",
    )
    tables.table(
        rows,
        [
            tables.leads("what", "Proposal", to=_leads, width=260),
            tables.money("amount", "Amount", width=116),
            tables.text(
                "maker",
                "Proposed by",
                value=lambda row: "You" if row.maker_id == me else row.maker,
                width=130,
            ),
            tables.text(
                "waits",
                "Waiting for",
                value=lambda row: deadlines.span(now - row.made_at),
                filed=("Proposed at", lambda row: row.made_at),
                width=100,
            ),
            tables.text("words", "Reason", width=320),
        ],
        key="second-person",
        download=tables.Table(
            "waiting-for-a-second-person",
            listed,
        ),
        name="Waiting for a second person",
        empty_state=("Nothing waits", "What one person proposes stands here until another has answered it."),
    )

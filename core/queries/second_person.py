"""Everything that waits for a second person: what one proposed, of any kind, and what one did in an emergency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money
from core.rules.proposals import TERMS, ProposalKind
from core.rules.references import ReferenceKind, reference


class ReviewKind(StrEnum):
    """What one person did at once, and another looks at afterwards."""

    EMERGENCY_ROLE = "EMERGENCY_ROLE"


# Of each kind: what it is about by its number, its maker, when, its reason, and the amount where it is of one.
WAITING: Mapping[ProposalKind | ReviewKind, str] = {
    ProposalKind.DECISION: (
        "select d.case_id, d.maker_id, d.made_at, '', d.currency, d.release_minor + d.refund_minor "
        "from decisions d where d.status = 'AWAITING_APPROVAL'"
    ),
    ProposalKind.POLICY_CHANGE: (
        "select id, proposed_by, proposed_at, reason, null, null from policy_proposals where status = 'PROPOSED'"
    ),
    ProposalKind.CHARGEBACK_ACCEPTANCE: (
        "select c.id, a.proposed_by, a.proposed_at, a.reason, c.currency, c.amount_minor from chargeback_acceptances a "
        "join chargebacks c on c.id = a.chargeback_id where a.status = 'PROPOSED'"
    ),
    ProposalKind.CHARGEBACK_ANSWER: (
        "select c.id, e.drafted_by, e.drafted_at, '', c.currency, c.amount_minor from chargebacks c "
        "cross join lateral (select * from chargeback_evidence e where e.chargeback_id = c.id "
        "order by e.id desc limit 1) e where c.closed_at is null and e.submitted_at is null"
    ),
    ProposalKind.REFUND_RETURN: (
        "select f.operation_id, r.proposed_by, r.proposed_at, r.reason, f.currency, f.amount_minor "
        "from refund_returns r join refunds f on f.id = r.refund_id where r.status = 'PROPOSED'"
    ),
    ProposalKind.SUSPENSE_EXPLANATION: (
        "select id, proposed_by, proposed_at, proposed_reason, currency, amount_minor from suspense_items "
        "where status = 'OPEN' and proposed_as is not null"
    ),
    ProposalKind.PERIOD_REOPENING: (
        "select period_id, proposed_by, proposed_at, reason, null, null from period_reopenings "
        "where status = 'PROPOSED'"
    ),
    ProposalKind.DEBT_WRITE_OFF: (
        "select party_id, proposed_by, proposed_at, reason, currency, amount_minor from debt_write_offs "
        "where status = 'PROPOSED'"
    ),
    ProposalKind.MANUAL_JOURNAL: (
        "select id, proposed_by, proposed_at, memo, currency, (select sum(a) from unnest(amounts) a where a > 0) "
        "from manual_journals where status = 'PROPOSED'"
    ),
    ProposalKind.BANK_CHANGE: (
        "select bank_change_id, proposed_by, proposed_at, reason, null, null from bank_change_proposals "
        "where status = 'PROPOSED'"
    ),
    ProposalKind.HOLD_LIFT: (
        "select coalesce(hold_id, payee_hold_id), proposed_by, proposed_at, reason, null, null from hold_lifts "
        "where status = 'PROPOSED'"
    ),
    ProposalKind.ROLE_GRANT: (
        "select staff_id, proposed_by, proposed_at, reason, null, null from role_grants where status = 'PROPOSED'"
    ),
    ProposalKind.ERASURE: (
        "select party_id, proposed_by, proposed_at, reason, null, null from erasures where status = 'PROPOSED'"
    ),
    ReviewKind.EMERGENCY_ROLE: (
        "select staff_id, given_by, given_at, reason, null, null from emergency_grants where settled_at is null"
    ),
}
EVERY = " union all ".join(
    f"select '{kind.value}' as kind, about, maker_id, made_at, words, currency::text, minor::bigint "
    f"from ({query}) w (about, maker_id, made_at, words, currency, minor)"
    for kind, query in WAITING.items()
)
NUMBERED: Mapping[ProposalKind, ReferenceKind] = {
    ProposalKind.DECISION: "case",
    ProposalKind.CHARGEBACK_ACCEPTANCE: "chargeback",
    ProposalKind.CHARGEBACK_ANSWER: "chargeback",
    ProposalKind.SUSPENSE_EXPLANATION: "suspense",
    ProposalKind.MANUAL_JOURNAL: "manual journal",
    ProposalKind.HOLD_LIFT: "hold",
}


@dataclass(frozen=True)
class ProposalRow:
    """`about` is the number of what it is about, as its page is asked for it; `words` are its maker's."""

    kind: ProposalKind | ReviewKind
    about: int
    maker_id: int
    maker: str
    made_at: datetime
    words: str
    amount: Money | None

    @property
    def id(self) -> str:
        return f"{self.kind.value}-{self.about}"

    @property
    def what(self) -> str:
        """`Manual journal MJ-4`; the noun alone where it has no number that people know."""
        if isinstance(self.kind, ReviewKind):
            return "Role given in an emergency, to be reviewed"
        noun = TERMS[self.kind].noun
        name = NUMBERED.get(self.kind)
        return f"{noun[0].upper()}{noun[1:]}" + (f" {reference(name, self.about)}" if name else "")


def waiting(session: Session) -> list[ProposalRow]:
    """The longest waiting first."""
    query = f"select w.*, s.name as maker from ({EVERY}) w join staff s on s.id = w.maker_id order by w.made_at, w.kind"
    return [
        ProposalRow(
            ProposalKind(row.kind) if row.kind in list(ProposalKind) else ReviewKind(row.kind),
            row.about,
            row.maker_id,
            row.maker,
            row.made_at,
            row.words,
            Money(int(row.minor), row.currency) if row.currency else None,
        )
        for row in session.execute(text(query))
    ]

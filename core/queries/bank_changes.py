"""Payees' new bank accounts: which payouts may go to, and what two people decided about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.queries.bounded_list import Listed
from core.rules.payee_accounts import BankChangeState, BankDecision

MOST = 200
CHANGES = text(
    """
    with known as (
        select c.*, y.name as payee, p.id as proposal_id,
               case when coalesce(a.banks -> c.currency ->> 'id', '') <> c.after_bank then 'REPLACED'
                    when c.refused_at is not null then 'REFUSED'
                    when exists (  -- the same account, refused before or given again since: it is decided about there
                        select from bank_changes s where s.party_id = c.party_id and s.currency = c.currency
                        and s.after_bank = c.after_bank and (s.refused_at is not null or s.id > c.id)
                    ) then 'REPLACED'
                    when c.ended_at is null then 'WAITS'
                    when (a.banks -> c.currency ->> 'usable')::boolean then 'IN_USE' else 'UNUSABLE' end as state
        from bank_changes c join payee_accounts a on a.party_id = c.party_id join parties y on y.id = c.party_id
        left join bank_change_proposals p on p.bank_change_id = c.id and p.status = 'PROPOSED'
    )
    select id, party_id, payee, currency, before_last4 as before, after_last4 as after, at, held_until, ended_at, state,
           proposal_id, count(*) over () as total
    from known
    order by proposal_id is not null desc, state = 'WAITS' desc, state = 'REFUSED' desc, id desc limit :most
    """
)
PROPOSALS = text(
    """
    select w.id, w.decision, w.until, w.reason, w.status, w.proposed_by, w.proposed_at, p.name as proposer,
           s.name as settler, w.settled_at, w.note
    from bank_change_proposals w join staff p on p.id = w.proposed_by left join staff s on s.id = w.settled_by
    where w.bank_change_id = :change order by w.id desc
    """
)


@dataclass(frozen=True)
class BankChangeRow:
    id: int
    party_id: int
    payee: str
    currency: str
    before: str | None
    after: str
    at: datetime
    held_until: datetime
    ended_at: datetime | None
    state: BankChangeState
    proposal_id: int | None


@dataclass(frozen=True)
class ProposalRow:
    id: int
    decision: BankDecision
    until: datetime | None
    reason: str
    status: str
    proposed_by: int
    proposer: str
    proposed_at: datetime
    settler: str | None
    settled_at: datetime | None
    note: str | None


def changes(session: Session, *, limit: int | None = MOST) -> Listed[BankChangeRow]:
    """What waits for a person first, then what waits for its time, what was refused, and the newest of the rest."""
    rows = [dict(row) for row in session.execute(CHANGES, {"most": limit}).mappings()]
    total = max((row.pop("total") for row in rows), default=0)
    return Listed((BankChangeRow(**{**row, "state": BankChangeState(row["state"])}) for row in rows), total)


def proposals(session: Session, change_id: int) -> list[ProposalRow]:
    """What was proposed about this change, newest first."""
    rows = session.execute(PROPOSALS, {"change": change_id}).mappings()
    return [ProposalRow(**{**row, "decision": BankDecision(row["decision"])}) for row in rows]

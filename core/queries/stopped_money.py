"""Money that something stops, whether or not it is due to anybody yet: why, since when, who has it, what comes next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.operations.operation_states import SHORT_OF_MONEY
from core.db import NEWEST
from core.money import Money
from core.queries import payee_accounts, release_blocks
from core.rules import holds
from core.rules.approvals import DecisionStatus
from core.rules.cases import CaseStatus
from core.rules.chargebacks import ChargebackStatus
from core.rules.payee_accounts import BankWait
from core.rules.references import reference
from core.rules.stopped_money import Standing, Stop, on_the_way, standing


@dataclass(frozen=True)
class StoppedMoney:
    """A milestone whose money something stops: all of it that is held or payable, whoever will get it, or lies on the
    payee's account and not in their bank. `id` is the milestone's; `reasons` are the rule's own sentences."""

    id: int
    milestone: str
    project_id: int
    project: str
    payee: str
    amount: Money
    case_id: int | None
    since: datetime
    reasons: tuple[str, ...]
    standing: Standing

    @property
    def why(self) -> str:
        return " ".join(self.reasons)

    @property
    def owner(self) -> str:
        return ", ".join(self.standing.owners)

    @property
    def next(self) -> str:
        return self.standing.next

    @property
    def next_at(self) -> datetime | None:
        return self.standing.at


# The few milestones that something blocks are found first, then named.
WAITING = text(
    """
    with blocked as (
        select milestone_id, opened_at as since from cases where status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')
        union all
        select milestone_id, placed_at from holds where released_at is null
        union all
        select m.id, k.placed_at from payee_holds k join projects p on p.payee_id = k.party_id
        join milestones m on m.project_id = p.id where k.released_at is null
        union all
        select milestone_id, funded_at from payment_orders where chargeback_open
        union all
        select milestone_id, opened_at from risk_reviews where settled_at is null
        union all
        select m.id, r.at from reports r join milestones m on m.project_id = r.project_id
        where r.settled_at is null and (r.milestone_id is null or r.milestone_id = m.id)
          and r.source = 'CONTENT_RULE' and r.severity = 'SEVERE'
        union all
        select milestone_id, created_at from outgoing_operations
        where status = 'BLOCKED' or (status = 'QUEUED' and last_error = :short)
    ), page as materialized (
        select b.milestone_id as id, min(b.since) as since from blocked b
        join payment_orders o on o.milestone_id = b.milestone_id
        where o.held_minor + o.payable_minor > 0
           or exists (select from payouts w where w.milestone_id = b.milestone_id and w.status = 'TRANSFERRED')
        group by b.milestone_id having b.milestone_id < :before order by 1 desc limit :limit
    )
    select page.id, m.title as milestone, p.id as project_id, p.title as project, y.name as payee, y.id as payee_id,
           page.since,
           o.currency, (o.held_minor + o.payable_minor + there.minor)::bigint as minor,
           o.payable_minor + there.minor > 0 as payable
    from page
    cross join lateral (select coalesce(sum(w.amount_minor - w.fee_minor), 0) as minor from payouts w
                        where w.milestone_id = page.id and w.status = 'TRANSFERRED') there
    join milestones m on m.id = page.id
    join projects p on p.id = m.project_id
    join parties y on y.id = p.payee_id
    join payment_orders o on o.milestone_id = m.id
    order by page.id desc
    """
)


# Who has each stop of a release, and when it ends as far as that is known.
STOPS = text(
    """
    select c.milestone_id, 'case' as kind, c.id, s.name as owner, d.status as decided, c.status,
           case when d.status = 'COOLING_OFF' then d.execute_at when d.status is not null then null
                else coalesce(c.answer_due_at, c.decision_due_at, c.mediation_due_at) end as at
    from cases c left join staff s on s.id = c.mediator_id
    left join decisions d on d.case_id = c.id and d.status in ('AWAITING_APPROVAL', 'COOLING_OFF')
    where c.milestone_id = any(:ids) and c.status in ('OPEN', 'UNDER_REVIEW', 'WAITING_PARTY')
    union all
    select h.milestone_id, 'hold', h.id, s.name, null, null, h.expected_end
    from holds h left join staff s on s.id = h.placed_by where h.milestone_id = any(:ids) and h.released_at is null
    union all
    select m.id, 'hold', k.id, s.name, null, null, k.expected_end
    from payee_holds k join projects p on p.payee_id = k.party_id join milestones m on m.project_id = p.id
    join staff s on s.id = k.placed_by where m.id = any(:ids) and k.released_at is null
    union all
    select milestone_id, 'chargeback', id, null, null, status,
           case when status in ('needs_response', 'warning_needs_response') then due_by end
    from chargebacks where milestone_id = any(:ids) and closed_at is null
    union all
    select m.id, 'report', r.id, null, null, null, null
    from reports r join milestones m on m.project_id = r.project_id
    where m.id = any(:ids) and r.settled_at is null and (r.milestone_id is null or r.milestone_id = m.id)
      and r.source = 'CONTENT_RULE' and r.severity = 'SEVERE'
    union all
    select milestone_id, 'risk review', id, null, null, null, null
    from risk_reviews where milestone_id = any(:ids) and settled_at is null
    """
)
PAYMENTS = text(
    """
    select m.id, a.due_at as account_due_at,
           (select max(c.next_try_at) from outgoing_operations c
            where c.milestone_id = m.id and c.status in ('BLOCKED', 'QUEUED')) as tried_at,
           (select s.name from payouts w join staff s on s.id = w.owner_id where w.milestone_id = m.id
            and w.status not in ('PAID', 'CANCELED') order by w.id desc limit 1) as owner
    from milestones m join projects p on p.id = m.project_id
    left join payee_accounts a on a.party_id = p.payee_id
    where m.id = any(:ids)
    """
)


def stopped(session: Session, *, before: int | None = None, limit: int = 51) -> list[StoppedMoney]:
    """Newest milestone first."""
    values = {"before": before or NEWEST, "limit": limit, "short": SHORT_OF_MONEY}
    rows = session.execute(WAITING, values).mappings().all()
    ids = [row["id"] for row in rows]
    facts = release_blocks.facts(session, ids)
    after = release_blocks.after_release(session, ids)
    stops, payments = _stops(session, ids), _payments(session, ids)
    banks = payee_accounts.new_banks(session, {row["payee_id"] for row in rows})
    found = []
    for row in map(dict, rows):
        amount = Money(row.pop("minor"), row.pop("currency"))
        payment = payments[row["id"]]
        wait = banks.get(row.pop("payee_id"), {}).get(amount.currency, BankWait())
        then = after[row["id"]] if row.pop("payable") else ()
        at = {
            "bank_changed": wait.until,
            "payee_account": payment.account_due_at,
            "balance_too_small": payment.tried_at,
        }
        cases = facts[row["id"]].open_cases
        found.append(
            StoppedMoney(
                **row,
                amount=amount,
                case_id=cases[0].id if cases else None,
                reasons=tuple(block.sentence for block in (*holds.blocking(facts[row["id"]]), *then)),
                standing=standing(
                    [*stops.get(row["id"], ()), *on_the_way(then, at)],
                    payout_owner=payment.owner,
                    tried_at=payment.tried_at,
                ),
            )
        )
    return found


def _stops(session: Session, ids: Collection[int]) -> Mapping[int, list[Stop]]:
    found = defaultdict[int, list[Stop]](list)
    for row in session.execute(STOPS, {"ids": list(ids)}):
        found[row.milestone_id].append(Stop(_ends(row), row.at, row.owner))
    return found


def _payments(session: Session, ids: Collection[int]) -> Mapping[int, Any]:
    return {row.id: row for row in session.execute(PAYMENTS, {"ids": list(ids)})}


def _ends(row: Any) -> str:
    name = reference(row.kind, row.id)
    match row.kind:
        case "case":
            return _of_case(row, name)
        case "hold":
            return f"Hold {name} is expected to end" if row.at else f"Somebody lifts hold {name}"
        case "chargeback" if row.status in (
            ChargebackStatus.NEEDS_RESPONSE,
            ChargebackStatus.WARNING_NEEDS_RESPONSE,
        ):
            return f"The bank gets an answer to {name}"
        case "chargeback":
            return f"The bank decides on {name}"
    return f"Compliance settles {row.kind} {name}"


def _of_case(row: Any, name: str) -> str:
    if row.decided == DecisionStatus.COOLING_OFF:
        return f"The decision of case {name} is carried out"
    if row.decided:
        return f"A second person answers the decision of case {name}"
    if row.status == CaseStatus.WAITING_PARTY:
        return f"A party answers in case {name}"
    return f"Case {name} goes to mediation" if row.status == CaseStatus.OPEN else f"Case {name} is decided"

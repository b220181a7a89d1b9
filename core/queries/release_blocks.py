"""What blocks a release, and the payment that follows it, read in one way by the action that releases, by dispatch,
and by the pages that preview it.

Whoever decides asks under the milestone's lock; pages ask the same for as many milestones as they show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.actions.operations.operation_states import SHORT_OF_MONEY
from core.queries import payee_accounts
from core.records import Case, Hold, PayeeHold, PaymentOrder, Payout, Report, RiskReview
from core.rules import client_funds, holds, reports
from core.rules import payee_accounts as account_rules
from core.rules.cases import BLOCKING, CaseStatus
from core.rules.holds import ActiveHold, Facts, HoldKind, OpenCase
from core.rules.payouts import PayoutStatus
from core.rules.refusal_reasons import Block
from core.rules.reports import ReportKind, ReportOutcome, Severity, Source

# Everything that may block, in one statement: whoever releases asks it under the milestone's lock, again and again.
BLOCKERS = text(
    """
    select milestone_id, 'case' as what, id, jsonb_build_object('status', status) as facts
    from cases where milestone_id = any(:milestones) and status = any(:blocking)
    union all
    select milestone_id, 'hold', id, jsonb_build_object('kind', kind, 'reason', concat_ws(' ', reason, news))
    from holds where milestone_id = any(:milestones) and released_at is null
    union all
    select m.id, 'payee_hold', h.id, jsonb_build_object('kind', h.kind, 'reason', h.reason)
    from milestones m join projects p on p.id = m.project_id
    join payee_holds h on h.party_id = p.payee_id and h.released_at is null
    where m.id = any(:milestones)
    union all
    select m.id, 'report', r.id, jsonb_build_object('kind', r.kind, 'source', r.source, 'severity', r.severity,
                                                    'at', r.at, 'outcome', r.outcome)
    from milestones m join reports r on r.project_id = m.project_id and r.settled_at is null
        and (r.milestone_id is null or r.milestone_id = m.id or r.kind = :everywhere)
    where m.id = any(:milestones)
    union all
    select milestone_id, 'review', id, jsonb_build_object('reasons', reasons)
    from risk_reviews where milestone_id = any(:milestones) and settled_at is null
    union all
    select milestone_id, 'chargeback', milestone_id, '{}'
    from payment_orders where milestone_id = any(:milestones) and chargeback_open
    order by what, id
    """
)
READ = (Case, Hold, PayeeHold, Report, RiskReview, PaymentOrder)


def facts(session: Session, milestone_ids: Collection[int]) -> dict[int, Facts]:
    """What may block a release of each of these milestones now."""
    if not milestone_ids:
        return {}
    if any(isinstance(row, READ) for row in (*session.new, *session.dirty)):
        session.flush()
    values = {"milestones": list(milestone_ids), "blocking": [each.value for each in BLOCKING]}
    with session.no_autoflush:
        found = session.execute(BLOCKERS, {**values, "everywhere": ReportKind.OFF_PLATFORM_CONTACT.value})
    known: dict[int, dict[str, list[Any]]] = {number: defaultdict(list) for number in milestone_ids}
    for row in found:
        known[row.milestone_id][row.what].append((row.id, row.facts))
    return {number: _facts(about) for number, about in known.items()}


def _facts(known: Mapping[str, list[tuple[int, Mapping[str, Any]]]]) -> Facts:
    def of(what: str) -> list[tuple[int, Mapping[str, Any]]]:
        return known.get(what, [])

    holding = [(each, what == "payee_hold") for what in ("hold", "payee_hold") for each in of(what)]
    return Facts(
        open_cases=tuple(OpenCase(number, CaseStatus(said["status"])) for number, said in of("case")),
        manual_holds=tuple(
            ActiveHold(number, HoldKind(said["kind"]), said["reason"], of_payee=of_payee)
            for (number, said), of_payee in holding
        ),
        chargeback_open=bool(of("chargeback")),
        severe_content_event=bool(reports.severe_event([_report(*each) for each in of("report")])),
        open_reviews=tuple(reason["sentence"] for _, said in of("review") for reason in said["reasons"]),
    )


def _report(number: int, said: Mapping[str, Any]) -> reports.Known:
    return reports.Known(
        id=number,
        kind=ReportKind(said["kind"]),
        source=Source(said["source"]),
        severity=Severity(said["severity"]),
        at=datetime.fromisoformat(said["at"]),
        outcome=ReportOutcome(said["outcome"]) if said["outcome"] else None,
    )


PAYMENTS = text(
    """
    select o.milestone_id, o.currency, p.payee_id, y.stripe_account is null as no_account,
           exists (select from payout_stops s where s.currency = o.currency and s.released_at is null) as stopped,
           exists (select from outgoing_operations c where c.milestone_id = o.milestone_id and c.kind = 'TRANSFER'
                   and c.status = 'QUEUED' and c.last_error = :short) as short,
           exists (select from payouts w where w.milestone_id = o.milestone_id
                   and w.status = 'ADMINISTRATIVE_REVIEW' and w.stripe_transfer is null) as in_review
    from payment_orders o
    join milestones m on m.id = o.milestone_id
    join projects p on p.id = m.project_id
    join parties y on y.id = p.payee_id
    where o.milestone_id = any(:milestones)
    """
)
BALANCE_TOO_SMALL = Block("balance_too_small", SHORT_OF_MONEY)


def after_release(session: Session, milestone_ids: Collection[int]) -> dict[int, tuple[Block, ...]]:
    """What blocks the payment of released money, besides everything that blocks a release."""
    if not milestone_ids:
        return {}
    values = {"milestones": list(milestone_ids), "short": SHORT_OF_MONEY}
    rows = session.execute(PAYMENTS, values).all()
    accounts = payee_accounts.facts(session, {row.payee_id for row in rows})
    return {
        row.milestone_id: (
            *((holds.NO_ACCOUNT,) if row.no_account else ()),
            *account_rules.blocking(accounts.get(row.payee_id), row.currency),
            *((client_funds.stopped(row.currency),) if row.stopped else ()),
            *((BALANCE_TOO_SMALL,) if row.short else ()),
            *((holds.IN_REVIEW,) if row.in_review else ()),
        )
        for row in rows
    }


def at_the_payee(session: Session, milestone_ids: Collection[int]) -> dict[int, int]:
    """What was transferred to the payee's account of each of these milestones and has not left for their bank yet, in
    minor units; only where there is any."""
    found = session.execute(
        select(Payout.milestone_id, func.sum(Payout.amount_minor - Payout.fee_minor))
        .where(Payout.milestone_id.in_(milestone_ids), Payout.status == PayoutStatus.TRANSFERRED)
        .group_by(Payout.milestone_id)
    )
    return {number: int(minor) for number, minor in found}

"""What waits for a second person and can no longer be confirmed goes back to its maker, before anybody tries.

Its maker may no longer stand for it, what it is about is no longer so, or nobody confirmed it in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.chargebacks import chargeback_acceptance
from core.actions.debts import write_offs
from core.actions.decisions import recorded_decision
from core.actions.parties import bank_decisions
from core.actions.periods import manual_journals, reopening
from core.actions.privacy import erasures
from core.actions.reconciliation import suspense
from core.actions.risk import hold_lifts
from core.actions.staff import policy_change, role_grants
from core.db import is_away
from core.desk import Desk
from core.errors import DeskError
from core.queries.second_person import WAITING
from core.rules.proposals import ProposalKind

log = structlog.get_logger(__name__)

# Where each kind is found without a lock, and looked at once more under it. What says that something was done already
# is not returned: an answer to the bank ends with the bank's last moment, a refund that left by hand with a person.
STALE: Mapping[ProposalKind, tuple[Callable[..., list[int]], Callable[..., bool]]] = {
    ProposalKind.DECISION: (recorded_decision.changed, recorded_decision.return_changed),
    ProposalKind.POLICY_CHANGE: (policy_change.stale, policy_change.return_stale),
    ProposalKind.CHARGEBACK_ACCEPTANCE: (chargeback_acceptance.stale, chargeback_acceptance.return_stale),
    ProposalKind.SUSPENSE_EXPLANATION: (suspense.stale, suspense.return_stale),
    ProposalKind.MANUAL_JOURNAL: (manual_journals.stale, manual_journals.return_stale),
    ProposalKind.DEBT_WRITE_OFF: (write_offs.stale, write_offs.return_stale),
    ProposalKind.BANK_CHANGE: (bank_decisions.stale, bank_decisions.return_stale),
    ProposalKind.ROLE_GRANT: (role_grants.stale, role_grants.return_stale),
    ProposalKind.ERASURE: (erasures.stale, erasures.return_stale),
    ProposalKind.HOLD_LIFT: (hold_lifts.stale, hold_lifts.return_stale),
    ProposalKind.PERIOD_REOPENING: (reopening.stale, reopening.return_stale),
}
# One statement says of which kinds anything waits; a decision is looked at until it is carried out.
WAITS = text(
    " union ".join(f"select '{kind.value}' where exists ({WAITING[kind]})" for kind in STALE)
    + f" union select '{ProposalKind.DECISION.value}' from decisions where status = 'COOLING_OFF'"
)


def return_stale(desk: Desk) -> int:
    """How many were returned. One that breaks stands in nobody's way."""
    return sum(give_back(desk, kind, number) for kind in waiting(desk) for number in found(desk, kind))


def waiting(desk: Desk) -> list[ProposalKind]:
    """The kinds of which anything waits, in the order of `STALE`."""
    with desk.database.glance() as session:
        there = set(session.scalars(WAITS))
    return [kind for kind in STALE if kind.value in there]


def found(desk: Desk, kind: ProposalKind) -> list[int]:
    find, _ = STALE[kind]
    try:
        with desk.database.reading() as session:
            return find(session, now=desk.clock())
    except Exception as problem:  # looked at by a person, and the other kinds still have their time
        if is_away(problem):
            raise
        log.exception("proposals.failed", kind=kind)
        return []


def give_back(desk: Desk, kind: ProposalKind, number: int) -> bool:
    """Whether it was; what a person answered in the meantime is not."""
    _, act = STALE[kind]
    try:
        return desk.database.run(partial(_again, act, desk.clock(), number))
    except DeskError:  # answered by a person in the meantime
        return False
    except Exception as problem:  # looked at by a person, and the others still have their time
        if is_away(problem):
            raise
        log.exception("proposals.failed", kind=kind, number=number)
        return False


def _again(act: Callable[..., bool], now: datetime, number: int, session: Session) -> bool:
    return act(session, now=now, number=number)

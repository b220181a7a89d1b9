"""The second half of a withdrawal: from the payee's account at the provider to their bank."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.operations import operation_states
from core.actions.payouts import release, replaced_banks, withdrawals
from core.desk import Desk
from core.gateways.payments import Payments, PayoutSnapshot, ProviderRefused
from core.processes.outgoing import review
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kind import OutgoingKind
from core.records import OutgoingOperation, Payout
from core.rules.refusal_reasons import Block

CLOCKS_APART = timedelta(hours=1)
BANK_UNUSABLE = "bank_account_unusable"
"""A payout came back from this bank account before, and it was not replaced since."""


def _call(desk: Desk, claim: Claim) -> PayoutSnapshot:
    account, method = claim.payload["account"], claim.payload["method"]
    return desk.payments.payout(*claim.sent_as, account=account, amount=claim.amount, method=method)


def _find(payments: Payments, claim: Claim) -> PayoutSnapshot | None:
    since = claim.created_at - CLOCKS_APART
    return payments.find_payout(claim.key, account=claim.payload["account"], created_from=since)


def _look(payments: Payments, claim: Claim) -> PayoutSnapshot:
    return payments.payout_by_id(claim.at_provider, account=claim.payload["account"])


def _settle(
    session: Session,
    context: MilestoneContext,
    operation: OutgoingOperation,
    snapshot: PayoutSnapshot,
    now: datetime,
) -> None:
    """What failed at a bank account that was replaced meanwhile goes to the new one."""
    withdrawals.settle_payout(session, operation, snapshot, now=now)
    payout = _payout(session, operation)
    if payout is not None:
        replaced_banks.send_again(session, payout.id, now=now)


def _refused(session: Session, operation: OutgoingOperation, refusal: ProviderRefused, now: datetime) -> None:
    """It is over, and a person looks at the payout, unless another bank account comes first."""
    payout = _payout(session, operation)
    review.send_to_review(
        session,
        operation,
        refusal.message,
        now=now,
        payout=payout,
        code=refusal.provider_code,
        end=operation_states.refused,
    )
    if payout is not None and refusal.provider_code == BANK_UNUSABLE:
        replaced_banks.blame_the_bank(session, payout)


def _blocks(session: Session, context: MilestoneContext, operation: OutgoingOperation) -> tuple[Block, ...]:
    return release.blocking_payout(session, context)


def _payout(session: Session, operation: OutgoingOperation) -> Payout | None:
    return session.get(Payout, operation.payload["payout"])


PAYOUT = OutgoingKind(
    call=_call,
    find=_find,
    look=_look,
    settle=_settle,
    refused=_refused,
    waits_for_money=True,
    short_of_money=operation_states.NOT_SETTLED_YET,
    blocks=_blocks,
    payout=_payout,
)

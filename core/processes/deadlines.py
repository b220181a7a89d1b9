"""The table of deadlines: what is due, what is locked before it is looked at once more, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from core.actions.cases import conversation, disputes, mediator_assignment, settlement_proposals
from core.actions.chargebacks import chargeback_letters
from core.actions.debts import debt_reminders, repayment_plans
from core.actions.decisions import confirmation
from core.actions.funding import card_retries, charges
from core.actions.milestones import legal_checklist, ratings, verification, verification_timeout
from core.actions.milestones.milestone_context import open_case, open_milestone
from core.actions.parties import bank_changes
from core.actions.periods import closing_reminders
from core.actions.privacy import retention
from core.actions.risk import hold_ends
from core.actions.staff import emergency
from core.policy.limits import CHARGEBACK_ALARMS
from core.processes import deadline_queries as due
from core.processes.deadline_queries import Due, Moment
from core.queries import receivables
from core.records import BankChange, Chargeback, Decision, Party, ReviewRound, SettlementProposal
from core.rules.permissions import SYSTEM


@dataclass(frozen=True)
class Deadline:
    """One kind of deadline. `act` says whether it did anything; `what` falls due, and `about` which thing.

    docs/time.md tells how each can be seen.
    """

    due: Callable[[Moment], Due]
    lock: Callable[[Session, int], None]
    act: Callable[[Session, int, datetime], bool]
    what: str
    about: str


def _weigh_silence(session: Session, number: int, now: datetime) -> bool:
    """7 days without an answer (milestone-payment-flow, Key Business Rules 5); legal: 72 h (Release Rules)."""
    return verification_timeout.at_deadline(session, now=now, milestone_id=number)


def _remind(session: Session, number: int, now: datetime) -> bool:
    verification.remind(session, now=now, milestone_id=number)
    return True


def _mediate(session: Session, number: int, now: datetime) -> bool:
    disputes.ask_mediation(session, SYSTEM, now=now, milestone_id=number)
    return True


def _escalate(session: Session, number: int, now: datetime) -> bool:
    mediator_assignment.escalate(session, now=now, case_id=number)
    return True


def _pass_on(session: Session, number: int, now: datetime) -> bool:
    return mediator_assignment.pass_on(session, now=now, case_id=number)


def _resume(session: Session, number: int, now: datetime) -> bool:
    """The party had its time to answer; the case goes on without it."""
    context, case = open_case(session, number)
    conversation.resume(session, SYSTEM, context, case, now=now)
    return True


def _execute(session: Session, number: int, now: datetime) -> bool:
    return confirmation.execute_if_due(session, session.get_one(Decision, number), now=now)


def _charge_again(session: Session, number: int, now: datetime) -> bool:
    return card_retries.retry(session, now=now, milestone_id=number)


def _alarm_of_chargeback(days: int) -> Deadline:
    def alarm(session: Session, number: int, now: datetime) -> bool:
        return chargeback_letters.alarm(session, now=now, chargeback_id=number, days=days)

    left = "1 day" if days == 1 else f"{days} days"
    return Deadline(
        partial(due.chargebacks, days=days), _chargeback, alarm, f"Evidence due in {left}", "chargeback"
    )


def _call_payment_off(session: Session, number: int, now: datetime) -> bool:
    return charges.expire(session, now=now, milestone_id=number)


def _open_reviews(session: Session, number: int, now: datetime) -> bool:
    """14 days after both were asked (milestone-payment-flow, Final Project Completion)."""
    return ratings.reveal_if_due(session, number, now=now)


def _expire_settlement_proposal(session: Session, number: int, now: datetime) -> bool:
    return settlement_proposals.expire(session, now=now, proposal_id=number)


def _pay_to_new_bank(session: Session, number: int, now: datetime) -> bool:
    return bank_changes.end(session, number, now=now)


def _remind_of_hold(session: Session, number: int, now: datetime) -> bool:
    return hold_ends.remind(session, number, now=now)


def _hold(session: Session, number: int) -> None:
    hold_ends.locked(session, number)


def _remind_of_debt(session: Session, number: int, now: datetime) -> bool:
    party_id, currency = receivables.account_of(session, number)
    return debt_reminders.remind(session, party_id, currency, now=now)


def _fall_due(session: Session, number: int, now: datetime) -> bool:
    return repayment_plans.fall_due(session, number, now=now)


def _debtor(session: Session, number: int) -> None:
    party_id, _ = receivables.account_of(session, number)
    session.get_one(Party, party_id, with_for_update={"key_share": True}, populate_existing=True)


def _remind_to_close(session: Session, number: int, now: datetime) -> bool:
    return closing_reminders.remind(session, datetime.strptime(str(number), "%Y%m%d").date(), now=now)  # noqa: DTZ007 (a day has no zone)


def _review_checklist(session: Session, number: int, now: datetime) -> bool:
    return legal_checklist.remind(session, number, now=now)


def _remind_of_retention(session: Session, number: int, now: datetime) -> bool:
    return retention.remind(session, number, now=now)


def _end_emergency(session: Session, number: int, now: datetime) -> bool:
    return emergency.end(session, number, now=now)


def _books(session: Session, number: int) -> None:
    closing_reminders.lock(session)


def _bank_change(session: Session, number: int) -> None:
    session.get_one(BankChange, number, with_for_update=True)


def _milestone(session: Session, number: int) -> None:
    open_milestone(session, number)


def _case(session: Session, number: int) -> None:
    open_case(session, number)


def _case_of_decision(session: Session, number: int) -> None:
    _case(session, session.get_one(Decision, number).case_id)


def _case_of_settlement_proposal(session: Session, number: int) -> None:
    _case(session, session.get_one(SettlementProposal, number).case_id)


def _chargeback(session: Session, number: int) -> None:
    _milestone(session, session.get_one(Chargeback, number).milestone_id)


def _round(session: Session, number: int) -> None:
    session.get_one(ReviewRound, number, with_for_update=True)


DEADLINES: Mapping[str, Deadline] = {
    "reminder": Deadline(due.reminders, _milestone, _remind, "Reminder to verify", "milestone"),
    "silence": Deadline(due.silences, _milestone, _weigh_silence, "Payer's time to answer ends", "milestone"),
    "mediation": Deadline(due.mediations, _milestone, _mediate, "Mediation starts", "milestone"),
    "deadlock": Deadline(due.deadlocks, _case, _escalate, "Decision overdue: escalation", "case"),
    "reassignment": Deadline(due.reassignments, _case, _pass_on, "Goes to another mediator", "case"),
    "answer": Deadline(due.answers, _case, _resume, "Party's time to reply ends", "case"),
    "execution": Deadline(due.executions, _case_of_decision, _execute, "Decision executed", "decision"),
    "card_retry": Deadline(due.card_retries, _milestone, _charge_again, "Card charged again", "milestone"),
    "confirmation": Deadline(
        due.confirmations,
        _milestone,
        _call_payment_off,
        "Payer's time to confirm a payment ends",
        "milestone",
    ),
    "offer": Deadline(
        due.settlement_proposals,
        _case_of_settlement_proposal,
        _expire_settlement_proposal,
        "Proposal expires",
        "settlement proposal",
    ),
    "reviews": Deadline(due.reviews, _round, _open_reviews, "Reviews revealed", "project"),
    "bank_change": Deadline(
        due.bank_changes,
        _bank_change,
        _pay_to_new_bank,
        "Payouts to a new bank account resume",
        "bank change",
    ),
    **{f"chargeback_{days}": _alarm_of_chargeback(days) for days in CHARGEBACK_ALARMS},
    "instalment": Deadline(
        due.instalments, repayment_plans.lock_of, _fall_due, "Instalment of a debt falls due", "debt"
    ),
    "debt": Deadline(due.debts, _debtor, _remind_of_debt, "Payee reminded of a debt", "debt"),
    "unclosed_day": Deadline(due.unclosed_days, _books, _remind_to_close, "Day to be closed by now", "day"),
    "legal_review": Deadline(
        due.legal_reviews,
        legal_checklist.lock,
        _review_checklist,
        "Legal checklist to be reviewed",
        "signature",
    ),
    "retention_run": Deadline(
        due.retention_runs, retention.lock, _remind_of_retention, "Retention run due", "month"
    ),
    "emergency_role": Deadline(
        due.emergency_roles, emergency.lock, _end_emergency, "Emergency role ends", "emergency role"
    ),
    "hold_end": Deadline(due.hold_ends, _hold, _remind_of_hold, "Expected end of a hold", "hold"),
}

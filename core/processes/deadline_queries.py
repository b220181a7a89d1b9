"""What is due: one query for each kind of stored deadline, giving an id and the instant at which it fell due.

Asked twice: to find what is due, and once more for one id under its lock. `now` is a moment, or the parameter for one
in a statement that is made once and asked often.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    DateTime,
    Select,
    bindparam,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import aliased

from core.policy.limits import CHARGEBACK_ALARMS, DAY_CLOSED_WITHIN, DEBT_REMINDED_EVERY
from core.queries.periods import CLOSED_AS
from core.queries.receivables import OPEN_PARTS
from core.records import (
    BankChange,
    BankChangeProposal,
    Case,
    Charge,
    Chargeback,
    Decision,
    EmergencyGrant,
    Hold,
    LegalSignature,
    Milestone,
    Notification,
    PayeeHold,
    PaymentOrder,
    Project,
    ReviewRound,
    SettlementProposal,
    Staff,
    StaffRole,
    StaffTie,
)
from core.records.people import found_ties
from core.rules.approvals import DecisionStatus
from core.rules.cases import BLOCKING, CaseStatus
from core.rules.chargebacks import ANSWERABLE
from core.rules.milestones import Status
from core.rules.payee_accounts import BankDecision
from core.rules.permissions import Role
from core.rules.proposals import ProposalStatus
from core.rules.settlement_proposals import SettlementProposalStatus

Due = Select[Any, Any]
Moment = datetime | BindParameter[datetime]


def reminders(now: Moment) -> Due:
    """Nobody is reminded of what silence approves at this very instant, or would have approved long ago; where it does
    not, the letter at the end of the time to answer is the reminder."""
    at, until = Milestone.next_reminder_at, Milestone.answer_due_at
    return select(Milestone.id, at.label("at")).where(
        at <= now,
        Milestone.status == Status.PENDING_VERIFICATION,
        or_(until.is_(None), until > now, Milestone.unanswered_at.is_not(None)),
    )


def silences(now: Moment) -> Due:
    """The payer's time to answer is over, and nothing was made of it yet."""
    at = Milestone.answer_due_at
    return select(Milestone.id, at.label("at")).where(
        at <= now, Milestone.unanswered_at.is_(None), Milestone.status == Status.PENDING_VERIFICATION
    )


def mediations(now: Moment) -> Due:
    at = Case.mediation_due_at
    return (
        select(Case.milestone_id.label("id"), at.label("at"))
        .join(Milestone, Milestone.id == Case.milestone_id)
        .where(at <= now, Case.status.in_(BLOCKING), Milestone.status == Status.DISPUTED)
    )


def deadlocks(now: Moment) -> Due:
    """A decision that only waits for its cooling-off was made in time."""
    at = Case.decision_due_at
    cooling = select(Decision.case_id).where(Decision.status == DecisionStatus.COOLING_OFF)
    return select(Case.id, at.label("at")).where(
        at <= now, Case.status.in_(BLOCKING), Case.escalated.is_(False), Case.id.not_in(cooling)
    )


def reassignments(now: Moment) -> Due:
    """Whoever has the case left, is no mediator any more, or is tied to one of its parties, by what was declared or by
    what was found: due at once."""
    mediates = exists().where(StaffRole.staff_id == Staff.id, StaffRole.role == Role.MEDIATOR)
    tied = exists().where(
        StaffTie.staff_id == Staff.id, StaffTie.party_id.in_((Project.payer_id, Project.payee_id))
    )
    found = exists().where(
        found_ties.c.staff_id == Staff.id, found_ties.c.party_id.in_((Project.payer_id, Project.payee_id))
    )
    return (
        select(Case.id, Case.opened_at.label("at"))
        .join(Staff, Staff.id == Case.mediator_id)
        .join(Milestone, Milestone.id == Case.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(Case.status.in_(BLOCKING), or_(~Staff.active, ~mediates, tied, found))
    )


def answers(now: Moment) -> Due:
    at = Case.answer_due_at
    return select(Case.id, at.label("at")).where(at <= now, Case.status == CaseStatus.WAITING_PARTY)


def executions(now: Moment) -> Due:
    at = Decision.execute_at
    return select(Decision.id, at.label("at")).where(at <= now, Decision.status == DecisionStatus.COOLING_OFF)


def hold_ends(now: Moment) -> Due:
    """Holds of milestones and of payees, which are numbered in one series; each placer is reminded once of an end."""
    parts = [
        select(each.id.label("id"), each.expected_end.label("at")).where(
            each.expected_end <= now, each.released_at.is_(None), each.reminded_at.is_(None)
        )
        for each in (Hold, PayeeHold)
    ]
    both = union_all(*parts).subquery()
    return select(both.c.id, both.c.at)


def card_retries(now: Moment) -> Due:
    at = PaymentOrder.next_retry_at
    return select(PaymentOrder.milestone_id.label("id"), at.label("at")).where(at <= now)


def confirmations(now: Moment) -> Due:
    """The payer's bank asked them, and they have had their time to confirm the payment."""
    at = Charge.confirm_by
    return select(Charge.milestone_id.label("id"), at.label("at")).where(
        at <= now, Charge.called_off_at.is_(None)
    )


def reviews(now: Moment) -> Due:
    at = ReviewRound.due_at
    return select(ReviewRound.project_id.label("id"), at.label("at")).where(
        at <= now, ReviewRound.revealed_at.is_(None)
    )


def settlement_proposals(now: Moment) -> Due:
    """A settlement proposal ends with its time, or with its case."""
    at = func.least(SettlementProposal.expires_at, Case.resolved_at)
    return (
        select(SettlementProposal.id, at.label("at"))
        .join(Case, Case.id == SettlementProposal.case_id)
        .where(at <= now, SettlementProposal.status == SettlementProposalStatus.OPEN)
    )


def bank_changes(now: Moment) -> Due:
    """Payouts have waited long enough for a payee to say that the new bank account is not theirs, and nobody proposes
    to refuse it or to wait longer."""
    at = BankChange.held_until
    longer = exists().where(
        BankChangeProposal.bank_change_id == BankChange.id,
        BankChangeProposal.status == ProposalStatus.PROPOSED,
        BankChangeProposal.decision != BankDecision.ACCEPT,
    )
    return select(BankChange.id, at.label("at")).where(at <= now, BankChange.ended_at.is_(None), ~longer)


def chargebacks(now: Moment, *, days: int) -> Due:
    """The bank's last moment is `days` away, and staff were not told so; a nearer alarm takes the place of this one,
    and what was heard of later than that was told when it opened."""
    at = Chargeback.due_by - timedelta(days=days)
    nearer = max((each for each in CHARGEBACK_ALARMS if each < days), default=0)
    key = func.concat("chargeback-", Chargeback.id, f"-alarm-{days}-staff-")
    told = exists().where(
        Notification.about_kind == "chargeback",
        Notification.about_id == Chargeback.id,
        Notification.key.startswith(key),
    )
    return select(Chargeback.id, at.label("at")).where(
        Chargeback.due_by <= now + timedelta(days=days),
        Chargeback.due_by > now + timedelta(days=nearer),
        Chargeback.noticed_at < at,
        Chargeback.closed_at.is_(None),
        Chargeback.status.in_(ANSWERABLE),
        ~told,
    )


# The account is the debt: its number says whose it is, and in which currency. What is open of a debt are its newest
# debits (`core.queries.receivables`), so it arose with the oldest of these.
DEBTS = text(
    f"""{OPEN_PARTS}
    select d.account_id as id, coalesce(
        (select max(r.sent_at) from debt_reminders r where r.party_id = d.party_id and r.currency = d.currency),
        o.since
    ) + make_interval(secs => {DEBT_REMINDED_EVERY.total_seconds():.0f}) as at
    from debts d
    left join (select party_id, currency, min(posted_at) as since from open group by 1, 2) o
      on o.party_id = d.party_id and o.currency = d.currency
    where d.due > 0
    """
)
INSTALMENTS = text(
    """
    select i.id, i.due_on::timestamp at time zone 'UTC' as at
    from repayment_instalments i join repayment_plans p on p.id = i.plan_id
    where i.fell_due_at is null and p.ended_at is null
    """
)


def instalments(now: Moment) -> Due:
    """Instalments of debts whose day has come."""
    known = INSTALMENTS.columns(column("id", BigInteger), column("at", DateTime(timezone=True))).subquery(
        "instalments_due"
    )
    return select(known.c.id, known.c.at).where(known.c.at <= now)


# At most one is due, the first that is open (`queries.periods.next_due`): its month where the month before was closed
# as one, else its day. Of a desk that has never closed one, none is.
UNCLOSED = text(
    f"""
    select to_char(o.day, 'YYYYMMDD')::bigint as id,
           greatest((case when o.monthly then o.day + interval '1 month' else o.day + interval '1 day' end)
                    at time zone 'UTC', (select max(sent_at) from period_reminders))
           + make_interval(secs => {DAY_CLOSED_WITHIN.total_seconds():.0f}) as at
    from (select l.day, extract(day from l.day) = 1
                        and coalesce(({CLOSED_AS.format(last="l.day - 1")}) = 'MONTH', false) as monthly
          from (select (open_from at time zone 'UTC')::date as day from ledger_lock
                where open_from > '-infinity') l) o
    where not exists (select from period_reminders r where r.day = o.day)
    """
)


def unclosed_days(now: Moment) -> Due:
    """The first open day or month, when it should be closed and finance was not reminded of it."""
    known = UNCLOSED.columns(column("id", BigInteger), column("at", DateTime(timezone=True))).subquery(
        "unclosed_days"
    )
    return select(known.c.id, known.c.at).where(known.c.at <= now)


# No policy keeps a person for less than half a year (core/policy/bounds.py): of a younger desk nobody is due.
RETENTION = text(
    """
    select to_char(m.at at time zone 'UTC', 'YYYYMM')::bigint as id, m.at
    from (select date_trunc('month', cast(:now as timestamptz), 'UTC') as at) m
    where exists (select from parties p where p.erased_at is null and p.created_at <= m.at - interval '180 days')
      and not exists (select from audit_entries a
        where a.object_kind = 'retention' and a.object_id = to_char(m.at at time zone 'UTC', 'YYYY-MM-DD')
            and a.action = 'system:person:remind_retention')
    """
).bindparams(bindparam("now", type_=DateTime(timezone=True)))


def retention_runs(now: Moment) -> Due:
    """The retention run of this month, where compliance was not reminded of it."""
    asked = RETENTION.bindparams(now=now) if isinstance(now, datetime) else RETENTION
    known = asked.columns(column("id", BigInteger), column("at", DateTime(timezone=True))).subquery(
        "retention_runs"
    )
    return select(known.c.id, known.c.at)


def emergency_roles(now: Moment) -> Due:
    """Roles given in an emergency that nobody has reviewed in time."""
    return select(EmergencyGrant.id, EmergencyGrant.review_by.label("at")).where(
        EmergencyGrant.review_by <= now, EmergencyGrant.settled_at.is_(None)
    )


def legal_reviews(now: Moment) -> Due:
    """Signatures of the legal checklist that are to be reviewed: the newest of each item and jurisdiction."""
    newer = aliased(LegalSignature)
    at = func.timezone("UTC", cast(LegalSignature.review_on, DateTime()), type_=DateTime(timezone=True))
    return select(LegalSignature.id, at.label("at")).where(
        at <= now,
        LegalSignature.reminded_at.is_(None),
        LegalSignature.withdrawn_at.is_(None),
        ~exists().where(
            newer.platform == LegalSignature.platform,
            newer.item == LegalSignature.item,
            newer.jurisdiction == LegalSignature.jurisdiction,
            newer.id > LegalSignature.id,
        ),
    )


def debts(now: Moment) -> Due:
    """Payees who owe money and were not reminded of it lately."""
    known = DEBTS.columns(column("id", BigInteger), column("at", DateTime(timezone=True))).subquery(
        "debts_due"
    )
    return select(known.c.id, known.c.at).where(known.c.at <= now)

"""Every letter that a decision sends, with its reader and its moment: as foreseen now, or as it was written.

Which ones: `core.rules.decision_letters`. Those known to the word carry their text; it is made of the facts that the
execution uses. What depends on what is not known yet is there by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import letters, notifications
from core.actions.cases import settlement_proposals
from core.actions.decisions import cooling_off_letters, plan_letters
from core.actions.milestones import project_progression
from core.actions.milestones.milestone_context import MilestoneContext, open_milestone
from core.actions.payouts import withdrawals
from core.config import Settings
from core.letters import Letter, delivery_rules
from core.letters.frame import Frame
from core.money import Money
from core.policy import WithdrawalMethod
from core.queries import letter_frames, payee_accounts
from core.records import (
    Case,
    Decision,
    Milestone,
    Notification,
    Party,
    Project,
    ReviewRound,
    SettlementProposal,
    Staff,
)
from core.rules import decision_letters
from core.rules.decision_letters import Course, Due, Moment, Sequel
from core.rules.grounds import DecisionOutcome
from core.rules.notifications import LetterStatus
from core.rules.operations import OperationKind

LATER = "the moment at which its cooling-off is over"
Plan = Mapping[str, Any]


@dataclass(frozen=True)
class Ahead:
    """`letter` is None where its text depends on what is not known yet; `written`: when it was, if it was. `about`: the
    next milestone, where the letter is about that. `edited`: with a passage by the mediator. `frame`: what stands
    around it when it is sent."""

    template: str
    audience: str
    to: int
    moment: Moment
    letter: Letter | None
    frame: Frame
    written: datetime | None = None
    about: str | None = None
    muted: bool = False
    edited: bool = False

    @property
    def name(self) -> str:
        return delivery_rules.of(self.template).words


@dataclass(frozen=True)
class Letters:
    """`refund`, `payout`: what is sent by itself, and so what the end of the milestone waits for; `account`: whether
    the payee has one at Stripe, `able`: whether they can be paid there now. `not_before`: when the cooling-off is over,
    if that is known."""

    all: tuple[Ahead, ...]
    cools_off: bool
    refund: bool
    payout: bool
    account: bool
    able: bool
    not_before: datetime | None


def of_settlement_proposal(session: Session, proposal_id: int, *, settings: Settings) -> Letters:
    """Of what the parties agreed on, or would if the proposal were accepted now. Raises what accepting would say."""
    proposal = session.get_one(SettlementProposal, proposal_id)
    plan, papers = settlement_proposals.foreseen(session, proposal_id)
    return foreseen(session, plan, papers, settings=settings, agreement=proposal)


def foreseen(
    session: Session,
    plan: Plan,
    papers: Mapping[str, Letter],
    *,
    settings: Settings,
    decision: Decision | None = None,
    agreement: SettlementProposal | None = None,
) -> Letters:
    """Of a plan that is not confirmed, or of a recorded `decision`; or of an `agreement`. `papers`: the letters of the
    plan as they look."""
    context = open_milestone(session, plan["milestone"], lock=False)
    what, following = _sequel(session, context, plan)
    recorded = decision is not None or (agreement is not None and agreement.plan is not None)
    course = _course(session, context, plan, what, decision, agreed=agreement is not None)
    seen = _Seen(session, settings, context, plan, papers, following, decision, recorded)
    dues = decision_letters.all_of(course)
    if recorded and context.milestone.ended_at is not None:
        dues = tuple(each for each in dues if each.moment is not Moment.OVER)
    found = [*(seen.ahead(each) for each in dues), *seen.after_the_end()]
    return Letters(
        all=tuple(found),
        cools_off=course.cools_off,
        refund=course.refund,
        payout=course.payout,
        account=context.payee.stripe_account is not None,
        able=not payee_accounts.blocking(session, context.payee, context.milestone.currency),
        not_before=decision.execute_at if decision is not None else None,
    )


def _sequel(session: Session, context: MilestoneContext, plan: Plan) -> tuple[Sequel, Milestone | None]:
    refunded = plan["outcome"] == DecisionOutcome.FULL_REFUND
    ends = bool(plan.get("ends_project"))
    what, following = project_progression.foreseen(session, context, refunded=refunded, ends=ends)
    if what is Sequel.REVIEWS and session.get(ReviewRound, context.project.id) is not None:
        return Sequel.NOTHING, None
    return what, following


def _course(
    session: Session,
    context: MilestoneContext,
    plan: Plan,
    what: Sequel,
    decision: Decision | None,
    *,
    agreed: bool,
) -> Course:
    kinds = {each["kind"] for each in plan["operations"]}
    if decision is not None and decision.execute_at is not None:
        cools_off = cooling_off_letters.waits(decision)
    else:
        cools_off = bool(context.profile.cooling_off) and not agreed
    return Course(
        outcome=DecisionOutcome(plan["outcome"]),
        cools_off=cools_off,
        kept_back=bool(plan["amounts"].get("kept_back")),
        refund=OperationKind.REFUND in kinds,
        payout=OperationKind.TRANSFER in kinds,
        sequel=what,
        in_place_of=not agreed and _in_place_of(session, plan, decision) is not None,
        agreed=agreed,
    )


def _in_place_of(session: Session, plan: Plan, decision: Decision | None) -> int | None:
    """The mediator whose case it is, or was when it was decided, if that is not its maker."""
    if decision is None:
        mediator = session.get_one(Case, plan["ticket"]).mediator_id
        return mediator if mediator != plan["maker"] else None
    wanted = select(Notification.staff_id).where(
        Notification.milestone_id == decision.milestone_id,
        Notification.key.startswith(f"decision-{decision.id}-in-place-of-staff-"),
    )
    return session.scalars(wanted).first()


@dataclass(frozen=True)
class _Seen:
    """What the letters of one plan are made of."""

    session: Session
    settings: Settings
    context: MilestoneContext
    plan: Plan
    papers: Mapping[str, Letter]
    following: Milestone | None
    decision: Decision | None
    recorded: bool

    def ahead(self, due: Due) -> Ahead:
        to = self._reader(due.audience)
        row = self._row(due, to)
        staff = due.audience == "staff"
        return Ahead(
            due.template,
            due.audience,
            to,
            due.moment,
            letter=Letter(row.subject, row.text, row.html) if row else self._letter(due),
            frame=letter_frames.of_letter(self.session, self.settings, row.id)
            if row
            else self._frame(due, to),
            written=row.created_at if row else None,
            about=self.following.title if self.following and due.moment is Moment.OVER else None,
            muted=not staff and notifications.muted(self.session, due.template, party_id=to),
            edited=self._edited(due),
        )

    def after_the_end(self) -> list[Ahead]:
        """What was written when the milestone ended: in that transaction, so of that very moment."""
        ended = self.context.milestone.ended_at
        if not self.recorded or ended is None:
            return []
        templates = {each.template for what in Sequel for each in decision_letters.sequel(what)}
        wanted = select(Notification, Milestone.title).join(
            Milestone, Milestone.id == Notification.milestone_id, isouter=True
        )
        wanted = wanted.where(
            Notification.project_id == self.context.project.id,
            Notification.template.in_(templates),
            Notification.created_at == ended,
        ).order_by(Notification.id)
        return [
            Ahead(
                row.template,
                "payer" if row.party_id == self.context.payer.id else "payee",
                row.party_id or 0,
                Moment.OVER,
                Letter(row.subject, row.text, row.html),
                letter_frames.of_letter(self.session, self.settings, row.id),
                written=row.created_at,
                about=title,
                muted=row.status == LetterStatus.MUTED,
            )
            for row, title in self.session.execute(wanted)
        ]

    def _frame(self, due: Due, to: int) -> Frame:
        """As it will be. Of a case are the letters about what was decided, of the next milestone those about it."""
        over = due.moment is Moment.OVER
        money = due.moment in (Moment.REFUND_SENT, Moment.PAYOUT_SENT) or due.template == "debt_kept_back"
        milestone = self.following if over else self.context.milestone
        staff = due.audience == "staff"
        about = letter_frames.About(
            cases=() if over or money else (self.plan["ticket"],),
            milestones=(milestone.id,) if milestone is not None else (),
            projects=(self.context.project.id,),
            platform="" if staff else self.context.project.platform,
        )
        reader = self.session.get(Staff, to) if staff else self.session.get(Party, to)
        name = reader.name if reader is not None else ""
        return letter_frames.around(self.settings, name=name, about=about, templates={due.template})

    def _reader(self, audience: str) -> int:
        if audience == "staff":
            return _in_place_of(self.session, self.plan, self.decision) or 0
        return dict(plan_letters.sides(self.context))[audience].id

    def _edited(self, due: Due) -> bool:
        by = {each["audience"]: "passage" in each for each in self.plan.get("letters", ())}
        own = due.template == "decision_announced" or due.moment is Moment.CARRIED_OUT
        return own and due.template != "debt_kept_back" and by.get(due.audience, False)

    def _row(self, due: Due, to: int) -> Notification | None:
        """As it was written, if it was: found by the key that its execution gives it."""
        key = self.plan["journal"]["key"]
        calls = {each["kind"]: each["key"] for each in self.plan["operations"]}
        keys = {
            "decision_announced": cooling_off_letters.key_of(self.plan, to),
            "debt_kept_back": f"{key}-kept-back",
            "refund_sent": f"{calls.get(OperationKind.REFUND)}-sent",
            "payment_sent": f"{calls.get(OperationKind.TRANSFER)}-sent",
            "case_decided_by_another": f"decision-{self.decision and self.decision.id}-in-place-of-staff-{to}",
        }
        if due.moment is Moment.OVER or not self.recorded:
            return None
        wanted = select(Notification).where(Notification.key == keys.get(due.template, f"{key}-{to}"))
        return self.session.scalars(wanted).one_or_none()

    def _letter(self, due: Due) -> Letter | None:
        """Its text, where every fact of it is known."""
        if due.moment is Moment.CARRIED_OUT and due.template != "debt_kept_back":
            return self.papers.get(due.audience) or self._planned(due.audience)
        facts = self._facts(due)
        if facts is None:
            return None
        about = self.following if due.moment is Moment.OVER and self.following else self.context.milestone
        known = {"amount": Money(about.amount_minor, about.currency), "milestone": about.title, **facts}
        project: Project = self.context.project
        return letters.render(
            due.template, due.audience, project=project.title, platform=project.platform, **known
        )

    def _planned(self, audience: str) -> Letter:
        each = next(each for each in self.plan["letters"] if each["audience"] == audience)
        return Letter(each["subject"], each["text"], "")

    def _facts(self, due: Due) -> dict[str, Any] | None:
        amounts = self.plan["amounts"]
        match due.template:
            case "decision_announced" if "looked" in self.plan:
                at = self.decision.execute_at if self.decision is not None else None
                return cooling_off_letters.facts(
                    self.context, self.plan, due.audience, execute_at=at or f"[{LATER}]"
                )
            case "case_decided_by_another":
                maker = self.session.get_one(Staff, self.plan["maker"])
                return {"case": f"D-{self.plan['ticket']}", "by": maker.name}
            case "refund_sent":
                return {"refunded": Money(amounts["refund_total"], amounts["currency"]).text()}
            case "payment_sent":
                fee = Money(amounts["withdrawal_fee"], amounts["currency"])
                net = Money(amounts["payee_net"], amounts["currency"])
                return withdrawals.told(net + fee, fee, WithdrawalMethod(amounts["withdrawal_method"]))
        if self.following is not None and due.moment is Moment.OVER:
            other = open_milestone(self.session, self.following.id, lock=False)
            return project_progression.next_told(
                other, refunded=self.plan["outcome"] == DecisionOutcome.FULL_REFUND
            )
        return None

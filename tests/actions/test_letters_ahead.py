"""The letters that a plan shows against those that are really written: each course of a decision, to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from core.actions.cases import settlement_proposals
from core.actions.decisions import confirmation
from core.actions.milestones import parties, preferences
from core.config import Settings
from core.money import Money
from core.policy import WithdrawalMethod
from core.processes import provider_accounts
from core.queries import decision_changes, letter_frames, letters_ahead
from core.queries.cases import case as read_case
from core.queries.letters_ahead import LATER, Ahead, Letters
from core.records import Decision, Milestone, Notification, Party, PayeeAccount
from core.rules.decision_letters import Moment
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.actions.test_reversals import transferred
from tests.builders import Told
from tests.sandbox_desk import Market

FULL, PART, BACK = DecisionOutcome.FULL_RELEASE, DecisionOutcome.PARTIAL_RELEASE, DecisionOutcome.FULL_REFUND
GROUNDS = {FULL: Ground.WORK_DELIVERED, PART: Ground.PARTIAL_WORK, BACK: Ground.PROVIDER_NO_SHOW}
PLATFORMS = {"home_services": "KITCHEN", "legal_services": "DOCUMENT_REVIEW"}
CHAIN = {"thanks"}  # of the reviews, and not of the decision
SETTINGS = Settings(
    home_services_contact="help@homes.example",
    home_services_link="https://homes.example/{project}/{milestone}",
    desk_url="https://desk.example",
)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@dataclass(frozen=True)
class Course:
    outcome: DecisionOutcome = PART
    amounts: tuple[int, ...] = (100_000, 50_000)
    ends: bool = False
    by: str = "mia"
    passages: bool = False
    before: Callable[[Market], None] = lambda market: None


def at_once(market: Market) -> None:
    """The payee pays for a quicker way."""
    instant = {"party_id": market.payee_id, "method": WithdrawalMethod.INSTANT}
    market.act(parties.choose_withdrawal, market.payee, **instant)


def muted(market: Market) -> None:
    for who in (market.payer, market.payee):
        quiet = ["next_milestone_active", "project_review_request"]
        market.act(preferences.set, who, party_id=who.id, muted=quiet)


COURSES = {
    "in full": Course(FULL),
    "in full, the last one": Course(FULL, amounts=(100_000,)),
    "in full, withdrawn by hand": Course(FULL, before=Market.withdraws_by_hand),
    "in full, the last one, withdrawn by hand": Course(
        FULL, amounts=(100_000,), before=Market.withdraws_by_hand
    ),
    "in part": Course(PART, passages=True),
    "in part, the last one": Course(PART, amounts=(100_000,)),
    "in part, withdrawn by hand": Course(PART, before=Market.withdraws_by_hand),
    "in part, withdrawn at once": Course(PART, before=at_once),
    "refunded": Course(BACK),
    "refunded, the last one": Course(BACK, amounts=(100_000,)),
    "refunded, the project ends": Course(BACK, ends=True),
    "of a high value": Course(PART, amounts=(800_000, 50_000)),
    "of another's case": Course(PART, by="max"),
    "of readers who muted some": Course(PART, before=muted),
    "of readers who muted some, the last one": Course(PART, amounts=(100_000,), before=muted),
}


@dataclass
class Run:
    """One decision of a course, before it is confirmed."""

    market: Market
    told: Told
    draft: Any
    by: str
    known: set[int]

    @classmethod
    def of(cls, market: Market, platform: str, course: Course) -> Run:
        if platform != "home_services":
            market.newcomers(platform=platform)
        market.pay_in(2_000_000)
        course.before(market)
        amounts = [usd(each) for each in course.amounts]
        told = market.in_mediation(*amounts, project_type=PLATFORMS[platform])
        return cls.undecided(market, told, course)

    @classmethod
    def undecided(cls, market: Market, told: Told, course: Course) -> Run:
        words = {"payer": "Half of the work is there, as both of you have shown."} if course.passages else {}
        draft = builders.a_draft(
            told,
            release=usd(course.amounts[0] * 4 // 10) if course.outcome is PART else None,
            outcome=course.outcome,
            ground=GROUNDS[course.outcome],
            ends_project=course.ends,
            passages=words,
        )
        return cls(market, told, draft, course.by, {each.id for each in market.all(Notification)})

    def planned(self) -> Letters:
        def look(session: Session) -> Letters:
            made, _ = confirmation.preview(
                session, self.market.as_staff(self.by), now=self.market.now, draft=self.draft
            )
            return letters_ahead.foreseen(session, made.content, made.papers, settings=SETTINGS)

        return self.market.read(look)

    def recorded(self, decision_id: int) -> Letters:
        def look(session: Session) -> Letters:
            decision = session.get_one(Decision, decision_id)
            case = read_case(session, decision.case_id, staff_id=None)
            papers = decision_changes.papers(session, case, decision)
            return letters_ahead.foreseen(
                session, decision.plan, papers, settings=SETTINGS, decision=decision
            )

        return self.market.read(look)

    def written(self) -> list[Notification]:
        """Since, without what the reviews bring and without what their readers do not want."""
        return [
            each
            for each in self.market.all(Notification)
            if each.id not in self.known and each.template not in CHAIN
        ]

    def confirm(self) -> Decision:
        decision = builders.decided(self.market, self.told, self.draft, by=self.by)
        if decision.status == "AWAITING_APPROVAL":
            assert {each.template for each in self.written()} <= {"case_decided_by_another"}
            self.market.wait(hours=1)
            approved = {"decision_id": decision.id, "plan_hash": decision.plan_hash}
            decision = self.market.act(confirmation.approve, self.market.as_staff("ada"), **approved)
        return decision

    def to_the_end(self) -> None:
        self.market.work()
        for _ in range(5):
            self.market.later(days=1)


def named(letters: Letters, *moments: Moment) -> list[tuple[str, int]]:
    return sorted((each.template, each.to) for each in letters.all if not moments or each.moment in moments)


def sent(rows: list[Notification]) -> list[tuple[str, int]]:
    return sorted((each.template, each.party_id or each.staff_id or 0) for each in rows)


def same_words(each: Ahead, row: Notification, decision: Decision) -> bool:
    assert each.letter is not None
    at = decision.execute_at
    expected = " ".join(each.letter.text.split())
    if each.template == "decision_announced":
        moment = f"{at:%A} {at.day} {at:%B %Y, %H:%M} UTC"  # type: ignore[union-attr]
        assert f"[{LATER}]" in expected
        expected = expected.replace(f"[{LATER}]", moment)
    return expected == " ".join(row.text.split())


def held_against(run: Run, planned: Letters, decision: Decision) -> None:
    """Each is on the list and none more; what carries a text has it; each at its moment."""
    rows = {(each.template, each.party_id or each.staff_id): each for each in run.written()}
    assert named(planned) == sent(run.written())
    for each in planned.all:
        row = rows[each.template, each.to]
        assert each.muted == (row.status == "MUTED")
        assert each.letter is None or same_words(each, row, decision), each.template
        if not (row.mail or "").startswith("letters-"):  # one of several in a mail shares its frame with them
            around = run.market.read(
                lambda session, row=row: letter_frames.of_letter(session, SETTINGS, row.id)
            )
            assert each.frame == around, each.template
        match each.moment:
            case Moment.CONFIRMED:
                assert row.created_at == decision.made_at
            case Moment.DECIDED:
                assert row.created_at == (decision.checked_at or decision.made_at)
            case Moment.CARRIED_OUT:
                assert row.created_at == decision.executed_at
            case Moment.OVER:
                assert row.created_at == run.market.get(Milestone, run.told.milestone).ended_at
            case Moment.REFUND_SENT | Moment.PAYOUT_SENT:
                assert row.created_at >= decision.executed_at
    told_later = {"debt_kept_back", "project_review_request"}
    assert {each.template for each in planned.all if each.letter is None} <= told_later


AGREED = {"in part": 40_000, "all of it, withdrawn by hand": 100_000, "nothing of it": 0}


@pytest.mark.parametrize("name", AGREED)
def test_what_is_listed_of_an_agreement_is_what_is_sent(market: Market, name: str) -> None:
    market.pay_in(2_000_000)
    (Market.withdraws_by_hand if "by hand" in name else muted)(market)
    told = market.in_mediation(usd(100_000), usd(50_000), project_type=PLATFORMS["home_services"])
    offer = market.act(
        settlement_proposals.propose, market.payer, case_id=told.case, release=usd(AGREED[name])
    )
    known = {each.id for each in market.all(Notification)}
    planned = market.read(
        lambda session: letters_ahead.of_settlement_proposal(session, offer.id, settings=SETTINGS)
    )
    run = Run(market, told, None, "", known)
    market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    run.to_the_end()
    rows = {(each.template, each.party_id): each for each in run.written()}
    assert named(planned) == sent(run.written())
    for each in planned.all:
        row = rows[each.template, each.to]
        assert each.letter is None or " ".join(each.letter.text.split()) == " ".join(row.text.split())
        assert each.muted == (row.status == "MUTED")
    assert {each.to for each in planned.all if each.moment is Moment.CARRIED_OUT} == {
        market.payer_id,
        market.payee_id,
    }
    after = market.read(
        lambda session: letters_ahead.of_settlement_proposal(session, offer.id, settings=SETTINGS)
    )
    assert named(after) == named(planned)
    assert all(each.written for each in after.all)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", COURSES)
def test_what_is_listed_is_what_is_sent(market: Market, platform: str, name: str) -> None:
    run = Run.of(market, platform, COURSES[name])
    planned = run.planned()
    assert planned.cools_off == (platform == "legal_services")
    decision = run.confirm()
    stands = run.recorded(decision.id)
    at_first = [Moment.CONFIRMED, Moment.DECIDED]
    if not planned.cools_off:
        at_first += [Moment.CARRIED_OUT]
        at_first += [] if planned.refund or planned.payout else [Moment.OVER]
    assert named(planned, *at_first) == sent(run.written())
    assert named(stands) == named(planned)
    if planned.cools_off:
        assert stands.not_before == decision.execute_at
    run.to_the_end()
    decision = market.get(Decision, decision.id)
    assert decision.status == "EXECUTED"
    held_against(run, planned, decision)
    over = run.recorded(decision.id)
    assert named(over) == named(planned)
    assert all(each.written and each.letter for each in over.all)
    market.lawful()


@pytest.mark.parametrize("release", [250_000, 20_000])
def test_a_debt_that_is_kept_back_is_listed_with_what_is_left(market: Market, release: int) -> None:
    """All of the smaller release settles the debt: no payout, and none is listed."""
    lost = transferred(market)
    account = market.operations("PAYOUT")[0].payload["account"]
    market.desk.payments.replace_bank("bank", "bank:1", account=account, bank_token="btok_us_verified")
    chargeback = charged_back(market, lost)
    market.desk.payments.payout("by-hand", "by-hand:1", account=account, amount=usd(100_000))
    bank_says(market, chargeback, "lost")
    market.work()
    market.pay_in(2_000_000)
    told = market.in_mediation(usd(300_000), usd(50_000))
    course = Course(PART, amounts=(release * 10 // 4, 50_000))
    run = Run.undecided(market, told, course)
    planned = run.planned()
    templates = {each.template for each in planned.all}
    assert "debt_kept_back" in templates
    assert ("payment_sent" in templates) == (release == 250_000)
    decision = run.confirm()
    run.to_the_end()
    held_against(run, planned, market.get(Decision, decision.id))


def test_what_voids_a_decision_stops_every_letter_that_was_to_come(market: Market) -> None:
    run = Run.of(market, "legal_services", COURSES["in part"])
    decision = run.confirm()
    mia = market.as_staff("mia")
    market.act(confirmation.withdraw, mia, decision_id=decision.id, reason="The other photographs came in.")
    run.to_the_end()
    told = {template for template, _ in sent(run.written())}
    assert {"decision_announced", "decision_voided"} <= told
    assert not told & {each.template for each in run.planned().all if each.moment is not Moment.DECIDED}


def test_the_list_follows_the_project_as_it_is(market: Market) -> None:
    """The next milestone is not asked for when the project ends with this decision, and its title is named if it is."""
    run = Run.of(market, "home_services", COURSES["refunded"])
    about = {each.about for each in run.planned().all if each.moment is Moment.OVER}
    assert about == {"Part 2"}
    assert market.get(Milestone, run.told.milestone).ended_at is None


def test_a_payee_without_an_account_is_told_once_there_is_one(market: Market) -> None:
    def closed(session: Session) -> None:
        session.get_one(Party, market.payee_id).stripe_account = None

    run = Run.of(market, "home_services", Course(FULL, before=lambda here: here.database.run(closed)))
    planned = run.planned()
    assert (planned.payout, planned.account) == (True, False)
    decision = run.confirm()
    run.to_the_end()
    assert named(planned, Moment.CARRIED_OUT) == sent(run.written())
    known = {"currency": "USD", "bank_token": "btok_us_verified"}
    provider_accounts.open_at_provider(market.desk, market.payee_id, **known)
    run.to_the_end()
    held_against(run, planned, market.get(Decision, decision.id))


def test_a_payee_who_cannot_be_paid_is_told_once_they_can(market: Market) -> None:
    def paused(session: Session) -> None:
        session.get_one(PayeeAccount, market.payee_id).payouts_enabled = False

    run = Run.of(market, "home_services", Course(FULL, before=lambda here: here.database.run(paused)))
    planned = run.planned()
    assert (planned.payout, planned.account, planned.able) == (True, True, False)

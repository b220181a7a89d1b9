"""Everything that one person proposes and a second confirms, kind by kind, against all that may become of its maker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.actions.chargebacks import chargeback_acceptance, chargeback_evidence
from core.actions.debts import write_offs
from core.actions.decisions import approvals, recorded_decision
from core.actions.parties import bank_decisions
from core.actions.periods import closing, manual_journals, reopening
from core.actions.privacy import erasures
from core.actions.reconciliation import suspense
from core.actions.refunds import outside_refunds
from core.actions.risk import hold_lifts, holds
from core.actions.staff import members, policy_change, role_grants, ties
from core.db import Database
from core.ledger import accounts, journal_store
from core.ledger.journals import Journal, Posting, credit, debit
from core.money import Money
from core.policy import Platform
from core.policy.limits import PROPOSAL_STANDS
from core.processes import provider_accounts, reconciliation, returned_proposals
from core.queries import second_person
from core.records import (
    BankChange,
    BankChangeProposal,
    ChargebackAcceptance,
    DebtWriteOff,
    Decision,
    Erasure,
    HoldLift,
    ManualJournal,
    Notification,
    PeriodReopening,
    PolicyProposal,
    Recusal,
    RefundReturn,
    RoleGrant,
    SuspenseItem,
)
from core.rules import proposals as rules
from core.rules.payee_accounts import BankDecision
from core.rules.periods import PeriodKind
from core.rules.permissions import SYSTEM, TABLE, Actor, Role
from core.rules.proposals import TERMS, ProposalFallen, ProposalKind
from core.rules.suspense import SettledAs
from dashboard import navigation
from dashboard.finance import proposals_waiting
from tests import builders
from tests.actions.stripe_events import chargeback, charged_back
from tests.actions.test_decisions import ABOVE
from tests.actions.test_duplicate_payments import by_hand
from tests.actions.test_payment_exceptions import came_back, returned
from tests.builders import second_administrator
from tests.sandbox_desk import Market


class Undo(Exception):
    """Whatever was tried did not happen."""


@dataclass
class Story:
    """A proposal that waits: `maker` and `checker` by subject, and how it is confirmed and read."""

    maker: str
    checker: str
    confirm: Callable[..., Any]
    status: Callable[[Session], Any]
    case: int | None = None
    party: int | None = None


def decision(market: Market) -> Story:
    told = market.in_mediation(*ABOVE)
    row = builders.decided(market, told)
    given = {"decision_id": row.id, "plan_hash": row.plan_hash}
    return Story(
        "mia",
        "ada",
        lambda session, actor, now: approvals.approve(session, actor, now=now, **given),
        lambda session: session.get_one(Decision, row.id).status,
        told.case,
        market.payer_id,
    )


def policy(market: Market) -> Story:
    row = market.act(
        policy_change.propose,
        market.as_staff("ada"),
        platform=Platform.HOME_SERVICES,
        changes={"dispute_window": timedelta(days=6)},
        reason="Asked for.",
    )
    return Story(
        "ada",
        "alf",
        lambda session, actor, now: policy_change.approve(session, actor, now=now, proposal_id=row.id),
        lambda session: session.get_one(PolicyProposal, row.id).status,
    )


def acceptance(market: Market) -> Story:
    told = market.in_mediation()
    charged_back(market, told)
    number = chargeback(market).id
    row = market.act(
        chargeback_acceptance.propose, market.as_staff("fay"), chargeback_id=number, reason="They are right."
    )
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: chargeback_acceptance.accept(
            session, actor, now=now, acceptance_id=row.id, typed=f"CB-{number}"
        ),
        lambda session: session.get_one(ChargebackAcceptance, row.id).status,
        told.case,
        market.payee_id,
    )


def answer(market: Market) -> Story:
    told = market.in_mediation()
    charged_back(market, told)
    row = market.act(
        chargeback_evidence.stage,
        market.as_staff("fay"),
        chargeback_id=chargeback(market).id,
        texts={"product_description": "Six cabinets, delivered and hung."},
    )
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: chargeback_evidence.submit(
            session, actor, now=now, evidence_id=row.id, typed=f"CB-{row.chargeback_id}"
        ),
        lambda session: "PROPOSED",
        told.case,
        market.payer_id,
    )


def refund_return(market: Market) -> Story:
    told = came_back(market)
    row = returned(market)
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: outside_refunds.approve(session, actor, now=now, return_id=row.id),
        lambda session: session.get_one(RefundReturn, row.id).status,
        told.case,
        market.payer_id,
    )


def explanation(market: Market) -> Story:
    told = market.in_mediation()
    by_hand(market, 777)
    market.now += timedelta(days=1, hours=1)
    reconciliation.run(market.desk, SYSTEM)
    (item,) = market.all(SuspenseItem)
    assert item.milestone_id == told.milestone
    market.act(
        suspense.propose,
        market.as_staff("fay"),
        item_ids=[item.id],
        settled_as=SettledAs.CONCESSION,
        reason="Goodwill.",
    )
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: suspense.approve(
            session, actor, now=now, item_ids=[item.id], reason="Seen at Stripe."
        ),
        lambda session: "PROPOSED" if session.get_one(SuspenseItem, item.id).proposed_as else "RETURNED",
        told.case,
        market.payee_id,
    )


def period_reopening(market: Market) -> Story:
    market.now += timedelta(days=1)
    reconciliation.run(market.desk, SYSTEM)
    signer = audit.desk_signer(market.desk.database, market.desk.settings.home, now=market.now)
    yesterday = market.now.date() - timedelta(days=1)
    period = market.act(
        closing.close, market.as_staff("fay"), kind=PeriodKind.DAY, day=yesterday, signer=signer
    )
    row = market.act(
        reopening.propose, market.as_staff("fay"), period_id=period.id, reason="A fee is missing."
    )
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: reopening.approve(session, actor, now=now, reopening_id=row.id),
        lambda session: session.get_one(PeriodReopening, row.id).status,
    )


def manual_journal(market: Market) -> Story:
    lines = [Posting("bank", Money(-500, "USD")), Posting("bank_charges", Money(500, "USD"))]
    row = market.act(
        manual_journals.propose,
        market.as_staff("fay"),
        lines=lines,
        posted_on=market.now.date(),
        memo="Account fee",
        reason="On the statement.",
    )
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: manual_journals.approve(session, actor, now=now, number=row.id),
        lambda session: session.get_one(ManualJournal, row.id).status,
    )


def write_off(market: Market) -> Story:
    owed, usd = accounts.receivable_payee(market.payee_id), Money(500, "USD")
    lines = (debit(owed, usd), credit(accounts.CHARGEBACK_LOSSES, usd))
    journal = Journal(
        "lost", "chargeback_lost", lines, None, market.payee_id, "A lost chargeback", {"test": 1}
    )
    market.database.run(lambda session: journal_store.post(session, journal, now=market.now))
    row = market.act(
        write_offs.propose, market.as_staff("fay"), party_id=market.payee_id, amount=usd, reason="Insolvent."
    )
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: write_offs.approve(session, actor, now=now, write_off_id=row.id),
        lambda session: session.get_one(DebtWriteOff, row.id).status,
        party=market.payee_id,
    )


def bank_change(market: Market) -> Story:
    market.control.set_clock(market.now)
    other = "btok_us_insufficientFunds"
    provider_accounts.replace_bank(market.desk, market.payee_id, asked_as="once", bank_token=other)
    (change,) = market.all(BankChange)
    row = market.act(
        bank_decisions.propose,
        market.as_staff("fay"),
        change_id=change.id,
        decision=BankDecision.REFUSE,
        reason="The payee did not make it.",
    )
    return Story(
        "fay",
        "cora",
        lambda session, actor, now: bank_decisions.approve(session, actor, now=now, proposal_id=row.id),
        lambda session: session.get_one(BankChangeProposal, row.id).status,
        party=market.payee_id,
    )


def hold_lift(market: Market) -> Story:
    told = market.in_mediation(*ABOVE)
    held = market.act(holds.place, market.as_staff("fay"), milestone_id=told.milestone, reason="Odd.")
    row = market.act(hold_lifts.propose, market.as_staff("cora"), hold_id=held.id, reason="It was nothing.")
    return Story(
        "cora",
        "ada",
        lambda session, actor, now: hold_lifts.approve(session, actor, now=now, lift_id=row.id),
        lambda session: session.get_one(HoldLift, row.id).status,
        told.case,
        market.payee_id,
    )


def role_grant(market: Market) -> Story:
    row = market.act(
        role_grants.propose,
        market.as_staff("ada"),
        staff_id=market.staff["mia"],
        roles=[Role.FINANCE],
        reason="She audits as well.",
    )
    return Story(
        "ada",
        "alf",
        lambda session, actor, now: role_grants.approve(session, actor, now=now, grant_id=row.id),
        lambda session: session.get_one(RoleGrant, row.id).status,
    )


def erasure(market: Market) -> Story:
    party = builders.a_party(market, "PAYER", "Nobody In Particular")
    row = market.act(
        erasures.propose, market.as_staff("cora"), party_id=party, reason="They asked to be erased."
    )
    return Story(
        "cora",
        "ada",
        lambda session, actor, now: erasures.approve(
            session, actor, now=now, erasure_id=row.id, typed=builders.party_of(market, party).external_id
        ),
        lambda session: session.get_one(Erasure, row.id).status,
        party=party,
    )


STORIES: dict[ProposalKind, Callable[[Market], Story]] = {
    ProposalKind.DECISION: decision,
    ProposalKind.POLICY_CHANGE: policy,
    ProposalKind.CHARGEBACK_ACCEPTANCE: acceptance,
    ProposalKind.CHARGEBACK_ANSWER: answer,
    ProposalKind.REFUND_RETURN: refund_return,
    ProposalKind.SUSPENSE_EXPLANATION: explanation,
    ProposalKind.PERIOD_REOPENING: period_reopening,
    ProposalKind.MANUAL_JOURNAL: manual_journal,
    ProposalKind.DEBT_WRITE_OFF: write_off,
    ProposalKind.BANK_CHANGE: bank_change,
    ProposalKind.HOLD_LIFT: hold_lift,
    ProposalKind.ROLE_GRANT: role_grant,
    ProposalKind.ERASURE: erasure,
}
OF_NOBODY = {
    ProposalKind.POLICY_CHANGE,
    ProposalKind.PERIOD_REOPENING,
    ProposalKind.MANUAL_JOURNAL,
    ProposalKind.ROLE_GRANT,
}  # no party is concerned
REASON = "Told to the administrator."


def happen(what: str, market: Market, story: Story, session: Session) -> None:
    """What becomes of the maker, by the action that does it where there is one for them."""
    number, now, alf = market.staff[story.maker], market.now, market.as_staff("alf")
    match what:
        case rules.GONE:
            members.set_active(session, alf, now=now, staff_id=number, active=False, reason=REASON)
        case rules.NO_ROLE:
            held = market.roles[story.maker]
            members.take_roles(session, alf, now=now, staff_id=number, roles=held, reason=REASON)
        case rules.TIED:
            me = market.as_staff(story.maker)
            ties.declare_tie(
                session, me, now=now, staff_id=number, party_id=story.party or 0, reason="A cousin."
            )
        case rules.RECUSED:
            session.add(Recusal(case_id=story.case, staff_id=number, reason="A cousin.", at=now))
            session.flush()


def tried(market: Market, story: Story, kind: ProposalKind, what: str) -> str | None:
    """The sentence with which it is not confirmed, when this became of its maker; None when it is confirmed."""
    late = timedelta(0) if what != "OLD" else PROPOSAL_STANDS + timedelta(seconds=1)
    now = market.now + late
    checker = Actor("staff", market.staff[story.checker], market.roles[story.checker], authenticated_at=now)
    said: list[str | None] = []

    def act(session: Session) -> None:
        happen(what, market, story, session)
        try:
            done = story.confirm(session, checker, now)
        except ProposalFallen as fallen:
            said.append(str(fallen.facts["why"]))
        else:
            fell = isinstance(done, Decision) and done.status == "VOIDED"
            said.append(done.check_note if fell else None)
        raise Undo

    with pytest.raises(Undo):
        market.database.run(act)
    return said[0]


def seen_to_fall(market: Market, story: Story, kind: ProposalKind) -> list[int]:
    """What a look without a lock finds stale, had the maker lost their roles."""
    seen: list[int] = []

    def look(session: Session) -> None:
        happen(rules.NO_ROLE, market, story, session)
        seen.extend(returned_proposals.STALE[kind][0](session, now=market.now))
        raise Undo

    if not TERMS[kind].stands:
        with pytest.raises(Undo):
            market.database.run(look)
        assert len(seen) == 1
    return seen


@pytest.mark.parametrize("kind", ProposalKind)
def test_a_proposal_falls_with_its_maker_and_with_time(market: Market, kind: ProposalKind) -> None:
    second_administrator(market)
    story = STORIES[kind](market)
    assert tried(market, story, kind, "nothing") is None
    assert tried(market, story, kind, rules.GONE) == rules.GONE
    assert tried(market, story, kind, rules.NO_ROLE) == rules.NO_ROLE
    if story.party is not None:
        assert tried(market, story, kind, rules.TIED) == rules.TIED
    if story.case is not None:
        recused = recorded_decision.MAKER_LEFT if kind is ProposalKind.DECISION else rules.RECUSED
        assert tried(market, story, kind, rules.RECUSED) == recused
    if kind is not ProposalKind.CHARGEBACK_ANSWER:  # the bank's own last moment ends it
        old = None if TERMS[kind].stands else "Nobody confirmed it within 14 days."
        assert tried(market, story, kind, "OLD") == old
    # And without anybody trying: what the maker may no longer stand for is returned, with a letter to them.
    assert returned_proposals.return_stale(market.desk) == 0
    for number in seen_to_fall(market, story, kind):  # and made good before it was locked: it stays
        assert not returned_proposals.give_back(market.desk, kind, number)
    market.database.run(lambda session: happen(rules.NO_ROLE, market, story, session))
    assert TERMS[kind].stands or kind in returned_proposals.waiting(market.desk)
    fallen = [] if TERMS[kind].stands else returned_proposals.found(market.desk, kind)
    assert returned_proposals.return_stale(market.desk) == (0 if TERMS[kind].stands else 1)
    assert returned_proposals.return_stale(market.desk) == 0
    # Another worker, or a person, was quicker: it is left alone.
    assert [returned_proposals.give_back(market.desk, kind, each) for each in fallen] == [False] * len(fallen)
    status = market.read(story.status)
    assert status == (
        "PROPOSED" if TERMS[kind].stands else "VOIDED" if kind is ProposalKind.DECISION else "RETURNED"
    )
    if TERMS[kind].stands:
        return
    # A decision goes back to whose case it is now; who may not decide any more is not asked to.
    letters = [each for each in market.all(Notification) if each.template == "proposal_returned"]
    if kind is not ProposalKind.DECISION:
        assert [each.staff_id for each in letters] == [market.staff[story.maker]]
        assert rules.NO_ROLE in letters[0].text
    left = text("select action from audit_entries where actor_kind = 'system' and reason = :why")
    entries = market.read(lambda s: list(s.execute(left, {"why": rules.NO_ROLE}).scalars()))
    assert len(entries) == 1


@pytest.mark.parametrize("kind", ProposalKind)
def test_a_proposal_of_each_kind_stands_on_the_work_list_and_leads_to_its_page(
    market: Market, kind: ProposalKind
) -> None:
    second_administrator(market)
    story = STORIES[kind](market)
    (row,) = [each for each in market.read(second_person.waiting) if each.kind is kind]
    assert (row.maker_id, kind in proposals_waiting.PLACES) == (market.staff[story.maker], True)
    assert proposals_waiting.PLACES[kind][0] in navigation.on_disk()


@pytest.mark.parametrize("kind", [each for each in ProposalKind if each not in OF_NOBODY])
def test_a_checker_with_a_tie_does_not_confirm(market: Market, kind: ProposalKind) -> None:
    second_administrator(market)
    story = STORIES[kind](market)
    me = market.as_staff(story.checker)
    market.act(ties.declare_tie, me, staff_id=me.id, party_id=story.party, reason="A cousin of the family.")
    with pytest.raises(Exception, match="You have a tie to a party") as refused:
        market.database.run(lambda session: story.confirm(session, me, market.now))
    assert refused.value.code in ("tied_to_party", "mediator_tied")  # type: ignore[attr-defined]


def test_the_database_lets_nothing_be_confirmed_without_its_maker(market: Market, owner: Database) -> None:
    second_administrator(market)
    story = policy(market)
    market.database.run(lambda s: happen(rules.GONE, market, story, s))
    publish = text("update policy_proposals set status = 'PUBLISHED', settled_by = :alf, settled_at = now()")
    with pytest.raises(IntegrityError, match="no longer may"), owner.transaction() as session:
        session.execute(publish, {"alf": market.staff["alf"]})


def test_the_database_knows_the_same_roles_as_the_table(owner: Database) -> None:
    wanted = text(
        "select tgrelid::regclass::text as relation, encode(tgargs, 'escape') as args from pg_trigger t "
        "join pg_proc p on p.oid = t.tgfoid where p.proname = 'stands_on_its_maker'"
    )
    with owner.reading() as session:
        found = {row.relation: set(row.args.split("\\000")[1:-1]) for row in session.execute(wanted)}
    tables = {
        "decisions": ProposalKind.DECISION,
        "policy_proposals": ProposalKind.POLICY_CHANGE,
        "chargeback_acceptances": ProposalKind.CHARGEBACK_ACCEPTANCE,
        "chargeback_evidence": ProposalKind.CHARGEBACK_ANSWER,
        "refund_returns": ProposalKind.REFUND_RETURN,
        "suspense_items": ProposalKind.SUSPENSE_EXPLANATION,
        "period_reopenings": ProposalKind.PERIOD_REOPENING,
        "bank_change_proposals": ProposalKind.BANK_CHANGE,
        "debt_write_offs": ProposalKind.DEBT_WRITE_OFF,
        "hold_lifts": ProposalKind.HOLD_LIFT,
        "role_grants": ProposalKind.ROLE_GRANT,
        "erasures": ProposalKind.ERASURE,
        "manual_journals": ProposalKind.MANUAL_JOURNAL,
    }
    assert found == {
        table: {role.value for each in TERMS[kind].make for role in TABLE[each]}
        for table, kind in tables.items()
    }

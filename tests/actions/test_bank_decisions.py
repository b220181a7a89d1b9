"""What two people decide about a payee's new bank account, and what payouts, letters and the database make of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import verification
from core.actions.parties import bank_decisions
from core.actions.parties.bank_decisions import BankRefused, BankReplaced, BankWaitOver, WaitNotLonger
from core.policy import HOME_SERVICES
from core.policy.limits import BANK_WAIT_AT_MOST
from core.processes import payee_accounts as accounts
from core.processes import returned_proposals
from core.queries import bank_changes, payee_accounts, payout_progress, release_blocks, stopped_money
from core.records import BankChange, BankChangeProposal, PayeeAccount, Payout
from core.rules import holds
from core.rules.payee_accounts import BankDecision
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalEnded, ProposalKind, ProposalWaits
from tests.actions.test_bank_changes import OTHER, replace, told
from tests.pages.visiting import labels, serve, visit, words
from tests.sandbox_desk import Market

HOLD = HOME_SERVICES.bank_change_hold
ACCEPT, EXTEND, REFUSE = BankDecision


def waiting(market: Market) -> BankChange:
    """A payout that waits, because the payee's bank account was replaced."""
    there = market.submitted()
    replace(market)
    market.act(verification.approve, market.payer, milestone_id=there.milestone)
    market.work()
    assert market.sent("/v1/transfers") == []
    market.control.next_payouts({})
    return market.all(BankChange)[-1]


def propose(market: Market, decision: BankDecision, by: str = "fay", **more: Any) -> BankChangeProposal:
    change = market.all(BankChange)[-1]
    values = {"change_id": change.id, "decision": decision, "reason": "They told us.", **more}
    return market.act(bank_decisions.propose, market.as_staff(by), **values)


def decide(market: Market, decision: BankDecision, **more: Any) -> BankChangeProposal:
    row = propose(market, decision, **more)
    return market.act(bank_decisions.approve, market.as_staff("cora"), proposal_id=row.id)


def test_two_people_accept_it_and_payouts_go_there_at_once(market: Market) -> None:
    waiting(market)
    decide(market, ACCEPT)
    assert told(market, "bank_accepted") == [None]
    market.later(seconds=1)
    (payout,) = market.at_stripe("/v1/payouts", account=market.get(PayeeAccount, market.payee_id).account)
    bank = market.get(PayeeAccount, market.payee_id).banks["USD"]
    assert (payout["destination"], bank["last4"]) == (bank["called"], "2227")
    with pytest.raises(BankWaitOver):
        propose(market, ACCEPT)
    market.lawful()
    shown = market.read(lambda s: payee_accounts.shown(s, market.payee_id))
    assert shown is not None
    assert shown.waits_until is None
    assert shown.changes[0].waits_until <= market.now  # not when it would have ended by itself


def test_who_gave_two_accounts_in_a_row_is_paid_at_once_when_the_last_is_accepted(market: Market) -> None:
    waiting(market)
    replace(market, "btok_us_debitNotAuthorized", "a slip of the pen put right")
    decide(market, ACCEPT)
    market.later(seconds=1)
    assert market.read(lambda s: payee_accounts.new_banks(s, [market.payee_id])) == {}
    assert len(market.sent("/v1/transfers")) == 1
    replace(market, OTHER, "and another one")
    assert market.read(lambda s: payee_accounts.new_banks(s, [market.payee_id])) != {}


def test_a_refused_account_that_came_back_is_paid_at_once_when_it_is_accepted_after_all(
    market: Market,
) -> None:
    change = waiting(market)
    decide(market, REFUSE)
    market.wait(hours=1)
    replace(market, "btok_us_debitNotAuthorized", "another")
    market.wait(hours=1)
    replace(market, OTHER, "and the first again")
    decide(market, ACCEPT, change_id=change.id)
    market.later(seconds=1)
    assert len(market.sent("/v1/transfers")) == 1


def test_an_account_that_came_back_is_decided_about_once(market: Market) -> None:
    waiting(market)
    replace(market, "btok_us_debitNotAuthorized", "another")
    replace(market, OTHER, "and the first again")
    last, *before = market.read(bank_changes.changes)
    assert (last.state, last.id) == ("WAITS", market.all(BankChange)[-1].id)
    assert {each.state for each in before} == {"REPLACED"}
    decide(market, ACCEPT)
    market.later(seconds=1)
    assert len(market.sent("/v1/transfers")) == 1
    assert [each.state for each in market.read(bank_changes.changes)] == ["IN_USE", "REPLACED", "REPLACED"]


def test_a_longer_wait_is_not_ended_by_the_time_of_the_account_that_came_after(market: Market) -> None:
    change = waiting(market)
    until = change.held_until + timedelta(days=4)
    decide(market, EXTEND, until=until)
    replace(market, "btok_us_debitNotAuthorized", "as a thief would")
    market.later(seconds=HOLD.total_seconds() + 1)
    assert market.sent("/v1/transfers") == []
    market.wait(seconds=(until - market.now).total_seconds())
    market.later()
    assert len(market.sent("/v1/transfers")) == 1


def test_it_waits_longer_and_then_goes_by_itself(market: Market) -> None:
    change = waiting(market)
    until = change.held_until + timedelta(days=4)
    for wrong in (change.held_until, market.now + BANK_WAIT_AT_MOST + timedelta(seconds=1), None):
        with pytest.raises(WaitNotLonger):
            propose(market, EXTEND, until=wrong)
    decide(market, EXTEND, until=until)
    assert told(market, "bank_wait_extended") == [None]
    market.later(seconds=HOLD.total_seconds() + 1)
    assert market.sent("/v1/transfers") == []
    market.wait(seconds=(until - market.now).total_seconds())
    market.later()
    assert len(market.sent("/v1/transfers")) == 1


def test_a_refused_bank_is_never_paid_also_when_it_comes_back_and_another_one_is(market: Market) -> None:
    waiting(market)
    decide(market, REFUSE)
    assert told(market, "bank_refused") == [None]
    market.later(seconds=2 * HOLD.total_seconds())
    assert market.sent("/v1/transfers") == []
    (stopped,) = market.read(stopped_money.stopped)
    assert "was refused" in stopped.why
    (number,) = (each.id for each in market.all(Payout))
    line = market.read(lambda session: payout_progress.one(session, number))
    assert (line.next, line.next_at) == ("Sent when the payee gives another bank account", None)
    after = market.read(lambda s: release_blocks.after_release(s, [stopped.id]))
    assert [each.code for each in holds.outside(after[stopped.id])] == ["bank_refused"]
    with pytest.raises(BankRefused):
        propose(market, REFUSE)
    replace(market, "btok_us", "theirs again")
    replace(market, OTHER, "and the refused one once more")
    market.later(seconds=2 * HOLD.total_seconds())
    assert market.read(lambda s: payee_accounts.new_banks(s, [market.payee_id]))[market.payee_id][
        "USD"
    ].refused
    assert market.sent("/v1/transfers") == []
    states = [each.state for each in market.read(bank_changes.changes)]
    assert states == ["REFUSED", "REPLACED", "REPLACED"], "what was refused is decided about, once"
    replace(market, "btok_us", "at last")
    market.later(seconds=HOLD.total_seconds())
    assert len(market.sent("/v1/transfers")) == 1


def test_a_refusal_by_mistake_is_taken_back_by_two_people(market: Market) -> None:
    waiting(market)
    decide(market, REFUSE)
    decide(market, ACCEPT)
    market.later(seconds=1)
    assert len(market.sent("/v1/transfers")) == 1


def test_while_a_refusal_is_proposed_payouts_wait_and_when_it_is_rejected_they_go(market: Market) -> None:
    waiting(market)
    row = propose(market, REFUSE)
    market.later(seconds=HOLD.total_seconds() + 60)
    assert market.sent("/v1/transfers") == []
    market.act(bank_decisions.reject, market.as_staff("cora"), proposal_id=row.id, reason="They did make it.")
    market.later(seconds=1)
    market.later(seconds=1)
    assert len(market.sent("/v1/transfers")) == 1
    # Also of a bank account whose wait is over: the next payouts wait, until somebody has answered.
    row = propose(market, REFUSE)
    assert market.read(lambda s: payee_accounts.new_banks(s, [market.payee_id])) != {}
    market.act(bank_decisions.reject, market.as_staff("fay"), proposal_id=row.id, reason="By mistake.")
    assert market.get(BankChangeProposal, row.id).status == "WITHDRAWN"
    assert market.read(lambda s: payee_accounts.new_banks(s, [market.payee_id])) == {}


def test_what_can_no_longer_be_done_goes_back_to_whoever_proposed_it(market: Market) -> None:
    waiting(market)
    row = propose(market, ACCEPT)
    market.later(seconds=HOLD.total_seconds() + 1)
    with pytest.raises(BankWaitOver):
        market.act(bank_decisions.approve, market.as_staff("cora"), proposal_id=row.id)
    assert returned_proposals.found(market.desk, ProposalKind.BANK_CHANGE) == [row.id]
    assert returned_proposals.return_stale(market.desk) == 1
    row = propose(market, REFUSE)
    replace(market, "btok_us", "another")
    with pytest.raises(BankReplaced):
        market.act(bank_decisions.approve, market.as_staff("cora"), proposal_id=row.id)


def test_it_takes_two_people_who_may_and_one_answer(market: Market) -> None:
    waiting(market)
    for who in ("mia", "ada"):
        with pytest.raises(NotPermitted):
            propose(market, ACCEPT, by=who)
    row = propose(market, ACCEPT)
    with pytest.raises(ProposalWaits, match="that the bank account be accepted"):
        propose(market, REFUSE, by="cora")
    with pytest.raises(MakerIsChecker):
        market.act(bank_decisions.approve, market.as_staff("fay"), proposal_id=row.id)
    with pytest.raises(NotPermitted):
        market.act(bank_decisions.approve, market.as_staff("mia"), proposal_id=row.id)
    ada = market.as_staff("ada")
    market.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        market.act(bank_decisions.approve, ada, proposal_id=row.id)
    market.act(bank_decisions.approve, market.as_staff("ada"), proposal_id=row.id)
    with pytest.raises(ProposalEnded):
        market.act(bank_decisions.approve, market.as_staff("cora"), proposal_id=row.id)


@pytest.mark.parametrize(
    "statement",
    [
        "update bank_changes set ended_at = at",
        "update bank_changes set held_until = held_until - interval '1 hour'",
        "update bank_changes set held_until = held_until + interval '1 hour'",
        "update bank_changes set ended_at = held_until, refused_at = held_until",
        "update bank_change_proposals set status = 'DONE', settled_by = proposed_by, settled_at = now()",
        "update bank_change_proposals set decision = 'REFUSE'",
        "delete from bank_change_proposals",
    ],
)
def test_the_database_asks_for_two_people_as_well(market: Market, statement: str) -> None:
    replace(market)
    propose(market, ACCEPT)
    with pytest.raises(DBAPIError):
        market.database.run(lambda session: session.execute(text(statement)))


def test_a_refusal_is_not_taken_back_by_hand(market: Market) -> None:
    replace(market)
    decide(market, REFUSE)
    with pytest.raises(DBAPIError, match="not decided so by two people"):
        market.database.run(lambda s: s.execute(text("update bank_changes set refused_at = null")))


def test_the_page_shows_it_and_two_people_decide_there(market: Market, tmp_path: Path) -> None:
    serve(market, tmp_path)
    waiting(market)
    change = market.all(BankChange)[-1]
    app = visit(market, "fay", "bank_changes", id=change.id)
    assert "account ending in 2227" in words(app)
    app.segmented_control(key=f"bank-change-{change.id}-decision").set_value(REFUSE).run()
    assert "payouts wait until the payee gives another one" in words(app)
    app.text_input(key=f"bank-change-{change.id}-reason").set_value("It was not them").run()
    app.button(key=f"bank-change-{change.id}-propose").click().run()
    assert not app.exception
    assert "It is done when someone else approves it." in words(app)
    app = visit(market, "ada", "bank_changes", id=change.id)
    assert "Payouts to it wait until the proposal is answered." in words(app)
    app.button(key="bank-proposal-confirm").click().run()
    assert not app.exception
    assert "It was refused." in words(app)
    assert "Submit for approval" not in labels(app)
    assert "Submit for approval" in labels(visit(market, "cora", "bank_changes", id=change.id))


def test_a_change_is_asked_for_by_id_and_an_old_link_still_leads_to_it(
    market: Market, tmp_path: Path
) -> None:
    serve(market, tmp_path)
    waiting(market)
    change = market.all(BankChange)[-1]
    shown = words(visit(market, "fay", "bank_changes", id=change.id))
    assert "account ending in 2227" in shown
    assert "account ending in 2227" in words(visit(market, "fay", "bank_changes", change=change.id))
    assert "Change 999 is not among these" in words(visit(market, "fay", "bank_changes", id=999))
    asked = visit(market, "fay", "bank_changes").query_params
    assert not asked, "nothing was asked for, and nothing stands in the address"


def test_the_page_says_what_payouts_wait_for_whatever_is_proposed(market: Market, tmp_path: Path) -> None:
    serve(market, tmp_path)
    waiting(market)
    change = market.all(BankChange)[-1]
    answer, until = "Payouts to it wait until the proposal is answered.", "Payouts to it wait until "
    row = propose(market, ACCEPT)
    said = words(visit(market, "ada", "bank_changes", id=change.id))
    assert (answer in said, until in said) == (False, True)
    market.act(bank_decisions.approve, market.as_staff("cora"), proposal_id=row.id)
    assert "payouts go there" in words(visit(market, "ada", "bank_changes", id=change.id))
    propose(market, REFUSE)
    said = words(visit(market, "ada", "bank_changes", id=change.id))
    assert (answer in said, "payouts go there" in said) == (True, False)


def test_an_account_that_a_payout_came_back_from_is_not_said_to_be_in_use(
    market: Market, tmp_path: Path
) -> None:
    serve(market, tmp_path)
    waiting(market)
    market.control.next_payouts({"code": "account_closed"})
    decide(market, ACCEPT)
    for _ in range(4):
        market.later(days=1)
    assert [each.status for each in market.all(Payout)] == ["ADMINISTRATIVE_REVIEW"]
    accounts.read(market.desk, market.get(PayeeAccount, market.payee_id).account)
    (change,) = market.read(bank_changes.changes)
    assert change.state == "UNUSABLE"
    said = words(visit(market, "fay", "bank_changes", id=change.id))
    assert "It cannot be paid to: a payout came back from it." in said
    assert "payouts go there" not in said

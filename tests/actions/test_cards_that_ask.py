"""A card whose bank asks the payer, a debit that is answered days later: nothing is held before the money is there."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.funding import charges, fund
from core.actions.funding.charges import NothingToConfirm
from core.actions.milestones import payment_schedule, verification
from core.actions.milestones.orders import PaymentInFlight
from core.db import Database
from core.errors import DeskError
from core.money import Money
from core.processes import timers
from core.records import Charge, Notification, OutgoingOperation, Party, PaymentOrder
from core.rules.charges import ChargeStatus
from core.rules.permissions import NotYours
from core.rules.schedule import PlannedMilestone
from tests import patience
from tests.builders import Told
from tests.db_snapshot import nothing_changes
from tests.sandbox_desk import Market

ASKS = "pm_card_authenticationRequired"


def paying(market: Market, method: str = ASKS, **more: Any) -> Told:
    """The payer funds the first milestone with this, and the worker has sent it."""
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(fund.fund, market.payer, milestone_id=told.milestone, payment_method=method, **more)
    market.work()
    return told


def charge(market: Market) -> Charge:
    found = market.all(Charge)[-1]
    assert isinstance(found, Charge)
    return found


def intent(market: Market) -> str:
    return str(market.operations("CHARGE")[-1].provider_id)


def letters(market: Market, template: str) -> list[Notification]:
    return [each for each in market.all(Notification) if each.template == template]


# A bank that asks a payer who is there


def test_a_bank_that_asks_is_answered_by_the_payer_and_then_the_money_is_held(market: Market) -> None:
    told = paying(market)
    row = charge(market)
    assert (row.status, row.confirm_by) == ("REQUIRES_ACTION", market.now + timedelta(hours=24))
    assert str(row.client_secret).startswith(intent(market))
    assert (market.state(told), market.status(told)) == ("PENDING_PAYMENT", "AWAITING_FUNDING")
    assert (market.books(), letters(market, "payment_confirmation")) == ({}, [])
    market.control.authenticate(intent(market))
    market.later(minutes=11)
    assert (market.state(told), market.order(told)) == ("PAID_HELD", {"held": 100_000})
    after = charge(market)
    assert (after.status, after.client_secret, after.confirm_by) == ("SUCCEEDED", None, None)
    market.lawful()


def test_where_the_payer_can_be_sent_back_the_page_of_the_bank_is_known(market: Market) -> None:
    paying(market, return_url="https://market.example/back")
    page = charge(market).action_url or ""
    assert intent(market) in page
    assert "Confirm" in requests.get(page, timeout=patience.SECONDS).text
    back = requests.post(page, data={"answer": "confirm"}, timeout=patience.SECONDS, allow_redirects=False)
    assert back.headers["location"] == "https://market.example/back"
    assert requests.get(page, timeout=patience.SECONDS).status_code == 404
    market.later(minutes=11)
    assert charge(market).status == "SUCCEEDED"


def test_while_the_bank_asks_work_does_not_start_and_nothing_is_paid_or_arranged_twice(
    market: Market, owner: Database
) -> None:
    told = paying(market)
    planned = [PlannedMilestone(title="All", deliverable="Done.", amount=Money(150_000, "USD"))]
    for action, actor, about in (
        (fund.fund, market.payer, {"milestone_id": told.milestone}),
        (verification.submit, market.payee, {"milestone_id": told.milestone}),
        (payment_schedule.adjust, market.payer, {"project_id": told.project, "planned": planned}),
    ):
        with nothing_changes(owner), pytest.raises(DeskError) as refused:
            market.act(action, actor, **about)
        assert action is verification.submit or isinstance(refused.value, PaymentInFlight)


def test_who_does_not_confirm_in_time_has_not_paid_and_cannot_any_more(market: Market) -> None:
    told = paying(market)
    asked = intent(market)
    now = market.now
    coming = market.read(
        lambda session: timers.coming(session, after=now, until=now + timedelta(days=2), limit=9)
    )
    assert ("confirmation", now + timedelta(hours=24)) in [(kind, at) for at, kind, _ in coming]
    market.later(seconds=24 * 3600 - 1)
    assert charge(market).status == "REQUIRES_ACTION"
    market.later(seconds=1)
    row = charge(market)
    assert (row.status, row.code, row.next_retry_at) == ("FAILED", "not_confirmed", None)
    assert (market.state(told), market.status(told)) == ("UNPAID", "AWAITING_FUNDING")
    (letter,) = letters(market, "payment_failed")
    assert "The payment was not confirmed." in letter.text.replace("\n", " ")
    assert market.desk.payments.charge_of(asked).status == "canceled"
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    assert market.state(told) == "PAID_HELD"
    market.lawful()


def test_the_payer_calls_it_off_and_pays_another_way(market: Market, owner: Database) -> None:
    told = paying(market)
    with nothing_changes(owner), pytest.raises(NotYours):
        market.act(charges.cancel, market.payee, milestone_id=told.milestone)
    market.act(charges.cancel, market.payer, milestone_id=told.milestone)
    market.work()
    assert (charge(market).status, market.state(told)) == ("FAILED", "UNPAID")
    with nothing_changes(owner), pytest.raises(NothingToConfirm):
        market.act(charges.cancel, market.payer, milestone_id=told.milestone)


def test_who_confirmed_while_it_was_called_off_has_paid(market: Market) -> None:
    told = paying(market)
    market.control.authenticate(intent(market))
    market.act(charges.cancel, market.payer, milestone_id=told.milestone)
    market.work()
    assert (charge(market).status, market.state(told)) == ("SUCCEEDED", "PAID_HELD")
    market.lawful()


@pytest.mark.parametrize(
    ("card", "succeeds", "code", "again"),
    [
        (ASKS, False, "payment_intent_authentication_failure", None),
        ("pm_card_threeDSecureRequiredChargeDeclined", True, "generic_decline", timedelta(hours=2)),
        (
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            True,
            "insufficient_funds",
            timedelta(hours=2),
        ),
    ],
)
def test_what_the_bank_refuses_after_it_asked_is_declined_with_its_reason(
    market: Market, card: str, succeeds: bool, code: str, again: timedelta | None
) -> None:
    told = paying(market, card)
    market.control.authenticate(intent(market), succeeds=succeeds)
    market.later(minutes=11)
    row = charge(market)
    assert (row.status, row.code) == ("FAILED", code)
    assert row.next_retry_at == (again and market.now + again)
    assert market.get(PaymentOrder, told.milestone).next_retry_at == row.next_retry_at
    assert (market.state(told), market.books()) == ("UNPAID", {})


# A bank that asks a payer who is away


def test_a_payer_who_is_away_is_told_by_e_mail_and_confirms_later(market: Market) -> None:
    """The first try fails for want of money; by the second the card is another, whose bank asks."""
    told = paying(market, "pm_card_chargeDeclinedInsufficientFunds")

    def another(session: Any) -> None:
        session.get_one(Party, market.payer_id).payment_method = ASKS
        session.get_one(PaymentOrder, told.milestone).chosen_method = None

    market.database.run(another)
    market.later(hours=2)
    row = charge(market)
    assert (row.status, row.off_session) == ("REQUIRES_ACTION", True)
    (letter,) = letters(market, "payment_confirmation")
    assert letter.party_id == market.payer_id
    assert str(row.client_secret) not in letter.text
    assert market.state(told) == "PENDING_PAYMENT"
    market.control.authenticate(intent(market))
    market.later(minutes=11)
    assert (charge(market).status, market.state(told)) == ("SUCCEEDED", "PAID_HELD")
    market.lawful()


# A debit


@pytest.mark.parametrize("fails", [False, True])
def test_a_debit_is_held_when_the_bank_has_answered_and_not_before(market: Market, fails: bool) -> None:
    told = paying(market, market.saved("pm_usBankAccount_noAccount" if fails else "pm_usBankAccount_success"))
    market.later(days=3)
    assert (charge(market).status, market.state(told)) == ("PROCESSING", "PENDING_PAYMENT")
    assert market.books() == {}
    with pytest.raises(NothingToConfirm):
        market.act(charges.cancel, market.payer, milestone_id=told.milestone)
    with pytest.raises(PaymentInFlight):
        market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.later(days=1)
    market.later(minutes=11)
    if fails:
        assert (charge(market).code, market.state(told), market.books()) == ("no_account", "UNPAID", {})
    else:
        assert (market.state(told), market.order(told)) == ("PAID_HELD", {"held": 100_000})
    market.lawful()


def test_a_debit_that_takes_days_is_looked_at_less_and_less_often(market: Market) -> None:
    told = paying(market, market.saved("pm_usBankAccount_success"))
    looks = [market.operations("CHARGE")[-1].next_try_at]
    while market.state(told) == "PENDING_PAYMENT":
        market.wait(seconds=(looks[-1] - market.now).total_seconds())
        market.work()
        looks.append(market.operations("CHARGE")[-1].next_try_at)
    between = [later - earlier for earlier, later in pairwise(looks)]
    assert looks[0] - market.operations("CHARGE")[-1].created_at >= timedelta(minutes=10)
    assert max(between) <= timedelta(hours=6)
    assert len(looks) < 30


def test_what_is_at_stripe_is_looked_at_again_however_often_that_failed(market: Market) -> None:
    told = paying(market, market.saved("pm_usBankAccount_success"))
    market.control.fault("500", method="GET", path="/v1/payment_intents/*", times=40)
    for _ in range(12):
        market.later(hours=7)
        waits = market.operations("CHARGE")[-1]
        assert (waits.status, waits.finished_at) == ("QUEUED", None)
        assert "could not be asked" in str(waits.last_error)
    market.control.clear_faults()
    market.later(hours=24)
    assert market.state(told) == "PAID_HELD"
    market.lawful()


def test_a_debit_that_was_not_agreed_to_is_refused_with_what_to_do(market: Market) -> None:
    told = paying(market, "pm_usBankAccount_success")
    assert (charge(market).status, charge(market).code) == ("FAILED", "mandate_required")
    assert "Save the account and agree" in str(charge(market).failure)
    assert market.get(PaymentOrder, told.milestone).next_retry_at is None
    account = market.saved("pm_usBankAccount_success")
    market.act(fund.fund, market.payer, milestone_id=told.milestone, payment_method=account)
    market.work()
    assert charge(market).status == "PROCESSING"


def test_a_returned_debit_is_not_tried_again_by_itself_as_a_card_is(market: Market) -> None:
    told = paying(market, market.saved("pm_usBankAccount_insufficientFunds"))
    market.later(days=4)
    market.later(minutes=11)
    assert (charge(market).status, charge(market).code) == ("FAILED", "insufficient_funds")
    assert charge(market).next_retry_at is None
    for _ in range(4):
        market.later(days=1)
    assert len(market.all(Charge)) == 1
    (letter,) = letters(market, "payment_failed")
    assert "not have enough money" in letter.text
    card = "pm_card_chargeDeclinedInsufficientFunds"
    market.act(fund.fund, market.payer, milestone_id=told.milestone, payment_method=card)
    market.work()
    assert charge(market).next_retry_at is not None


# The database


def test_the_database_keeps_one_open_charge_and_no_secret_that_is_of_no_use(
    market: Market, owner: Database
) -> None:
    paying(market)
    number = charge(market).id
    for change in (
        "status = 'SENDING'",
        "confirm_by = null",
        "status = 'SUCCEEDED', confirm_by = null, ended_at = now()",
        "status = 'FAILED', confirm_by = null, client_secret = null",
        "status = 'WAITING'",
    ):
        with pytest.raises(DBAPIError), owner.transaction() as session:
            session.execute(text(f"update charges set {change} where id = {number}"))
    with pytest.raises(DBAPIError, match="charges_one_open_idx"), owner.transaction() as session:
        session.execute(
            text(
                "insert into charges (milestone_id, operation_id, status, off_session, created_at)"
                f" select milestone_id, operation_id + 1000, 'SENDING', true, now() from charges where id = {number}"
            )
        )
    assert {each.value for each in ChargeStatus} >= {charge(market).status}
    assert market.count(OutgoingOperation) == 1
    timers.run_due(market.desk)

"""The settlement currency is known before anybody promises; what Stripe converts all the same is booked whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import case_file
from core.actions.funding import fund, settlement_currency
from core.actions.funding.settlement_currency import CurrencyNotSettled, SettlementUnknown
from core.actions.milestones import payment_schedule, verification
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.money import Money, UnknownCurrency, half_up
from core.processes import reconciliation
from core.processes.settlement_currency import read as read_settlement_currencies
from core.queries import conversions
from core.records import (
    BalanceTransaction,
    Chargeback,
    Notification,
    PaymentOrder,
    Project,
    ReconciliationRun,
    SettlementCurrency,
)
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.permissions import SYSTEM, NotPermitted
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.builders import Told
from tests.case_file.packs import export
from tests.pages.visiting import serve, visit, words
from tests.sandbox_desk import Market

EUROS = (Money(100_000, "EUR"), Money(50_000, "EUR"))


def known(market: Market, currency: str) -> tuple[bool, str]:
    row = market.get(SettlementCurrency, currency)
    return row.settles, row.known_from


def paid_in_euros(market: Market, rate: str = "1.0973") -> Told:
    """A payment in euros, which the platform's account no longer settles in when it is taken."""
    market.newcomers("EUR")
    project = market.agreed(*EUROS)
    first = market.milestones(project.id)[0]
    market.control.convert("EUR", "USD", rate)
    market.act(fund.fund, market.payer, milestone_id=first.id)
    market.work()
    builders.clear_reviews(market, first.id)
    return Told(project.id, first.id)


def charge_of(market: Market, told: Told) -> int:
    return int(market.get(PaymentOrder, told.milestone).charge_minor)


# Before anything is promised


def test_a_bid_in_a_currency_that_is_not_settled_in_is_refused_in_one_sentence(market: Market) -> None:
    market.newcomers("EUR")
    market.control.convert("EUR", "USD", "1.1")
    read_settlement_currencies(market.desk)
    assert known(market, "EUR") == (False, "STRIPE")
    assert known(market, "USD") == (True, "STRIPE")
    with pytest.raises(CurrencyNotSettled, match=r"EUR cannot be paid here: .* would be converted"):
        market.agreed(*EUROS)
    assert market.all(Project) == []
    market.control.convert("EUR")
    read_settlement_currencies(market.desk)
    assert market.agreed(*EUROS).currency == "EUR"


def test_what_was_agreed_before_is_refused_at_adjusting_and_at_funding(market: Market) -> None:
    market.newcomers("EUR")
    project = market.agreed(*EUROS)
    first = market.milestones(project.id)[0]
    market.control.convert("EUR", "USD", "1.1")
    read_settlement_currencies(market.desk)
    with pytest.raises(CurrencyNotSettled):
        market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=[])
    with pytest.raises(CurrencyNotSettled):
        market.act(fund.fund, market.payer, milestone_id=first.id)
    assert market.operations("CHARGE") == []
    assert market.sent("/v1/payment_intents") == []


def test_as_long_as_nothing_is_known_nothing_is_promised(market: Market, owner: Database) -> None:
    with owner.transaction() as session:
        session.execute(text("delete from settlement_currencies"))
    with pytest.raises(SettlementUnknown):
        market.agreed()
    assert market.read(lambda session: settlement_currency.is_due(session, market.now))
    read_settlement_currencies(market.desk)
    assert not market.read(lambda session: settlement_currency.is_due(session, market.now))
    market.wait(hours=1)
    assert market.read(lambda session: settlement_currency.is_due(session, market.now))
    assert market.agreed().currency == "USD"


def test_a_declined_card_is_not_tried_again_in_a_currency_that_is_converted_by_then(market: Market) -> None:
    market.newcomers("EUR", card="pm_card_chargeDeclinedInsufficientFunds")
    project = market.agreed(*EUROS)
    first = market.milestones(project.id)[0]
    market.act(fund.fund, market.payer, milestone_id=first.id)
    market.work()
    market.control.convert("EUR", "USD", "1.1")
    read_settlement_currencies(market.desk)
    market.later(days=2)
    assert len(market.operations("CHARGE")) == 1


def test_a_person_says_that_a_currency_is_settled_in_again(market: Market) -> None:
    paid_in_euros(market)
    assert known(market, "EUR") == (False, "LINE")
    market.control.convert("EUR")
    read_settlement_currencies(market.desk)
    assert known(market, "EUR") == (False, "LINE")  # what was seen outweighs what Stripe lists
    with pytest.raises(NotPermitted):
        market.act(settlement_currency.confirm, market.as_staff("cora"), currency="EUR", settles=True)
    market.act(settlement_currency.confirm, market.as_staff("fay"), currency="EUR", settles=True)
    assert known(market, "EUR") == (True, "PERSON")
    market.agreed(*EUROS)
    with pytest.raises(UnknownCurrency):
        market.act(settlement_currency.confirm, market.as_staff("fay"), currency="XXX", settles=True)


# Converted all the same


def test_a_converted_charge_is_held_whole_with_its_rate_and_no_further_one_is_accepted(
    market: Market,
) -> None:
    """€1,000.00 of work: the payer is charged, the money is held, and both currencies balance."""
    told = paid_in_euros(market)
    charge = charge_of(market, told)
    at_stripe = Money(charge, "EUR").share(10_973, 10_000).minor
    assert market.order(told) == {"held": 100_000}
    (line,) = market.all(BalanceTransaction)
    assert (line.currency, line.amount, line.for_currency, line.for_minor, line.exchange_rate) == (
        "USD",
        at_stripe,
        "EUR",
        charge,
        "1.0973",
    )
    euros, dollars = market.books("EUR"), market.books("USD")
    assert euros["exchange_difference"] == charge
    assert euros["held"] == 100_000
    assert "stripe_balance" not in euros
    assert "fee_variance" not in euros
    assert dollars["exchange_difference"] == -at_stripe
    assert dollars["stripe_balance"] == at_stripe - line.fee
    assert dollars["processor_fees"] == line.fee
    with pytest.raises(CurrencyNotSettled):
        market.agreed(*EUROS)
    (converted,) = market.read(lambda session: conversions.of_milestones(session, told.milestone))
    assert converted.sentence == (
        f"Charge: {Money(charge, 'EUR').text()}, converted by Stripe at 1.0973 to {Money(at_stripe, 'USD').text()}."
    )
    told_staff = [each for each in market.all(Notification) if each.template == "payment_converted"]
    assert [each.staff_id for each in told_staff] == [market.staff["fay"]]
    market.lawful()
    reconciliation.run(market.desk, SYSTEM)
    assert [each.status for each in market.all(ReconciliationRun)] == ["CLEAN"]


def test_its_refund_at_another_days_rate_leaves_the_difference_and_nothing_else(
    market: Market, tmp_path: Path
) -> None:
    """And wherever the payment is shown, the rates are; the case file of it verifies."""
    told = builders.in_mediation(market, paid_in_euros(market))
    market.pay_in(20_000, "USD")
    before = market.books("USD")["exchange_difference"]
    market.control.convert("EUR", "USD", "1.1125")
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.PROVIDER_NO_SHOW)
    builders.decided(market, told, draft)
    market.work()
    assert market.order(told) == {"refunded": 100_000}
    charge = charge_of(market, told)
    assert market.books("EUR").get("exchange_difference", 0) == 0
    back = Money(charge, "EUR").share(11_125, 10_000).minor
    assert market.books("USD")["exchange_difference"] == before + back > 0
    market.lawful()
    reconciliation.run(market.desk, SYSTEM)
    assert market.all(ReconciliationRun)[-1].status == "CLEAN"
    _rates_are_shown(market, told, tmp_path)
    packed = export(market, EvidenceStore(tmp_path), told.case)
    path = tmp_path / "converted.zip"
    path.write_bytes(packed.content)
    assert case_file.verify(path).wrong is None


def _rates_are_shown(market: Market, told: Told, home: Path) -> None:
    serve(market, home)
    charged, back = ("converted by Stripe at 1.0973 to", "converted by Stripe at 1.1125 to")
    for page, number in (("project", told.project), ("case", told.case)):
        tab = {"tab": "Money"} if page == "case" else {}
        read = words(visit(market, "mia", page, id=number, **tab))
        assert charged in read, page
        assert back in read, page
    (line,) = (each for each in market.all(BalanceTransaction) if each.kind == "charge")
    for journal in (line.journal_id, line.journal_id - 1):
        assert charged in words(visit(market, "fay", "journal", id=journal))


def test_a_refund_that_fails_comes_back_at_its_rate_and_is_owed_again(market: Market) -> None:
    told = builders.in_mediation(market, paid_in_euros(market))
    market.pay_in(20_000, "USD")
    market.control.next_refunds({"status": "failed"})
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.AGREED_CANCELLATION)
    builders.decided(market, told, draft)
    market.work()
    market.lawful()
    for _ in range(2):
        market.later(hours=2)
        reconciliation.run(market.desk, SYSTEM)
        market.work()
    market.lawful()


def test_its_transfer_is_paid_from_the_balance_in_the_agreed_currency_and_waits_for_it(
    market: Market,
) -> None:
    told = paid_in_euros(market)
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, transfer.payload["source_transaction"]) == ("QUEUED", None)
    assert "too small" in (transfer.last_error or "")
    market.pay_in(100_000, "EUR")
    market.later(hours=1)
    assert market.order(told) == {"released": 100_000}
    market.later(days=3)
    market.lawful()


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_its_chargeback_is_booked_in_the_agreed_currency(market: Market, verdict: str) -> None:
    told = paid_in_euros(market)
    dispute = charged_back(market, told)
    charge = charge_of(market, told)
    assert market.books("EUR")["disputed_funds"] == charge
    assert "disputed_funds" not in market.books("USD")
    assert market.books("USD")["dispute_fees"] == 1_500
    (row,) = market.all(Chargeback)
    assert (row.fees_minor, row.fees_currency, row.booked_currency) == (1_500, "USD", "EUR")
    market.lawful()
    market.control.convert("EUR", "USD", "1.2")
    bank_says(market, dispute, verdict)
    assert market.order(told) == ({"held": 100_000} if verdict == "won" else {"refunded": 100_000})
    assert "disputed_funds" not in market.books("EUR")
    market.lawful()
    reconciliation.run(market.desk, SYSTEM)
    assert market.all(ReconciliationRun)[-1].status == "CLEAN"


def test_a_second_converted_payment_goes_back_whole(market: Market) -> None:
    told = paid_in_euros(market)

    def paid_again(session: Any) -> int:
        from core.actions.milestones.milestone_context import open_milestone

        context = open_milestone(session, told.milestone)
        operation = fund.charge(
            session,
            SYSTEM,
            context,
            context.payer.payment_method or "",
            action="system:payment:retry",
            off_session=True,
            now=market.now,
        )
        return int(operation.id)

    market.database.run(paid_again)
    market.work()
    market.later(days=1)
    assert market.order(told) == {"held": 100_000}
    assert market.books("EUR").get("unapplied_funds", 0) == 0
    market.lawful()


@pytest.mark.parametrize(
    ("currency", "rate", "milestone", "scale"),
    [("JPY", 67, 154_000, 10_000), ("KWD", 32_587, 318_710, 100_000)],
)
def test_currencies_of_other_digits_are_converted_to_the_last_unit(
    market: Market, currency: str, rate: int, milestone: int, scale: int
) -> None:
    """¥1 is 0.0067 $ and so 0.67 ¢; KWD 0.001 is 0.32587 ¢."""
    market.newcomers(currency)
    project = market.agreed(Money(milestone, currency))
    first = market.milestones(project.id)[0]
    market.control.convert(currency, "USD", {"JPY": "0.0067", "KWD": "3.2587"}[currency])
    market.act(fund.fund, market.payer, milestone_id=first.id)
    market.work()
    (line,) = market.all(BalanceTransaction)
    charge = market.get(PaymentOrder, first.id).charge_minor
    cents = half_up(charge * rate * (100 if currency == "JPY" else 1), scale)
    assert (line.for_minor, line.amount, line.currency) == (charge, cents, "USD")
    market.lawful()


LINE = (
    "insert into balance_transactions (id, kind, reporting_category, amount, fee, net, currency, source, journal_id, "
    "created_at, booked_at, for_minor, for_currency) "
    "values ('x', 'charge', 'charge', 1, 0, 1, 'USD', '', -1, now(), now(), {what})"
)


@pytest.mark.parametrize(
    "lie",
    [
        "update settlement_currencies set known_from = 'HEARSAY'",
        LINE.format(what="5, null"),
        LINE.format(what="null, 'EUR'"),
        LINE.format(what="-5, 'EUR'"),
        LINE.format(what="5, 'USD'"),
    ],
)
def test_the_database_refuses_what_cannot_be(market: Market, owner: Database, lie: str) -> None:
    with (
        pytest.raises(IntegrityError, match=r"balance_transactions_for|known_from"),
        owner.reading() as session,
    ):
        session.execute(text(lie))

"""What is said of a payment that waits, or did not go through, is so at that moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from core.actions.funding import fund
from core.queries import charges
from core.records import Charge
from tests.pages.visiting import serve, visit, words
from tests.sandbox_desk import Market


def said(market: Market, milestone_id: int) -> str:
    with market.database.reading() as session:
        return charges.of_milestones(session, [milestone_id]).get(milestone_id, "")


def test_each_way_that_a_payment_waits_or_fails_has_its_sentence(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0].id
    assert said(market, first) == ""
    for method, sentence in (
        ("pm_card_chargeDeclinedInsufficientFunds", "does not have enough money. It is tried again on 2 Mar"),
        ("pm_card_chargeDeclinedStolenCard", "does not say why. Ask the bank, or pay another way. It is not"),
        ("pm_card_authenticationRequired", "Unless they do, it is called off on 3 Mar"),
    ):
        market.act(fund.fund, market.payer, milestone_id=first, payment_method=method)
        assert said(market, first) == ""
        market.work()
        assert sentence in said(market, first)
    market.control.authenticate(str(market.operations("CHARGE")[-1].provider_id))
    market.later(minutes=11)
    assert said(market, first) == ""


def test_the_page_of_the_project_says_that_a_debit_is_processing(market: Market, tmp_path: Path) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0].id
    account = market.saved("pm_usBankAccount_success")
    market.act(fund.fund, market.payer, milestone_id=first, payment_method=account)
    market.work()
    serve(market, tmp_path)
    shown = words(visit(market, "fay", "project", id=project.id))
    assert "Milestone 1. The payer’s bank account is being debited." in shown


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("pm_card_amex", ("card", "amex", "credit", "US")),
        ("pm_card_visa_debit", ("card", "visa", "debit", "US")),
        ("pm_card_gb", ("card", "visa", "credit", "GB")),
        ("pm_usBankAccount_success", ("us_bank_account", None, None, None)),
    ],
)
def test_what_was_charged_is_kept_as_the_provider_says_it(
    market: Market, token: str, told: tuple[str | None, ...]
) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0].id
    method = market.saved(token) if "Bank" in token else token
    market.act(fund.fund, market.payer, milestone_id=first, payment_method=method)
    market.work()
    charge = market.read(lambda s: s.scalars(select(Charge)).one())
    kept = (charge.method_kind, charge.card_brand, charge.card_funding, charge.method_country)
    assert kept == told


def test_a_declined_card_is_known_by_no_more_than_was_told(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0].id
    market.act(fund.fund, market.payer, milestone_id=first, payment_method="pm_card_chargeDeclinedStolenCard")
    market.work()
    assert market.read(lambda s: s.scalars(select(Charge.method_kind)).one()) is None

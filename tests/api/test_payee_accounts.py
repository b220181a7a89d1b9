"""A marketplace brings its payees to the payment provider's onboarding, and hears what is wanted of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from core.actions.milestones import verification
from core.api.openapi import examples
from core.ledger import accounts, journal_store
from core.ledger.journals import Journal, credit, debit
from core.money import Money
from core.queries import payout_progress
from core.records import Party, PayeeAccount
from tests import patience
from tests.actions import stripe_events
from tests.api.api_client import ApiClient, code
from tests.api.test_flows import accepted, bid
from tests.api.test_telling import told, watched
from tests.sandbox_desk import Market

__all__ = ["watched"]  # the fixture
AGAIN, DONE = "https://market.example/again", "https://market.example/done"


def newcomer(home: ApiClient) -> str:
    """A payee whom the provider does not know yet."""
    known = home.market.get(Party, home.market.party("PAYEE", bank=None))
    return str(known.external_id)


def link(home: ApiClient, party: str, **other: Any) -> Any:
    return home.post("/account-links", {"party": party, "refresh_url": AGAIN, "return_url": DONE, **other})


def told_by_stripe(market: Market, party: str) -> None:
    """Stripe says that this payee's account changed; what it is now is read."""
    number = next(each.id for each in market.all(Party) if each.external_id == party)
    account = market.read(lambda session: session.get_one(PayeeAccount, number)).account
    stripe_events.told_by_webhook(market, "account.updated", account, account)


def test_a_payee_is_onboarded_and_then_paid(home: ApiClient, watched: Market) -> None:
    payee = newcomer(home)
    account = home.get(f"/parties?external_id={payee}").json()["items"][0]["account"]
    assert (account["can_be_paid"], account["banks"]) == (False, [])
    assert "external_account" in account["past_due"]
    assert account["reason"].startswith(
        "Stripe needs details from the payee that are past due (type of business"
    )
    (wanted,) = told(watched, "payee.requirements_due")
    assert (wanted["party"], wanted["past_due"]) == (payee, account["past_due"])

    made = link(home, payee)
    assert made.status_code == 201
    assert made.json()["expires_at"] == (watched.now + timedelta(minutes=5)).isoformat()
    assert requests.get(made.json()["url"], timeout=patience.SECONDS).status_code == 200
    form = {"outcome": "at_once", "bank": "btok_us"}
    back = requests.post(made.json()["url"], data=form, timeout=patience.SECONDS, allow_redirects=False)
    assert back.headers["location"] == DONE
    told_by_stripe(watched, payee)
    account = home.get(f"/parties?external_id={payee}").json()["items"][0]["account"]
    assert (account["can_be_paid"], account["reason"]) == (True, None)
    assert account["banks"] == [examples.BANK]
    assert [each["party"] for each in told(watched, "payee.payouts_enabled")] == [payee]


def test_a_payee_who_is_stopped_is_told_with_the_reason(home: ApiClient, watched: Market) -> None:
    market = home.market
    account = market.get(PayeeAccount, market.payee_id).account
    market.control.move_account(account, "rejected", reason="terms_of_service")
    told_by_stripe(market, home.payee)
    told_by_stripe(market, home.payee)
    (stopped,) = told(watched, "payee.payouts_disabled")
    assert (stopped["party"], stopped["disabled_reason"]) == (home.payee, "rejected.terms_of_service")
    said = home.get(f"/parties?external_id={home.payee}").json()["items"][0]["account"]
    assert said["reason"] == "Stripe rejected the account because of its terms of service."


def test_money_that_waits_for_the_payee_says_so(home: ApiClient) -> None:
    market = home.market
    market.payee_id = market.party("PAYEE", bank=None)
    project = accepted(home, "bid-waits")
    first = project["milestones"][0]["id"]
    home.post(f"/projects/{project['id']}/fund", {"party": home.payer, "milestones": [first]})
    market.work()
    home.post(f"/milestones/{first}/complete", {"party": home.payee})
    assert home.get(f"/milestones/{first}").json()["release_waits_for"] == []
    home.post(f"/milestones/{first}/approve", {"party": home.payer})
    market.work()
    (wait,) = home.get(f"/milestones/{first}").json()["release_waits_for"]
    assert wait["code"] == "payee_account"
    assert "Stripe needs something" in wait["sentence"]


@pytest.mark.parametrize(
    "address",
    [
        "http://market.example/x",
        "https://",
        "https:///x",
        "javascript:alert(1)",
        "https://market.example/ü",
        "",
    ],
)
def test_only_addresses_with_https_are_taken(home: ApiClient, address: str) -> None:
    for name in ("refresh_url", "return_url"):
        assert link(home, home.payee, **{name: address}).status_code == 422


def test_a_link_is_for_a_payee_with_an_account_and_for_one_visit_each(
    home: ApiClient, law: ApiClient
) -> None:
    assert code(link(home, home.payer)) == "not_for_this_role"
    assert link(law, home.payee).status_code == 404
    person = {"external_id": "new-payee", "role": "PAYEE", "name": "Ida Berg", "email": "ida@example.com"}
    home.post("/parties", person)
    assert code(link(home, "new-payee")) == "no_account_yet"
    both = [link(home, home.payee, type="update").json()["url"] for _ in range(2)]
    assert len(set(both)) == 2


def test_a_bid_in_a_currency_that_no_bank_of_the_payee_takes_is_refused(home: ApiClient) -> None:
    refused = home.post("/bids", bid(home, total={"minor": 150_000, "currency": "EUR"}))
    assert (refused.status_code, code(refused)) == (409, "currency_not_taken")
    assert refused.json()["facts"] == {"party": home.payee, "currency": "EUR", "taken": "USD"}


def test_what_is_too_small_after_a_debt_was_kept_back_goes_to_review_with_the_reason(home: ApiClient) -> None:
    market = home.market
    market.newcomers("EUR")
    there = market.submitted(Money(100_000, "EUR"), Money(50_000, "EUR"))
    owed, euros = accounts.receivable_payee(market.payee_id), Money(99_950, "EUR")
    lines = (debit(owed, euros), credit(accounts.CHARGEBACK_LOSSES, euros))
    journal = Journal("l", "chargeback_lost", lines, None, market.payee_id, "A lost chargeback", {"test": 1})
    market.database.run(lambda session: journal_store.post(session, journal, now=market.now))
    market.act(verification.approve, market.payer, milestone_id=there.milestone)
    market.work()
    market.later(days=3)
    (payout,) = home.get(f"/payouts?milestone={there.milestone}").json()["items"]
    assert (payout["amount"]["minor"], payout["status"]) == (50, "ADMINISTRATIVE_REVIEW")
    assert payout["failure_code"] == "amount_too_small"
    (wait,) = home.get(f"/milestones/{there.milestone}").json()["release_waits_for"]
    assert wait["code"] == "payout_review"
    line = market.read(lambda session: payout_progress.one(session, payout["id"]))
    assert "less than a bank in this currency can be paid" in line.why


def test_a_failed_payout_in_review_is_what_the_release_waits_for(home: ApiClient) -> None:
    market = home.market
    there = market.submitted()
    market.control.next_payouts({"code": "account_closed"})
    market.act(verification.approve, market.payer, milestone_id=there.milestone)
    market.work()
    for _ in range(4):
        market.later(days=1)
    shown = home.get(f"/milestones/{there.milestone}").json()
    assert [each["failure_code"] for each in shown["payouts"]] == ["account_closed"]
    assert [each["code"] for each in shown["release_waits_for"]] == ["payout_review"]

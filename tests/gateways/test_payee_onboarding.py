"""A connected account begins as at Stripe: what is due, who verifies it, and what it can do meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from core.gateways.payments import PayeeAccountSnapshot, ProviderRefused
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_calls import client
from core.gateways.stripe_sandbox import SandboxControl, StripeSandbox
from core.gateways.stripe_sandbox.onboarding import FIELDS
from tests import patience
from tests.gateways.conftest import NOON, Parties, usd
from tests.gateways.test_stripe_contract import VERIFIED

AGAIN, DONE = "https://market.test/again", "https://market.test/done"
SOON = timedelta(minutes=2)


@pytest.fixture
def newcomer(payments: StripePayments) -> PayeeAccountSnapshot:
    """Opened without a bank: nothing is known of the payee yet."""
    return payments.create_payee_account(
        "op", "op:1", email="kim@example.test", country="US", currency="USD", bank_token=None
    )


def person(**other: Any) -> Any:
    return {**VERIFIED, "individual": {**VERIFIED["individual"], **other}, "external_account": "btok_us"}


def give(sandbox: StripeSandbox, account: str, params: Any) -> None:
    client(sandbox.key, sandbox.url).v1.accounts.update(account, params)


def link(payments: StripePayments, account: str) -> str:
    asked = {"refresh_url": AGAIN, "return_url": DONE}
    return payments.account_link("link:1", account=account, update=False, **asked).url


def state(payments: StripePayments, account: str) -> tuple[str, bool, str | None]:
    found = payments.payee_account(account)
    return found.transfers, found.payouts_enabled, found.disabled_reason


def test_an_account_with_a_bank_and_nothing_about_its_person_is_verified_at_once(parties: Parties) -> None:
    payee = parties.payee()
    assert (payee.transfers, payee.payouts_enabled, payee.details_submitted) == ("active", True, True)
    assert (payee.currently_due, payee.past_due, payee.disabled_reason) == ((), (), None)
    assert [(each.currency, each.last4, each.usable) for each in payee.banks] == [("USD", "6789", True)]


def test_an_account_without_a_bank_owes_everything_and_is_paid_nothing(
    payments: StripePayments, parties: Parties, newcomer: PayeeAccountSnapshot
) -> None:
    assert (newcomer.transfers, newcomer.payouts_enabled) == ("inactive", False)
    assert newcomer.details_submitted is False
    assert set(newcomer.past_due) == {*FIELDS, "external_account"} == set(newcomer.currently_due)
    assert newcomer.disabled_reason == "requirements.past_due"
    paid = parties.paid(usd(10_000))
    with pytest.raises(ProviderRefused, match="cannot receive transfers"):
        payments.transfer(
            "t", "t:1", amount=usd(9_000), destination=newcomer.id, transfer_group="milestone_1",
            source_transaction=paid.charge,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("other", "at_first", "in_the_end"),
    [
        ({}, ("active", True, None), ("active", True, None)),
        (
            {"dob": {"day": 1, "month": 1, "year": 1901}},
            ("pending", False, "requirements.pending_verification"),
            ("active", True, None),
        ),
        (
            {"dob": {"day": 2, "month": 2, "year": 1980}},
            ("pending", False, "requirements.pending_verification"),
            ("inactive", False, "requirements.past_due"),
        ),
        (
            {"address": {**VERIFIED["individual"]["address"], "line1": "address_no_match"}},
            ("inactive", False, "requirements.past_due"),
            ("inactive", False, "requirements.past_due"),
        ),
        (
            {"id_number": "222222222", "dob": {"day": 1, "month": 1, "year": 1901}},
            ("active", True, None),
            ("active", True, None),
        ),
        (
            {"id_number": "111111111"},
            ("inactive", False, "requirements.past_due"),
            ("inactive", False, "requirements.past_due"),
        ),
    ],
    ids=["at-once", "later", "unknown-birthday", "address", "id-at-once", "id"],
)
def test_the_documented_test_values_decide_the_verification(
    sandbox: StripeSandbox,
    payments: StripePayments,
    newcomer: PayeeAccountSnapshot,
    other: Any,
    at_first: Any,
    in_the_end: Any,
) -> None:
    give(sandbox, newcomer.id, person(**other))
    assert state(payments, newcomer.id) == at_first
    sandbox.control.advance(SOON)
    assert state(payments, newcomer.id) == in_the_end


def test_a_document_settles_a_verification_that_failed(
    sandbox: StripeSandbox, payments: StripePayments, newcomer: PayeeAccountSnapshot
) -> None:
    give(sandbox, newcomer.id, person(id_number="111111111"))
    assert payments.payee_account(newcomer.id).past_due == ("individual.verification.document",)
    for front, then in (("file_other", "inactive"), ("file_identity_document_success", "active")):
        give(sandbox, newcomer.id, {"individual": {"verification": {"document": {"front": front}}}})
        assert payments.payee_account(newcomer.id).transfers == then


def test_the_hosted_page_is_visited_once_and_leads_back(
    payments: StripePayments, newcomer: PayeeAccountSnapshot, control: SandboxControl
) -> None:
    url = link(payments, newcomer.id)
    page = requests.get(url, timeout=patience.SECONDS, allow_redirects=False)
    assert (page.status_code, newcomer.id in page.text) == (200, True)
    for odd in ({"outcome": "somehow"}, {"outcome": "at_once", "bank": "btok_moon"}, {}):
        assert (
            requests.post(url, data=odd, timeout=patience.SECONDS, allow_redirects=False).status_code == 400
        )
    form = {"outcome": "at_once", "bank": "btok_us"}
    done = requests.post(url, data=form, timeout=patience.SECONDS, allow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, DONE)
    assert state(payments, newcomer.id) == ("active", True, None)
    for used in (requests.get, requests.post):
        again = used(url, timeout=patience.SECONDS, allow_redirects=False)
        assert (again.status_code, again.headers["location"]) == (303, AGAIN)


def test_a_link_that_is_too_old_leads_to_its_refresh_address(
    payments: StripePayments, newcomer: PayeeAccountSnapshot, control: SandboxControl
) -> None:
    url = link(payments, newcomer.id)
    control.advance(timedelta(minutes=5))
    late = requests.get(url, timeout=patience.SECONDS, allow_redirects=False)
    assert (late.status_code, late.headers["location"]) == (303, AGAIN)


def test_what_is_demanded_is_due_first_and_disables_when_its_time_is_over(
    sandbox: StripeSandbox, payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    payee = parties.payee()
    control.move_account(payee.id, "demanded", fields=["individual.id_number"], after=86_400)
    asked = payments.payee_account(payee.id)
    assert (asked.currently_due, asked.past_due) == (("individual.id_number",), ())
    assert (asked.due_at, asked.payouts_enabled) == (NOON + timedelta(days=1), True)
    control.advance(timedelta(days=1))
    late = payments.payee_account(payee.id)
    assert late.past_due == ("individual.id_number",)
    assert (late.transfers, late.payouts_enabled) == ("inactive", False)
    told = [each.type for each in payments.events(NOON, account=payee.id)]
    assert told.count("account.updated") == 2
    give(sandbox, payee.id, {"individual": {"id_number": "222222222"}})
    assert state(payments, payee.id) == ("active", True, None)


@pytest.mark.parametrize(
    ("to", "fields", "why"),
    [
        ("rejected", {"reason": "fraud"}, "rejected.fraud"),
        ("paused", {}, "platform_paused"),
    ],
)
def test_an_account_that_is_rejected_or_paused_is_paid_nothing_out(
    payments: StripePayments, parties: Parties, control: SandboxControl, to: str, fields: Any, why: str
) -> None:
    payee = parties.funded_payee(usd(10_000))
    control.move_account(payee.id, to, **fields)
    found = payments.payee_account(payee.id)
    assert (found.payouts_enabled, found.disabled_reason) == (False, why)
    with pytest.raises(ProviderRefused, match="not enabled"):
        payments.payout("p", "p:1", account=payee.id, amount=usd(9_000))
    control.move_account(payee.id, "verified")
    assert payments.payout("p", "p:2", account=payee.id, amount=usd(9_000)).status == "pending"


def test_another_bank_takes_the_place_of_the_one_before(payments: StripePayments, parties: Parties) -> None:
    payee = parties.payee("btok_us")
    other = payments.replace_bank("b", "b:1", account=payee.id, bank_token="btok_us_noAccount")
    assert (payee.bank_last4, other.bank_last4) == ("6789", "1116")
    assert payee.bank != other.bank

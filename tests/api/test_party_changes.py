"""Another bank, another card, another address: done, kept and told, or refused; never answered and dropped."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.parties import bank_decisions
from core.db import Database
from core.money import Money
from core.records import BankChange, Notification, Party, PartyChange
from core.rules.payee_accounts import BankDecision
from tests.api.api_client import ApiClient, code
from tests.api.test_flows import accepted
from tests.api.test_telling import told, watched
from tests.sandbox_desk import Market

__all__ = ["watched"]  # the fixture
OTHER = "btok_us_noAccount"


def the_payee(home: ApiClient) -> Any:
    return home.market.get(Party, home.market.payee_id)


def test_payouts_to_another_bank_wait_and_the_payee_is_told_at_the_old_address(
    home: ApiClient, watched: Market
) -> None:
    before = the_payee(home).email
    changed = home.post("/party-details", {"party": home.payee, "email": "new@example.com", "city": "Salem"})
    assert changed.status_code == 200
    (read,) = home.get(f"/parties?external_id={home.payee}").json()["items"]
    assert (read["email"], read["city"]) == ("new@example.com", "Salem")
    answer = home.post("/bank-account", {"party": home.payee, "bank_token": OTHER})
    (bank,) = answer.json()["account"]["banks"]
    assert (bank["last4"], bank["usable"]) == ("1116", True)
    (event,) = told(watched, "payee.bank_changed")
    assert (event["party"], event["last4"]) == (home.payee, "1116")
    assert event["held_until"] == bank["payouts_wait_until"]
    letters = [each.address for each in watched.all(Notification) if each.template == "bank_changed"]
    assert letters == [None, before]
    mails = home.get(f"/emails?party={home.payee}").json()["items"]
    assert [each["project"] for each in mails if each["kind"] == "bank_changed"] == [None, None]
    assert sorted(each["field"] for each in told(watched, "party.changed")) == ["city", "email"]


def test_a_bank_in_a_further_currency_is_a_change_like_any_other(
    home: ApiClient, watched: Market, owner: Database
) -> None:
    """Whoever takes over a payee could add one, and be paid there at once."""
    before = the_payee(home).email
    home.post("/party-details", {"party": home.payee, "email": "new@example.com"})
    answer = home.post("/bank-account", {"party": home.payee, "bank_token": "btok_eur"})
    banks = {each["currency"]: each for each in answer.json()["account"]["banks"]}
    (event,) = told(watched, "payee.bank_changed")
    assert (event["currency"], event["held_until"]) == ("EUR", banks["EUR"]["payouts_wait_until"])
    assert (event["held_until"] is not None, banks["USD"]["payouts_wait_until"]) == (True, None)
    letters = [each for each in watched.all(Notification) if each.template == "bank_changed"]
    assert [each.address for each in letters] == [None, before]
    assert "Account before" not in letters[0].text
    (change,) = watched.all(BankChange)
    statement = (
        'update payee_accounts set banks = banks || \'{"CAD": {"id": "ba_x"}}\' where party_id = :party'
    )
    with (
        pytest.raises(IntegrityError, match="in CAD is changed without its row"),
        owner.transaction() as session,
    ):
        session.execute(text(statement), {"party": change.party_id})


def test_a_bank_that_staff_refuse_is_told_and_named_at_the_payee(home: ApiClient, watched: Market) -> None:
    home.post("/bank-account", {"party": home.payee, "bank_token": OTHER})
    (change,) = watched.all(BankChange)
    row = watched.act(
        bank_decisions.propose,
        watched.as_staff("fay"),
        change_id=change.id,
        decision=BankDecision.REFUSE,
        reason="It was not the payee.",
    )
    watched.act(bank_decisions.approve, watched.as_staff("cora"), proposal_id=row.id)
    (event,) = told(watched, "payee.bank_decided")
    assert (event["party"], event["last4"], event["decision"]) == (home.payee, "1116", "REFUSE")
    (party,) = home.get(f"/parties?external_id={home.payee}").json()["items"]
    (bank,) = party["account"]["banks"]
    assert (bank["refused"], bank["payouts_wait_until"]) == (True, None)


def test_the_same_request_again_is_answered_again_and_done_once(home: ApiClient) -> None:
    body = {"party": home.payee, "bank_token": OTHER}
    first = home.post("/bank-account", body, key="bank-once")
    again = home.post("/bank-account", body, key="bank-once")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert code(home.post("/bank-account", body | {"bank_token": "btok_us"}, key="bank-once")) == "key_reused"
    assert len(home.market.sent("/v1/accounts/" + str(the_payee(home).stripe_account))) == 1


def test_a_payer_pays_with_another_card_from_the_next_payment_on(home: ApiClient) -> None:
    project = accepted(home, "bid-card")
    first = project["milestones"][0]["id"]
    body = {"party": home.payer, "payment_method": "pm_card_chargeDeclined"}
    assert home.post("/payment-method", body).status_code == 200
    home.post(f"/projects/{project['id']}/fund", {"party": home.payer, "milestones": [first]})
    home.market.work()
    assert home.get(f"/milestones/{first}").json()["payment"]["decline"]
    good = {"party": home.payer, "payment_method": "pm_card_bypassPending"}
    assert home.post("/payment-method", good).status_code == 200
    home.post(f"/projects/{project['id']}/fund", {"party": home.payer, "milestones": [first]})
    home.market.work()
    assert home.get(f"/milestones/{first}").json()["payment"]["held"]["minor"] == 100_000
    assert {each.field for each in home.market.all(PartyChange)} == {"payment_method"}


@pytest.mark.parametrize(
    ("path", "who", "body", "refusal"),
    [
        ("/bank-account", "payee", {"bank_token": "btok_nonsense"}, (422, "provider_refused")),
        ("/bank-account", "payer", {"bank_token": "btok_us"}, (422, "not_for_this_role")),
        ("/payment-method", "payer", {"payment_method": "pm_nonsense"}, (422, "provider_refused")),
        ("/payment-method", "payee", {"payment_method": "pm_card_visa"}, (422, "not_for_this_role")),
        ("/party-details", "payee", {}, (422, "nothing_to_change")),
        ("/party-details", "payee", {"country": "CA"}, (409, "country_fixed")),
        ("/party-details", "payee", {"language": "de"}, (422, "request_invalid")),
        ("/party-details", "payee", {"email": "a@b", "role": "PAYER"}, (422, "request_invalid")),
        ("/party-details", "payee", {"name": None, "city": "Salem"}, (422, "request_invalid")),
    ],
)
def test_what_is_not_changed_is_refused(
    home: ApiClient, path: str, who: str, body: Any, refusal: tuple[int, str]
) -> None:
    before = home.get(f"/parties?external_id={home.payee}").json()
    answer = home.post(path, {"party": getattr(home, who), **body})
    assert (answer.status_code, code(answer)) == refusal
    assert answer.json()["facts"].get("role") in (None, "PAYER", "PAYEE")
    assert home.get(f"/parties?external_id={home.payee}").json() == before
    assert home.market.all(PartyChange) == []


def test_another_language_is_refused_with_what_the_desk_writes_in(home: ApiClient) -> None:
    answer = home.post("/party-details", {"party": home.payee, "language": "de", "city": "Salem"})
    assert (answer.status_code, code(answer)) == (422, "request_invalid")
    assert "the desk writes in English only; nothing was changed" in answer.json()["detail"]
    assert the_payee(home).city == ""
    assert home.post("/party-details", {"party": home.payee, "language": "en"}).status_code == 200


def test_who_is_not_known_to_the_provider_has_nothing_to_replace(home: ApiClient, law: ApiClient) -> None:
    for role, path, body in (
        ("PAYEE", "/bank-account", {"bank_token": OTHER}),
        ("PAYER", "/payment-method", {"payment_method": "pm_card_visa"}),
    ):
        person = {"external_id": role, "role": role, "name": "Ida Berg", "email": "ida@example.com"}
        home.post("/parties", person)
        assert code(home.post(path, {"party": role, **body})) == "no_account_yet"
        assert law.post(path, {"party": role, **body}).status_code == 404


def test_the_provider_writes_to_the_new_address(home: ApiClient) -> None:
    home.post("/party-details", {"party": home.payer, "email": "ana@example.org", "name": "Ana Lind"})
    (customer,) = [each for each in home.market.at_stripe("/v1/customers") if each["name"] == "Ana Lind"]
    assert customer["email"] == "ana@example.org"
    party = home.market.get(Party, home.market.payer_id)
    assert (party.email, party.name) == ("ana@example.org", "Ana Lind")


def pays_with(home: ApiClient, party: str) -> Any:
    (found,) = home.get(f"/parties?external_id={party}").json()["items"]
    return found["payment_method"]


def test_a_party_says_what_the_payer_pays_with_as_far_as_it_is_known(home: ApiClient) -> None:
    """A card that is given is not saved; one that paid while its payer was there is, and another one is not."""
    person = {"external_id": "new-payer", "role": "PAYER", "name": "Ida Berg", "email": "ida@example.com"}
    assert home.post("/parties", person).json()["payment_method"] is None
    opened = {"party": "new-payer", "currency": "USD", "payment_method": "pm_card_mastercard"}
    visa = {"type": "card", "brand": "visa", "last4": "4242"}
    given = home.post("/provider-accounts", opened).json()["payment_method"]
    assert given == {"type": "card", "brand": "mastercard", "last4": "4444", "saved": False}
    home.post("/payment-method", {"party": home.payer, "payment_method": "pm_card_visa"})
    assert pays_with(home, home.payer) == {**visa, "saved": False}

    for off_session in (True, False):
        project = home.market.agreed(Money(100_000, "USD"))
        (first,) = home.market.milestones(project.id)
        funded = {"party": home.payer, "milestones": [first.id], "off_session": off_session}
        assert home.post(f"/projects/{project.id}/fund", funded).status_code == 202
        home.market.work()
        assert home.get(f"/milestones/{first.id}").json()["payment"]["charge_status"] == "SUCCEEDED"
        assert pays_with(home, home.payer) == {**visa, "saved": not off_session}

    home.post("/payment-method", {"party": home.payer, "payment_method": "pm_card_amex"})
    assert pays_with(home, home.payer) == {"type": "card", "brand": "amex", "last4": "8431", "saved": False}
    assert pays_with(home, home.payee) is None

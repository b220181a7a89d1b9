"""The arrows of the sequence diagram that come from outside, over HTTP to the ledger (milestone-payment-flow)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from core.actions.parties import payment_method_setups
from core.db import Database
from core.gateways.stripe_calls import client
from core.money import Money
from core.processes import settlement_currency
from core.records import Evidence, Message, Party
from core.rules.engagement import EngagementStatus
from tests.api.api_client import ApiClient, a_key, code
from tests.db_snapshot import nothing_changes

PARTS = ("SCOPE_BY_PAYER", "SCOPE_BY_PAYEE", "FEE", "CONFLICT_CHECK", "DISCLAIMERS")
BY_PAYEE = ("SCOPE_BY_PAYEE", "CONFLICT_CHECK")


def bid(home: ApiClient, reference: str = "bid-over-http", **other: Any) -> dict[str, Any]:
    return {
        "bid_reference": reference,
        "payer": home.payer,
        "payee": home.payee,
        "title": "New kitchen",
        "scope": "Cabinets and worktop, as drawn.",
        "project_type": "KITCHEN",
        "fee_mode": "STAGED",
        "total": {"minor": 150_000, "currency": "USD"},
        **other,
    }


def accepted(home: ApiClient, reference: str = "bid-over-http") -> dict[str, Any]:
    """An accepted bid, divided in two and confirmed by both sides."""
    project = home.post("/bids", bid(home, reference)).json()
    division = [
        {"title": title, "deliverable": "As drawn.", "amount": {"minor": minor, "currency": "USD"}}
        for title, minor in (("Cabinets", 100_000), ("Worktop", 50_000))
    ]
    path = f"/projects/{project['id']}"
    answer = home.post(f"{path}/milestones", {"party": home.payer, "milestones": division})
    assert answer.status_code == 200, answer.text
    for part in PARTS:
        who = home.payee if part in BY_PAYEE else home.payer
        answer = home.post(f"{path}/engagement", {"party": who, "part": part})
        assert answer.status_code == 200, answer.text
    return dict(answer.json())


def funded(home: ApiClient, reference: str = "bid-over-http") -> tuple[dict[str, Any], str]:
    """The project, and the path of its first milestone, whose money is held."""
    project = accepted(home, reference)
    first = project["milestones"][0]["id"]
    answer = home.post(f"/projects/{project['id']}/fund", {"party": home.payer, "milestones": [first]})
    assert answer.status_code == 202, answer.text
    home.market.work()
    return project, f"/milestones/{first}"


def submitted(home: ApiClient) -> str:
    _, path = funded(home)
    answer = home.post(f"{path}/complete", {"party": home.payee})
    assert answer.json()["status"] == "PENDING_VERIFICATION"
    return path


def disputed(home: ApiClient) -> str:
    path = submitted(home)
    answer = home.post(
        f"{path}/dispute", {"party": home.payer, "reason": "DEFECTIVE", "details": "It leans."}
    )
    assert answer.json()["status"] == "DISPUTED"
    return path


def test_a_party_is_made_known_and_opened_at_the_provider(home: ApiClient) -> None:
    person = {"external_id": "u/1 ü", "role": "PAYER", "name": "Ida Berg", "email": "ida@example.com"}
    assert home.post("/parties", person).status_code == 201
    again = home.post("/parties", person)
    assert (again.status_code, again.json()["known_to_provider"]) == (201, False)
    assert code(home.post("/parties", person | {"role": "PAYEE"})) == "asked_differently"

    account = {"party": "u/1 ü", "currency": "USD", "payment_method": "pm_card_bypassPending"}
    assert home.post("/provider-accounts", account, key="once").json()["known_to_provider"]
    assert home.post("/provider-accounts", account, key="once").headers["idempotent-replayed"] == "true"
    assert home.get("/parties?external_id=u%2F1%20%C3%BC").json()["items"][0]["known_to_provider"]


def test_a_payment_without_a_method_says_whose_is_missing(home: ApiClient, owner: Database) -> None:
    project = home.market.agreed(Money(100_000, "USD"))
    (first,) = home.market.milestones(project.id)
    home.market.database.run(
        lambda session: setattr(session.get_one(Party, home.market.payer_id), "payment_method", None)
    )
    with nothing_changes(owner):
        answer = home.post(f"/projects/{project.id}/fund", {"party": home.payer, "milestones": [first.id]})
    assert (answer.status_code, code(answer)) == (409, "no_payment_method")
    assert answer.json()["facts"] == {"milestone": first.id, "party": home.payer}


def test_a_bank_account_without_a_mandate_is_refused_where_it_is_given(
    home: ApiClient, owner: Database
) -> None:
    person = {"external_id": "debited", "role": "PAYER", "name": "Dee Bit", "email": "dee@example.com"}
    assert home.post("/parties", person).status_code == 201
    before = home.market.sent("/v1/customers")
    account = {"party": "debited", "currency": "USD", "payment_method": "pm_usBankAccount_success"}
    with nothing_changes(owner):
        opened = home.post("/provider-accounts", account)
    assert (opened.status_code, code(opened)) == (422, "mandate_required")
    assert opened.json()["facts"] == {
        "party": "debited", "payment_method": "pm_usBankAccount_success", "kind": "us_bank_account",
    }  # fmt: skip
    with nothing_changes(owner):
        unknown = home.post("/provider-accounts", account | {"payment_method": "pm_1NVChw2eZvKYlo2CHxiM5E2E"})
    assert (unknown.status_code, unknown.json()["facts"]) == (422, {"provider_code": "resource_missing"})
    assert home.market.sent("/v1/customers") == before

    change = {"party": home.payer, "payment_method": "pm_usBankAccount_success"}
    with nothing_changes(owner):
        refused = home.post("/payment-method", change)
    assert (refused.status_code, code(refused)) == (422, "mandate_required")
    saved = home.market.saved("pm_usBankAccount_success")  # and nobody has told the desk yet
    for method in (saved, "pm_card_visa", saved):
        assert home.post("/payment-method", change | {"payment_method": method}).status_code == 200


def test_from_the_bid_to_the_bank(home: ApiClient) -> None:
    project, path = funded(home)
    assert project["engagement"]["status"] == EngagementStatus.ACTIVE
    assert home.get("/projects?bid_reference=bid-over-http").json()["items"][0]["id"] == project["id"]
    schedule = home.get(f"/projects/{project['id']}/schedule").json()
    assert [each["charge"]["minor"] for each in schedule["instalments"]] == [105_592, 52_812]
    assert schedule["total"]["minor"] == 158_404
    assert home.get(path).json()["payment"]["held"] == {"minor": 100_000, "currency": "USD"}

    home.post(f"{path}/complete", {"party": home.payee})
    assert home.post(f"{path}/approve", {"party": home.payer}).json()["status"] == "VERIFIED"
    home.market.work()

    done = home.get(path).json()
    assert (done["payment"]["released"]["minor"], done["payment"]["held"]["minor"]) == (100_000, 0)
    assert home.get(f"/projects/{project['id']}").json()["milestones"][1]["status"] == "AWAITING_FUNDING"
    assert home.market.books()["platform_fee_revenue"] == 2_500
    home.market.lawful()


def test_a_bid_is_accepted_once_and_only_as_it_was(home: ApiClient) -> None:
    first = home.post("/bids", bid(home)).json()
    assert home.post("/bids", bid(home)).json()["id"] == first["id"]
    other = home.post("/bids", bid(home, total={"minor": 160_000, "currency": "USD"}))
    assert (other.status_code, code(other)) == (409, "bid_known_otherwise")
    assert other.json()["facts"] == {"bid": "bid-over-http", "fields": ["total"]}
    two = home.post("/bids", bid(home, project_type="BATHROOM", funding="AHEAD")).json()["facts"]
    assert two["fields"] == ["project_type", "funding"]
    wrong = home.post("/bids", bid(home, "b2", payee=home.payer))
    assert (wrong.status_code, code(wrong)) == (422, "wrong_role")


def test_a_currency_that_stripe_would_convert_is_refused_at_the_bid_and_at_funding(
    home: ApiClient, owner: Database
) -> None:
    home.market.newcomers("EUR")
    euros = bid(home, total={"minor": 150_000, "currency": "EUR"})
    agreed = home.market.agreed(Money(100_000, "EUR"))
    (first,) = home.market.milestones(agreed.id)
    home.market.control.convert("EUR", "USD", "1.1")
    settlement_currency.read(home.market.desk)
    with nothing_changes(owner):
        for answer in (
            home.post("/bids", euros),
            home.post(f"/projects/{agreed.id}/fund", {"party": home.payer, "milestones": [first.id]}),
        ):
            assert (answer.status_code, code(answer)) == (409, "currency_not_settled")
            assert answer.json()["facts"]["currency"] == "EUR"
            assert "EUR cannot be paid here" in answer.json()["detail"]
    assert home.market.sent("/v1/payment_intents") == []


def test_what_stripe_could_not_charge_is_refused_when_it_is_agreed(home: ApiClient, owner: Database) -> None:
    agreed = home.post("/bids", bid(home)).json()
    usd = partial(dict, currency="USD")
    with nothing_changes(owner):
        for minor in (1, 270_661_935, 9_000_000_000_000_000):
            answer = home.post("/bids", bid(home, f"b{minor}", total=usd(minor=minor)))
            assert (answer.status_code, code(answer)) == (422, "amount_outside_limits")
            assert answer.json()["facts"] == {
                "field": "total",
                "amount": usd(minor=minor),
                "minimum": usd(minor=50),
                "maximum": usd(minor=270_661_934),
            }
        parts = [
            {"title": "Part", "deliverable": "Done.", "amount": usd(minor=minor)} for minor in (149_970, 30)
        ]
        answer = home.post(f"/projects/{agreed['id']}/milestones", {"party": home.payer, "milestones": parts})
        assert (answer.status_code, code(answer)) == (422, "amount_outside_limits")
        assert answer.json()["facts"]["field"] == "milestones[1].amount"


def test_several_milestones_are_funded_together_or_not_at_all(home: ApiClient, owner: Database) -> None:
    project = accepted(home)
    both = [each["id"] for each in project["milestones"]]
    path = f"/projects/{project['id']}"
    with nothing_changes(owner):
        answer = home.post(f"{path}/fund", {"party": home.payer, "milestones": both})
        assert (answer.status_code, code(answer)) == (409, "funded_in_turn")
        later = home.post(f"{path}/fund", {"party": home.payer, "milestones": both[1:]})
        assert (later.status_code, code(later)) == (409, "funded_in_turn")
        other = home.post(f"{path}/funding", {"party": home.payee, "funding": "AHEAD"})
        assert (other.status_code, code(other)) == (403, "not_yours")
    assert (
        home.post(f"{path}/funding", {"party": home.payer, "funding": "AHEAD"}).json()["funding"] == "AHEAD"
    )
    with nothing_changes(owner):
        gap = home.post(f"{path}/fund", {"party": home.payer, "milestones": [both[0], 9_999]})
        assert (gap.status_code, code(gap)) == (404, "not_found")
    answer = home.post(f"{path}/fund", {"party": home.payer, "milestones": both})
    assert answer.status_code == 202
    assert [each["payment"]["state"] for each in answer.json()["milestones"]] == ["PENDING_PAYMENT"] * 2
    home.market.work()
    paid = home.get(path).json()["milestones"]
    assert [(each["status"], each["payment"]["held"]["minor"]) for each in paid] == [
        ("FUNDED", 100_000),
        ("FUNDED", 50_000),
    ]
    assert len(home.market.operations("CHARGE")) == 2
    home.market.lawful()


def test_canceled_milestones_are_counted_in_their_project_and_listed_elsewhere(home: ApiClient) -> None:
    """Dividing it again and again makes the answer no longer."""
    project = accepted(home, "bid-again")
    path, total = f"/projects/{project['id']}", project["total"]["minor"]
    for number in (6, 1, 6, 1):
        parts = [
            {"title": f"Part {each}", "deliverable": "Done.", "amount": {"minor": minor, "currency": "USD"}}
            for each, minor in enumerate([total - 10_000 * (number - 1)] + [10_000] * (number - 1))
        ]
        answer = home.post(f"{path}/milestones", {"party": home.payer, "milestones": parts}).json()
        assert len(answer["milestones"]) == number
    assert "CANCELED" not in {each["status"] for each in answer["milestones"]}
    gone = home.get(f"/milestones?project={project['id']}&status=CANCELED&limit=100").json()["items"]
    assert answer["canceled_milestones"] == len(gone) == 10
    assert home.get(path).json() == answer


def test_a_payment_that_the_bank_asks_about_is_confirmed_or_called_off(home: ApiClient) -> None:
    project = home.market.agreed(Money(100_000, "USD"))
    (first,) = home.market.milestones(project.id)
    asks = {"party": home.payer, "milestones": [first.id], "payment_method": "pm_card_authenticationRequired"}

    def payment() -> dict[str, Any]:
        return dict(home.get(f"/milestones/{first.id}").json()["payment"])

    assert home.post(f"/projects/{project.id}/fund", asks).json()["milestones"][0]["payment"][
        "charge_status"
    ] == ("SENDING")
    home.market.work()
    asked = payment()
    assert (asked["state"], asked["charge_status"], asked["decline"]) == (
        "PENDING_PAYMENT",
        "REQUIRES_ACTION",
        None,
    )
    assert asked["confirmation"]["client_secret"].startswith("pi_")
    assert asked["confirmation"]["url"] is None
    reader = ApiClient(home.market, home.client, a_key(home.market.desk, may_write=False))
    for shown in (
        reader.get(f"/milestones/{first.id}").json(),
        reader.get(f"/milestones?project={project.id}").json()["items"][-1],
        reader.get(f"/projects/{project.id}").json()["milestones"][0],
        {"payment": reader.get(f"/payments?milestone={first.id}").json()["items"][0]},
    ):
        hidden = asked["confirmation"] | {"client_secret": None}
        assert shown["payment"]["confirmation"] == hidden, "a key that only reads confirms nothing"
    listed = home.get(f"/payments?milestone={first.id}").json()["items"]
    assert listed[0]["confirmation"] == asked["confirmation"]
    off = home.post(f"/milestones/{first.id}/cancel-payment", {"party": home.payer})
    assert off.status_code == 200
    home.market.work()
    ended = payment()
    assert (ended["state"], ended["charge_status"], ended["confirmation"]) == ("UNPAID", "FAILED", None)
    assert (ended["decline"]["code"], ended["decline"]["next_retry_at"]) == ("not_confirmed", None)
    again = home.post(f"/milestones/{first.id}/cancel-payment", {"party": home.payer})
    assert (again.status_code, code(again)) == (409, "nothing_to_confirm")

    home.post(f"/projects/{project.id}/fund", asks | {"return_url": "https://market.example/back"})
    home.market.work()
    assert payment()["confirmation"]["url"].startswith(home.market.sandbox.url)
    shown = reader.get(f"/milestones/{first.id}").json()["payment"]["confirmation"]
    assert (shown["client_secret"], shown["url"]) == (None, None), "the page's address has the secret too"
    home.market.control.authenticate(home.market.operations("CHARGE")[-1].provider_id or "")
    home.market.later(minutes=11)
    paid = payment()
    assert (paid["state"], paid["charge_status"], paid["held"]["minor"]) == (
        "PAID_HELD",
        "SUCCEEDED",
        100_000,
    )


def test_a_payer_saves_a_card_and_is_charged_while_they_are_away(home: ApiClient) -> None:
    answer = home.post("/payment-method-setups", {"party": home.payer})
    begun = answer.json()
    assert (answer.status_code, begun["status"], begun["decline"]) == (201, "OPEN", None)
    path = f"/payment-method-setups/{begun['id']}"
    assert home.get(path).json() == begun | {"client_secret": None}
    intent = begun["client_secret"].partition("_secret")[0]
    stripe = client(home.market.sandbox.key, home.market.sandbox.url).v1
    stripe.setup_intents.confirm(intent, {"payment_method": "pm_card_authenticationRequiredOnSetup"})
    home.market.control.authenticate(intent)
    setup = home.market.desk.payments.set_up_of(intent)
    home.market.database.run(
        lambda session: payment_method_setups.follow(session, setup, now=home.market.now)
    )
    assert home.get(path).json()["status"] == "SAVED"
    (party,) = home.get(f"/parties?external_id={home.payer}").json()["items"]
    assert party["payment_method"] == {"type": "card", "brand": "visa", "last4": "3155", "saved": True}

    project = home.market.agreed(Money(100_000, "USD"))
    (first,) = home.market.milestones(project.id)
    away = {"party": home.payer, "milestones": [first.id], "off_session": True}
    assert home.post(f"/projects/{project.id}/fund", away).status_code == 202
    home.market.work()
    assert home.get(f"/milestones/{first.id}").json()["payment"]["charge_status"] == "SUCCEEDED"
    wrong = home.post("/payment-method-setups", {"party": home.payee})
    assert (wrong.status_code, code(wrong)) == (422, "not_for_this_role")
    assert home.get("/payment-method-setups/999").status_code == 404


def test_a_bid_can_say_that_it_is_funded_ahead(home: ApiClient) -> None:
    assert home.post("/bids", bid(home, funding="AHEAD")).json()["funding"] == "AHEAD"
    assert home.post("/bids", bid(home, "other")).json()["funding"] == "IN_TURN"


def test_a_dispute_is_explained_answered_and_worked_off(home: ApiClient) -> None:
    path = disputed(home)
    said = home.post(f"{path}/dispute-details", {"party": home.payer, "details": "By a hand's width."})
    dispute = home.get(f"/disputes/{said.json()['dispute']}").json()
    assert (dispute["status"], dispute["details"]) == ("OPEN", "By a hand's width.")
    message = home.post(f"{path}/messages", {"party": home.payee, "body": "We will straighten it."})
    assert (message.status_code, message.json()["dispute"]) == (201, dispute["id"])
    again = home.post(f"{path}/resubmit", {"party": home.payee}).json()
    assert again["status"] == "PENDING_VERIFICATION"
    assert home.get(f"/disputes/{dispute['id']}").json()["resolution"] == "REWORKED"
    assert home.market.count(Message) == 3


def test_a_dispute_is_withdrawn_by_the_payer_only(home: ApiClient) -> None:
    path = disputed(home)
    refused = home.post(f"{path}/withdraw-dispute", {"party": home.payee})
    assert (refused.status_code, code(refused)) == (403, "not_yours")
    assert home.post(f"{path}/withdraw-dispute", {"party": home.payer}).json()["status"] == (
        "PENDING_VERIFICATION"
    )


def test_either_party_asks_for_mediation(home: ApiClient) -> None:
    path = disputed(home)
    asked = home.post(f"{path}/mediation", {"party": home.payee}).json()
    assert asked["status"] == "IN_MEDIATION"
    assert home.get(f"/disputes/{asked['dispute']}").json()["status"] == "UNDER_REVIEW"
    home.market.lawful()


def test_a_payee_without_an_answer_asks_for_mediation_at_the_same_address(home: ApiClient) -> None:
    path = submitted(home)
    home.market.wait(days=2)
    said = home.post(f"{path}/messages", {"party": home.payer, "body": "Not like this."})
    assert said.status_code == 201, said.text
    early = home.post(f"{path}/mediation", {"party": home.payee})
    assert (early.status_code, code(early)) == (409, "answer_not_due")
    home.market.later(days=5)
    known = home.get(path).json()
    assert (known["status"], known["auto_approve_at"]) == ("PENDING_VERIFICATION", None)
    asked = home.post(f"{path}/mediation", {"party": home.payee}).json()
    assert asked["status"] == "IN_MEDIATION"
    assert home.get(f"/disputes/{asked['dispute']}").json()["reason"] == "NO_ANSWER"
    home.market.lawful()


def test_evidence_is_submitted_as_a_file(home: ApiClient) -> None:
    path = disputed(home)
    file = ("measure.txt", b"It leans by 11 cm at the top.", "text/plain")
    first = home.upload(f"{path}/evidence", party=home.payer, file=file, key="photo")
    assert (first.status_code, first.json()["kind"]) == (201, "TEXT"), first.text
    # Another boundary writes the same form in other bytes: it is still the same request.
    again = home.upload(f"{path}/evidence", party=home.payer, file=file, key="photo")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    program = ("tool.exe", b"MZ\x90\x00", "application/octet-stream")
    refused = home.upload(f"{path}/evidence", party=home.payer, file=program)
    assert (refused.status_code, code(refused)) == (422, "format_not_accepted")
    assert home.market.count(Evidence) == 1


def test_a_late_complaint_holds_the_money(home: ApiClient) -> None:
    path = submitted(home)
    complaint = {"party": home.payer, "reason": "The drawer sticks."}
    early = home.post(f"{path}/complaint", complaint)
    assert (early.status_code, code(early)) == (409, "not_a_late_complaint")
    home.market.wait(days=6)
    assert home.post(f"{path}/complaint", complaint).status_code == 200
    too_late = home.post(f"{path}/dispute", {"party": home.payer, "reason": "DEFECTIVE"})
    assert (too_late.status_code, code(too_late)) == (409, "dispute_window_closed")


def test_a_legal_engagement_is_not_paid_before_it_is_active(law: ApiClient) -> None:
    law.market.newcomers(platform="legal_services")
    project = law.post("/bids", bid(law, project_type="CONSULTATION", fee_mode="CONSULTATION_FIXED")).json()
    (milestone,) = project["milestones"]
    refused = law.post(
        f"/projects/{project['id']}/fund", {"party": law.payer, "milestones": [milestone["id"]]}
    )
    assert (refused.status_code, code(refused)) == (409, "engagement_incomplete")
    blocks = [each["code"] for each in refused.json()["facts"]["blocks"]]
    assert blocks == ["not_active", "scope", "fee", "conflict_check", "disclaimers"]


@pytest.mark.parametrize("mode", ["HOURLY_OPEN_ENDED", "TRUST_ACCOUNT"])
def test_fees_without_an_amount_are_refused_with_the_reason(home: ApiClient, mode: str) -> None:
    answer = home.post("/bids", bid(home, fee_mode=mode))
    assert (answer.status_code, code(answer)) == (422, "fee_mode_not_supported")
    assert answer.json()["facts"] == {"mode": mode}

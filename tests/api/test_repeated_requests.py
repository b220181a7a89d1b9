"""What is said again is the same, or it is refused and named: nothing that was told is dropped without a word."""

from __future__ import annotations

from typing import Any

import pytest

from core.actions.risk import holds, reports
from core.db import Database
from core.records import Party
from core.rules.holds import SILENT
from core.rules.reports import ReportOutcome
from tests.api.api_client import ApiClient, code
from tests.api.test_arrows import project_of
from tests.api.test_flows import bid, funded, submitted
from tests.db_snapshot import nothing_changes
from tests.gateways.test_phone_files import FILES

PERSON = {
    "external_id": "ida",
    "role": "PAYEE",
    "name": "Ida Berg",
    "email": "ida@example.com",
    "city": "Bergen",
    "country": "NO",
    "withdrawal_method": "standard",
}
OTHERS = {
    "role": "PAYER",
    "name": "Ida Bergh",
    "email": "i@example.com",
    "city": "Oslo",
    "country": "SE",
    "withdrawal_method": "instant",
}


def test_the_others_are_all_that_can_be_said_of_a_party() -> None:
    assert OTHERS.keys() | {"external_id"} == PERSON.keys()


def test_a_party_said_again_with_anything_else_is_refused_and_names_it(
    home: ApiClient, owner: Database
) -> None:
    first = home.post("/parties", PERSON).json()
    for field, other in OTHERS.items():
        with nothing_changes(owner):
            answer = home.post("/parties", PERSON | {field: other})
        assert (answer.status_code, code(answer)) == (409, "asked_differently"), field
        assert answer.json()["facts"]["fields"] == [field]
    both = home.post("/parties", PERSON | {"city": "Oslo", "country": "SE"}).json()
    assert both["facts"]["fields"] == ["city", "country"]
    assert "with another city and another country" in both["detail"]
    assert home.post("/parties", PERSON).json() == first
    little = {name: PERSON[name] for name in ("external_id", "role", "name", "email")}
    assert home.post("/parties", little).json() == first


@pytest.mark.parametrize(
    ("role", "given", "other"),
    [
        ("PAYER", {"payment_method": "pm_card_bypassPending"}, {"payment_method": "pm_card_visa"}),
        ("PAYEE", {"bank_token": "btok_us_verified"}, {"bank_token": "btok_us_other"}),
        ("PAYEE", {"bank_token": "btok_us_verified"}, {"currency": "EUR"}),
    ],
)
def test_another_card_bank_or_currency_is_refused_and_what_is_stored_stays(
    home: ApiClient, owner: Database, role: str, given: dict[str, str], other: dict[str, str]
) -> None:
    home.post("/parties", PERSON | {"role": role, "country": "US"})
    account = {"party": "ida", "currency": "USD", **given}
    assert home.post("/provider-accounts", account).status_code == 200
    assert home.post("/provider-accounts", account).json()["known_to_provider"]
    assert home.post("/provider-accounts", {"party": "ida", "currency": "USD"}).status_code == 200
    with nothing_changes(owner):
        answer = home.post("/provider-accounts", account | other)
    assert (answer.status_code, code(answer)) == (409, "account_known_otherwise"), answer.text
    assert answer.json()["facts"]["fields"] == list(other)
    assert "What is stored stays" in answer.json()["detail"]


@pytest.mark.parametrize(("role", "field"), [("PAYER", "bank_token"), ("PAYEE", "payment_method")])
def test_what_the_other_role_gives_is_refused_and_not_dropped(
    home: ApiClient, owner: Database, role: str, field: str
) -> None:
    home.post("/parties", PERSON | {"role": role, "country": "US"})
    with nothing_changes(owner):
        answer = home.post("/provider-accounts", {"party": "ida", "currency": "USD", field: "tok_1"})
    assert (answer.status_code, code(answer)) == (422, "not_for_this_role")
    assert answer.json()["facts"]["fields"] == [field]


def test_a_payer_without_a_card_is_given_one(home: ApiClient) -> None:
    home.post("/parties", PERSON | {"role": "PAYER", "country": "US"})
    home.post("/provider-accounts", {"party": "ida", "currency": "USD"})
    card = {"party": "ida", "currency": "USD", "payment_method": "pm_card_bypassPending"}
    assert home.post("/provider-accounts", card).status_code == 200
    assert [each.payment_method for each in home.market.all(Party) if each.external_id == "ida"] == [
        "pm_card_bypassPending"
    ]


def test_a_bid_said_again_with_another_funding_is_refused(home: ApiClient) -> None:
    home.market.newcomers()
    said = bid(home) | {"funding": "AHEAD"}
    first = home.post("/bids", said).json()
    answer = home.post("/bids", said | {"funding": "IN_TURN"})
    assert (answer.status_code, code(answer)) == (409, "bid_known_otherwise")
    assert home.post("/bids", said).json()["id"] == first["id"]


def test_a_file_said_again_with_another_caption_is_refused(home: ApiClient) -> None:
    path = f"{submitted(home)}/evidence"
    file = ("note.txt", b"The API leans.", "text/plain")
    first = home.upload(path, party=home.payer, file=file)
    assert first.status_code == 201
    answer = home.upload(path, party=home.payer, file=file, caption="Another door")
    assert (answer.status_code, code(answer), answer.json()["facts"]["fields"]) == (
        409,
        "asked_differently",
        ["caption"],
    )
    for caption in ("As it was", ""):
        assert home.upload(path, party=home.payer, file=file, caption=caption).json() == first.json()


def test_a_file_said_again_under_another_name_is_refused(home: ApiClient) -> None:
    path = f"{submitted(home)}/evidence"
    words = b"The API leans."
    first = home.upload(path, party=home.payer, file=("note.txt", words, "text/plain"))
    answer = home.upload(path, party=home.payer, file=("again.txt", words, "text/plain"), caption="Another")
    assert (answer.status_code, code(answer), answer.json()["facts"]["fields"]) == (
        409,
        "asked_differently",
        ["file_name", "caption"],
    )
    assert "another file name and another caption" in answer.json()["detail"]
    spelled = ("C:\\photos\\note.txt", words, "text/plain")
    assert home.upload(path, party=home.payer, file=spelled).json() == first.json()


def test_a_file_whose_name_hides_what_it_is_may_be_said_again(home: ApiClient) -> None:
    """It is stored with an ending of its true format, and sent again as it was sent."""
    path = f"{submitted(home)}/evidence"
    file = ("photo.jpg", (FILES / "photo.heic").read_bytes(), "image/jpeg")
    first = home.upload(path, party=home.payer, file=file)
    assert first.json()["file_name"] == "photo.jpg.heic"
    assert home.upload(path, party=home.payer, file=file).json() == first.json()


def test_a_refusal_names_a_party_as_the_platform_does(home: ApiClient) -> None:
    answer = home.post(f"{submitted(home)}/approve", {"party": home.payee})
    assert (answer.status_code, code(answer)) == (403, "not_yours")
    assert answer.json()["facts"] == {"party": home.payee}


def event(path: str) -> dict[str, Any]:
    milestone = int(path.rpartition("/")[2])
    said = {"external_id": "cre-1", "kind": "OTHER", "severity": "SEVERE", "details": "Rule 7."}
    return said | {"milestone": milestone, "about": "payee"}


def codes(answer: Any) -> list[str]:
    return [each["code"] for each in answer.json()["release_waits_for"]]


def test_an_approval_under_a_severe_event_says_what_holds_the_release_back(home: ApiClient) -> None:
    path = submitted(home)
    filed = home.post(f"{project_of(home, path)}/content-events", event(path)).json()
    assert filed["about"] == home.payee
    assert codes(home.get(path)) == []  # nothing is due yet
    answer = home.post(f"{path}/approve", {"party": home.payer})
    assert (answer.json()["status"], codes(answer)) == ("VERIFIED", ["severe_content_event"])
    assert codes(home.get(path)) == ["severe_content_event"]
    home.market.act(
        reports.settle,
        home.market.as_staff("cora"),
        report_id=filed["id"],
        outcome=ReportOutcome.DISMISSED,
        note="A quotation.",
    )
    home.market.work()
    assert (home.get(path).json()["status"], codes(home.get(path))) == ("COMPLETED", [])


@pytest.mark.parametrize("kind", sorted(SILENT))
def test_a_silent_hold_shows_only_that_money_which_is_due_waits(home: ApiClient, kind: Any) -> None:
    _, path = funded(home)
    milestone = int(path.rpartition("/")[2])
    cora = home.market.as_staff("cora")
    home.market.act(holds.place, cora, milestone_id=milestone, reason="A ring of fraud.", kind=kind)
    home.post(f"{path}/complete", {"party": home.payee})
    assert codes(home.get(path)) == []
    answer = home.post(f"{path}/approve", {"party": home.payer})
    assert codes(answer) == ["waits"]
    assert "fraud" not in answer.text

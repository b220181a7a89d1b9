"""The wrong people, the wrong platform, the same thing twice at once, a provider or a database that is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from core.db import Database
from core.records import Case, Party
from tests.api.api_client import ApiClient, code, http_client
from tests.api.test_flows import accepted, bid, disputed, submitted
from tests.api.test_fuzz import everywhere
from tests.db_snapshot import nothing_changes


def every_change(home: ApiClient, milestone: str, project: str, dispute: int) -> dict[str, dict[str, Any]]:
    """Each address that changes something about a disputed milestone, with a body that is right but for the party."""
    usd = {"minor": 1_000, "currency": "USD"}
    whole = [{"title": "All", "deliverable": "As drawn.", "amount": {"minor": 150_000, "currency": "USD"}}]
    number = int(milestone.rpartition("/")[2])
    return {
        f"{project}/engagement": {"part": "FEE"},
        f"{project}/milestones": {"milestones": whole},
        f"{project}/fund": {"milestones": [number]},
        f"{project}/funding": {"funding": "AHEAD"},
        f"{project}/reports": {"kind": "OTHER", "details": "Hm."},
        f"{milestone}/complete": {},
        f"{milestone}/session-completed": {},
        f"{milestone}/approve": {},
        f"{milestone}/dispute": {"reason": "OTHER"},
        f"{milestone}/dispute-details": {"details": "Hm."},
        f"{milestone}/complaint": {"reason": "Hm."},
        f"{milestone}/withdraw-complaint": {},
        f"{milestone}/resubmit": {"details": "Hm."},
        f"{milestone}/withdraw-dispute": {},
        f"{milestone}/mediation": {},
        f"{milestone}/messages": {"body": "Hm."},
        f"/disputes/{dispute}/answer": {"body": "Hm."},
        f"/disputes/{dispute}/settlement-proposals": {"release": usd},
        "/settlement-proposals/1/accept": {},
        "/settlement-proposals/1/decline": {},
        "/settlement-proposals/1/withdraw": {},
    }


def stood(home: ApiClient) -> tuple[str, str, int]:
    """A disputed milestone with an offer and everything else: its path, its project's, its dispute."""
    everywhere(home)
    (case,) = home.market.all(Case)
    milestone = f"/milestones/{case.milestone_id}"
    return milestone, f"/projects/{home.get(milestone).json()['project']}", case.id


def test_a_stranger_of_the_same_platform_changes_nothing_anywhere(home: ApiClient, owner: Database) -> None:
    changes = every_change(home, *stood(home))
    home.market.newcomers()
    with nothing_changes(owner):
        for path, body in changes.items():
            for stranger in (home.payer, home.payee):
                answer = home.post(path, {"party": stranger, **body})
                assert (answer.status_code, code(answer)) == (403, "not_yours"), (path, answer.text)


def test_another_platforms_key_finds_nothing_anywhere(
    home: ApiClient, law: ApiClient, owner: Database
) -> None:
    milestone, project, dispute = stood(home)
    own = law.market.party("PAYER", platform="legal_services")
    theirs = str(home.market.get(Party, own).external_id)
    more = {
        f"{project}/reviews": {"stars": 5},
        f"{project}/content-events": {
            "external_id": "x",
            "kind": "OTHER",
            "severity": "LOW",
            "details": "Hm.",
        },
        f"{project}/practice-flags": {"licensed_in": "Ohio", "needed_in": "Iowa"},
        "/practice-flags/1/resolve": {"resolution": "Hm."},
        "/webhook-endpoints/1/replay": {"after": 0},
    }
    by_nobody = {path for path in more if "reviews" not in path}
    with nothing_changes(owner):
        for path, body in {**every_change(home, milestone, project, dispute), **more}.items():
            said = body if path in by_nobody else {"party": theirs, **body}
            answer = law.post(path, said)
            assert (answer.status_code, code(answer)) == (404, "not_found"), (path, answer.text)
        for path in (
            f"{milestone}/messages",
            f"/disputes/{dispute}/settlement-proposals",
            f"{project}/reviews",
            "/reports/1",
            "/practice-flags/1",
            "/events?endpoint=1",
            f"/email-preferences?external_id={home.payer}",
        ):
            answer = law.get(path)
            assert (answer.status_code, code(answer)) == (404, "not_found"), path


ROLES = {  # who may not, although they are a party of the project
    "complete": "payer",
    "approve": "payee",
    "dispute": "payee",
    "dispute-details": "payee",
    "resubmit": "payer",
    "withdraw-dispute": "payee",
    "complaint": "payee",
}


def test_the_other_side_may_not_do_what_is_this_sides(home: ApiClient, owner: Database) -> None:
    milestone, project, dispute = stood(home)
    changes = every_change(home, milestone, project, dispute)
    with nothing_changes(owner):
        for step, who in ROLES.items():
            party = home.payer if who == "payer" else home.payee
            answer = home.post(f"{milestone}/{step}", {"party": party, **changes[f"{milestone}/{step}"]})
            assert (answer.status_code, code(answer)) == (403, "not_yours"), (step, answer.text)
        for step in ("fund", "funding", "milestones"):
            answer = home.post(f"{project}/{step}", {"party": home.payee, **changes[f"{project}/{step}"]})
            assert (answer.status_code, code(answer)) == (403, "not_yours"), (step, answer.text)


# At once


def at_once(home: ApiClient, path: str, body: dict[str, Any], times: int = 4) -> list[tuple[int, str]]:
    with ThreadPoolExecutor(times) as crowd:
        answers = list(crowd.map(lambda _: home.post(path, body), range(times)))
    return sorted((each.status_code, code(each)) for each in answers)


def test_an_approval_at_the_same_moment_releases_once(home: ApiClient) -> None:
    path = submitted(home)
    answers = at_once(home, f"{path}/approve", {"party": home.payer})
    assert answers == [(200, "")] + [(409, "illegal_move")] * 3
    home.market.work()
    assert home.get(path).json()["payment"]["released"]["minor"] == 100_000
    assert len(home.market.operations("TRANSFER")) == 1
    home.market.lawful()


def test_an_offer_accepted_at_the_same_moment_moves_the_money_once(home: ApiClient) -> None:
    path = disputed(home)
    dispute = home.get(path).json()["dispute"]
    share = {"minor": 60_000, "currency": "USD"}
    offer = home.post(
        f"/disputes/{dispute}/settlement-proposals", {"party": home.payee, "release": share}
    ).json()
    answers = at_once(home, f"/settlement-proposals/{offer['id']}/accept", {"party": home.payer})
    assert {status for status, _ in answers} == {200}  # the same again changes nothing
    home.market.work()
    done = home.get(path).json()["payment"]
    assert (done["released"]["minor"], done["refunded"]["minor"]) == (60_000, 40_000)
    assert len(home.market.operations("REFUND")) == 1
    home.market.lawful()


def test_a_dispute_opened_at_the_same_moment_is_one(home: ApiClient) -> None:
    path = submitted(home)
    answers = at_once(home, f"{path}/dispute", {"party": home.payer, "reason": "DEFECTIVE"})
    assert answers == [(200, "")] + [(409, "illegal_move")] * 3
    assert home.market.count(Case) == 1


def test_a_report_at_the_same_moment_is_one(home: ApiClient) -> None:
    project = accepted(home)
    event = {"external_id": "cre-1", "kind": "OTHER", "severity": "LOW", "details": "Rule 1."}
    answers = at_once(home, f"/projects/{project['id']}/content-events", event)
    assert {status for status, _ in answers} <= {201, 409}
    again = home.post(f"/projects/{project['id']}/content-events", event)
    assert (again.status_code, again.json()["external_id"]) == (201, "cre-1")


# Away


@pytest.mark.parametrize(
    ("fault", "when"), [("429", "before"), ("drop", "before"), ("drop", "after")], ids="-".join
)
def test_a_provider_that_is_away_while_it_is_funded_charges_once_later(
    home: ApiClient, fault: str, when: str
) -> None:
    project = accepted(home)
    number = project["milestones"][0]["id"]
    home.market.control.fault(fault, method="POST", path="/v1/payment_intents", when=when, times=2)
    body = {"party": home.payer, "milestones": [number]}
    answer = home.post(f"/projects/{project['id']}/fund", body, key="fund")
    assert answer.status_code == 202
    home.market.work()
    paid = home.get(f"/milestones/{number}").json()["payment"]
    assert paid["state"] in ("PENDING_PAYMENT", "PAID_HELD")
    again = home.post(f"/projects/{project['id']}/fund", body, key="fund")
    assert (again.status_code, again.json()) == (202, answer.json())
    other = home.post(f"/projects/{project['id']}/fund", body)
    assert other.status_code == 409
    for _ in range(6):
        home.market.later(minutes=30)
    assert home.get(f"/milestones/{number}").json()["payment"]["held"]["minor"] == 100_000
    assert len(home.market.at_stripe("/v1/payment_intents")) == 1
    home.market.lawful()


def test_a_provider_that_is_away_opens_no_account_and_is_asked_again(
    home: ApiClient, owner: Database
) -> None:
    person = {"external_id": "new", "role": "PAYEE", "name": "Ida Berg", "email": "ida@example.com"}
    home.post("/parties", person)
    account = {"party": "new", "currency": "USD", "bank_token": "btok_us_verified"}
    home.market.control.fault("500", method="POST", path="/v1/accounts", times=50)
    with nothing_changes(owner):
        answer = home.post("/provider-accounts", account, key="open")
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
    home.market.control.clear_faults()
    assert (
        home.post("/provider-accounts", account, key="open").status_code == 503
    )  # a fault is repeated for its key
    home.market.wait(hours=1)
    assert home.post("/provider-accounts", account, key="open").json()["known_to_provider"]


def test_a_database_that_is_away_says_when_to_come_back(home: ApiClient) -> None:
    away = Database("postgresql://app@127.0.0.1:1/nowhere")
    desk, home.market.desk = home.market.desk, replace(home.market.desk, database=away)
    closed = replace(home, client=http_client(home.market.desk))
    home.market.desk = desk
    answer = closed.post("/bids", bid(home))
    assert (answer.status_code, code(answer)) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0

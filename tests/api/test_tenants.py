"""A platform sees and moves what is its own; what belongs to another is not there."""

from __future__ import annotations

import pytest

from core.db import Database
from tests.api.api_client import ApiClient, code
from tests.api.test_flows import bid, disputed, funded
from tests.db_snapshot import nothing_changes

STEPS = ("complete", "approve", "resubmit", "withdraw-dispute", "mediation")


def test_another_platforms_objects_are_not_there(home: ApiClient, law: ApiClient) -> None:
    path = disputed(home)
    case = home.get(path).json()["dispute"]
    project = home.get(path).json()["project"]
    for there in (
        path,
        f"/disputes/{case}",
        f"/projects/{project}",
        f"/projects/{project}/schedule",
    ):
        assert home.get(there).status_code == 200
        answer = law.get(there)
        assert (answer.status_code, code(answer)) == (404, "not_found")


def test_another_platforms_milestones_cannot_be_moved(
    home: ApiClient, law: ApiClient, owner: Database
) -> None:
    path = disputed(home)
    said = {"party": home.payer, "body": "Let me in."}
    file = ("a.txt", b"hello", "text/plain")
    with nothing_changes(owner):
        for step in STEPS:
            for party in (home.payer, home.payee):
                assert law.post(f"{path}/{step}", {"party": party}).status_code == 404
        assert law.post(f"{path}/messages", said).status_code == 404
        assert law.upload(f"{path}/evidence", party=home.payer, file=file).status_code == 404


def test_a_party_of_another_platform_is_not_a_party_here(home: ApiClient, law: ApiClient) -> None:
    payer, payee = home.payer, home.payee
    assert law.post("/bids", bid(home, payer=payer, payee=payee)).status_code == 404


@pytest.mark.parametrize("step", STEPS)
def test_a_party_of_another_project_may_do_nothing(home: ApiClient, owner: Database, step: str) -> None:
    path = disputed(home)
    home.market.newcomers()
    for stranger in (home.payer, home.payee):
        with nothing_changes(owner):
            answer = home.post(f"{path}/{step}", {"party": stranger})
            assert (answer.status_code, code(answer)) == (403, "not_yours")


def test_a_milestone_is_funded_through_its_own_project_only(home: ApiClient) -> None:
    project, _ = funded(home)
    other = home.post("/bids", bid(home, "another")).json()
    body = {"party": home.payer, "milestones": [project["milestones"][1]["id"]]}
    answer = home.post(f"/projects/{other['id']}/fund", body)
    assert (answer.status_code, code(answer)) == (404, "not_found")

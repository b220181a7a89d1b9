"""A name that nobody knows is refused wherever it stands: in a list's query, in another one's, in a form."""

from __future__ import annotations

import pytest

from tests.api.api_client import ApiClient
from tests.api.test_flows import accepted


@pytest.mark.parametrize(
    "address",
    [
        "/projects?stauts=ACTIVE",
        "/platform?verbose=1",
        "/milestones/{milestone}?expand=payouts",
        "/evidence/1/file?re-encoded=true",
        "/webhook-endpoints?endpoint=5",
        "/parties?extern_id=x",
    ],
)
def test_a_name_in_the_query_that_nobody_knows_is_refused(home: ApiClient, address: str) -> None:
    milestone = accepted(home, "bid-names")["milestones"][0]["id"]
    answer = home.get(address.format(milestone=milestone))
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    (field,) = answer.json()["facts"]["fields"]
    assert field["where"][0] == "query"
    assert "not permitted" in field["why"]


@pytest.mark.parametrize(
    "query", ["/milestones?project=1&project=2", "/projects?limit=1&limit=2", "/email-preferences?{x}&{x}"]
)
def test_a_filter_given_twice_of_which_only_one_counts_is_refused(home: ApiClient, query: str) -> None:
    answer = home.get(query.format(x=f"external_id={home.payee}"))
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    (field,) = answer.json()["facts"]["fields"]
    assert (field["where"][0], "more than once" in field["why"]) == ("query", True)


def test_a_filter_that_takes_several_is_given_several_times(home: ApiClient) -> None:
    project = accepted(home, "bid-several")["id"]
    found = home.get("/projects?status=ACTIVE&status=COMPLETED").json()["items"]
    assert project in [each["id"] for each in found]


def test_a_change_with_a_query_that_nobody_knows_is_not_made(home: ApiClient) -> None:
    answer = home.post("/parties?dry_run=true", {"external_id": "x", "role": "PAYER", "name": "X Y"})
    assert (answer.status_code, answer.json()["facts"]["fields"][0]["where"]) == (422, ["query", "dry_run"])
    assert home.get("/parties?external_id=x").json()["items"] == []


def test_a_form_with_a_field_that_nobody_knows_is_refused(home: ApiClient) -> None:
    milestone = accepted(home, "bid-form")["milestones"][0]["id"]
    path, file = f"/milestones/{milestone}/evidence", ("wall.txt", b"A crack", "text/plain")
    more = {"party": home.payee, "captoin": "As it was"}
    request = home.client.build_request("POST", path, data=more, files={"file": file})
    answer = home.send("POST", path, request.read(), media_type=request.headers["content-type"])
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert answer.json()["facts"]["fields"] == [
        {"where": ["body", "captoin"], "why": "Extra inputs are not permitted"}
    ]
    assert home.upload(path, party=home.payee, file=file).status_code == 201

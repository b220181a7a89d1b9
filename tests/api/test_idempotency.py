"""A request is done once, whatever is sent twice, at the same moment, or by somebody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.api.http import idempotency
from core.records import ApiAnswer, Message, Project
from tests.api.api_client import ApiClient, code
from tests.api.test_flows import accepted, bid, funded


def test_the_same_key_with_another_request_is_refused(home: ApiClient) -> None:
    home.post("/bids", bid(home), key="k")
    other = home.post("/bids", bid(home, title="Another kitchen"), key="k")
    assert (other.status_code, code(other)) == (409, "key_reused")
    elsewhere = home.post("/milestones/1/approve", {"party": home.payer}, key="k")
    assert code(elsewhere) == "key_reused"


def test_a_refusal_leaves_its_key_free(home: ApiClient) -> None:
    project = accepted(home)
    path = f"/milestones/{project['milestones'][0]['id']}/complete"
    refused = home.post(path, {"party": home.payee}, key="later")
    assert (refused.status_code, code(refused)) == (409, "illegal_move")
    body = {"party": home.payer, "milestones": [project["milestones"][0]["id"]]}
    home.post(f"/projects/{project['id']}/fund", body)
    home.market.work()
    assert home.post(path, {"party": home.payee}, key="later").status_code == 200


def test_the_key_of_one_platform_is_not_the_key_of_another(home: ApiClient, law: ApiClient) -> None:
    home.post("/bids", bid(home), key="shared")
    answer = law.post("/bids", bid(home), key="shared")
    assert (answer.status_code, code(answer)) == (404, "not_found")


@pytest.mark.parametrize("key", ["", "x" * 129, "with space"])
def test_a_change_without_a_usable_key_is_refused(home: ApiClient, key: str) -> None:
    answer = home.post("/bids", bid(home), key=key or "none", headers={} if key else {"Idempotency-Key": ""})
    assert answer.status_code in (401, 422)
    assert home.market.count(Project) == 0


def test_many_at_once_do_it_once_and_all_get_the_same_answer(home: ApiClient) -> None:
    _, path = funded(home)
    said = {"party": home.payer, "body": "When will you be done?"}

    def send(number: int) -> tuple[int, str]:
        answer = home.post(f"{path}/messages", said, key="question")
        return answer.status_code, answer.text

    with ThreadPoolExecutor(6) as crowd:
        answers = set(crowd.map(send, range(6)))
    assert len(answers) == 1
    assert {status for status, _ in answers} == {201}
    assert home.market.count(Message) == 1


def test_the_same_bid_at_the_same_moment_under_two_keys_makes_one_project(home: ApiClient) -> None:
    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(lambda _: home.post("/bids", bid(home)), range(4)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert home.market.count(Project) == 1


def test_funding_at_the_same_moment_charges_once(home: ApiClient) -> None:
    project = accepted(home)
    body = {"party": home.payer, "milestones": [project["milestones"][0]["id"]]}
    with ThreadPoolExecutor(4) as crowd:
        path = f"/projects/{project['id']}/fund"
        answers = list(crowd.map(lambda _: home.post(path, body), range(4)))
    assert sorted(each.status_code for each in answers) == [202, 409, 409, 409]
    assert len(home.market.operations("CHARGE")) == 1


def test_an_answer_is_written_with_what_it_answers_or_not_at_all(
    home: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = Session.flush

    def power_cut(session: Session, objects: object = None) -> None:
        flush(session)
        if any(isinstance(each, Project) for each in session.identity_map.values()):
            raise OSError("the power is gone")

    monkeypatch.setattr(Session, "flush", power_cut)
    answer = home.post("/bids", bid(home), key="cut")
    assert (answer.status_code, code(answer)) == (500, "internal_fault")
    monkeypatch.undo()
    assert (home.market.count(Project), home.market.count(ApiAnswer)) == (0, 0)
    assert home.post("/bids", bid(home), key="cut").status_code == 201


def test_answers_are_forgotten_after_thirty_days(home: ApiClient) -> None:
    home.post("/bids", bid(home))
    for days, forgotten in ((30, 0), (31, 1)):
        then = home.market.now + timedelta(days=days)
        assert (
            home.market.database.run(lambda session, at=then: idempotency.forget_old(session, now=at))
            == forgotten
        )

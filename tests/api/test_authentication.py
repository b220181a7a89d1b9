"""Who comes in: keys, signatures, their time, and how much each may ask."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from core.api.http import api_keys, signing
from core.api.http.api_keys import ApiMasterKeyExposed, ApiMasterKeyUnfit
from core.api.http.rate_limits import Limits
from core.api.http.signing import SignatureWrong
from core.config import Settings
from core.db import Database
from core.records import ApiKey
from tests.api.api_client import ApiClient, a_key, an_api_client, code
from tests.api.test_flows import bid
from tests.parties import OPERATOR
from tests.sandbox_desk import Market


def now(home: ApiClient) -> int:
    return int(home.market.now.timestamp())


def test_a_forged_signature_opens_nothing(home: ApiClient) -> None:
    answer = home.post("/bids", bid(home), secret="eds_guessed")
    assert (answer.status_code, code(answer)) == (401, "signature_wrong")
    assert home.get("/projects?bid_reference=bid-over-http").json()["items"] == []


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=ab", "t=1,v1=zz", "t=1,v1=" + "0" * 64 + ",v1=" + "1" * 64]
)
def test_a_request_without_a_whole_signature_is_refused(home: ApiClient, header: str) -> None:
    answer = home.get("/projects/1", headers={"Desk-Signature": header})
    assert (answer.status_code, code(answer)) == (401, "signature_missing")


@pytest.mark.parametrize(("off", "status"), [(-301, 401), (-300, 404), (300, 404), (301, 401)])
def test_a_signature_lives_five_minutes_before_and_after(home: ApiClient, off: int, status: int) -> None:
    answer = home.get("/projects/1", at=now(home) + off)
    assert answer.status_code == status
    assert code(answer) == ("signature_stale" if status == 401 else "not_found")


@pytest.mark.parametrize(
    "other",
    [{"method": "GET"}, {"target": "/api/v1/parties"}, {"idempotency_key": "n"}, {"body_sha256": "c"}],
)
def test_a_signature_is_of_one_method_address_key_and_body(other: dict[str, str]) -> None:
    of = {"method": "POST", "target": "/api/v1/bids", "idempotency_key": "k", "body_sha256": "b"}
    right = signing.sign_request("secret", at=1, **of)
    assert signing.sign_request("secret", at=1, **{**of, **other}) != right
    assert signing.sign_request("secret", at=2, **of).split(",")[1] != right.split(",")[1]
    with pytest.raises(SignatureWrong):
        signing.require_same(right[:-1] + "é", right)


def test_a_recorded_request_sent_again_is_answered_and_not_done_again(home: ApiClient) -> None:
    first = home.post("/bids", bid(home), key="recorded")
    again = home.post("/bids", bid(home), key="recorded")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    # Under another key the recorded signature is worth nothing.
    stolen = home.post("/bids", bid(home), key="recorded", headers={"Idempotency-Key": "another"})
    assert (stolen.status_code, code(stolen)) == (401, "signature_wrong")


@pytest.mark.parametrize("said", ["Basic abc", "Bearer", "Bearer edk_x", "Bearer edk_0123456789ab_guess"])
def test_unknown_keys_are_all_refused_alike(home: ApiClient, said: str) -> None:
    answer = home.get("/projects/1", headers={"Authorization": said})
    assert (answer.status_code, code(answer)) == (401, "key_unknown")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": " "}])
def test_who_sends_no_key_is_told_that(home: ApiClient, headers: dict[str, str]) -> None:
    answer = home.get("/projects/1", headers=headers)
    assert (answer.status_code, code(answer)) == (401, "key_missing")


def test_a_revoked_key_opens_nothing(home: ApiClient) -> None:
    prefix = "_".join(home.issued.api_key.split("_")[:2])
    home.market.database.run(
        lambda session: api_keys.revoke(session, OPERATOR, now=home.market.now, prefix=prefix)
    )
    assert home.get("/projects/1").status_code == 401


def test_a_reading_key_changes_nothing(home: ApiClient) -> None:
    home.issued = a_key(home.market.desk, may_write=False)
    answer = home.post("/bids", bid(home))
    assert (answer.status_code, code(answer)) == (403, "read_only_key")
    assert home.get("/projects/1").status_code == 404


def test_the_database_holds_no_secret(home: ApiClient, owner: Database) -> None:
    with owner.reading() as session:
        (row,) = session.query(ApiKey).all()
    secret = home.issued.api_key.split("_", 2)[2].encode()
    kept = repr(vars(row)).encode() + row.secret_hash
    assert secret not in kept
    assert home.issued.signing_secret.encode() not in kept
    assert api_keys.signing_secret(b"another desk", "api-key", row.prefix) != home.issued.signing_secret


def test_a_key_that_asks_too_much_waits(market: Market) -> None:
    at = [market.now]
    home = an_api_client(market, limits=Limits(rate=1, burst=3, clock=lambda: at[0]))
    assert [home.get("/projects/1").status_code for _ in range(4)] == [404, 404, 404, 429]
    answer = home.get("/projects/1")
    assert (code(answer), answer.headers["retry-after"]) == ("too_many_requests", "1")
    home.issued, before = a_key(market.desk), home.issued
    assert home.get("/projects/1").status_code == 404  # another key has its own share
    home.issued, at[0] = before, market.now + timedelta(seconds=1)
    assert home.get("/projects/1").status_code == 404


def test_a_body_beyond_the_limit_is_not_read(home: ApiClient) -> None:
    answer = home.send("POST", "/bids", b" " * (256 * 1024 + 1))
    assert (answer.status_code, code(answer)) == (413, "body_too_large")


def test_the_description_and_its_page_are_open_and_load_nothing(home: ApiClient) -> None:
    bare = home.client.get("/api/v1/docs")
    assert bare.status_code == 200
    assert "fund" in bare.text
    assert "<script" not in bare.text
    assert not re.search(r"(?:src|href)=.?(?:https?:)?//|url\(|@import", bare.text)
    paths = home.client.get("/api/v1/openapi.json").json()["paths"]
    assert {"/bids", "/milestones/{milestone_id}/evidence", "/disputes/{dispute_id}"} <= set(paths)
    posts = [each["post"] for each in paths.values() if "post" in each]
    assert all(any(p["name"] == "Idempotency-Key" for p in post["parameters"]) for post in posts)


def test_everything_else_asks_for_a_key(home: ApiClient) -> None:
    for path in home.client.get("/api/v1/openapi.json").json()["paths"]:
        assert home.client.get(f"/api/v1{path}").status_code == 401
    assert home.client.post("/api/v1/docs").status_code == 401


def test_the_api_master_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, api_master_key="")
    first = api_keys.master_key(settings)
    assert api_keys.master_key(settings) == first
    path = tmp_path / "keys" / "api-master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(ApiMasterKeyExposed):
        api_keys.master_key(settings)
    with pytest.raises(ApiMasterKeyUnfit):
        api_keys.master_key(Settings(home=tmp_path, api_master_key="short"))


def test_signatures_of_the_future_do_not_last(home: ApiClient) -> None:
    answer = home.get("/projects/1", at=now(home) + int(timedelta(days=365).total_seconds()))
    assert code(answer) == "signature_stale"


def test_unknown_addresses_and_methods_are_problems_too(home: ApiClient) -> None:
    assert code(home.get("/nothing")) == "no_such_address"
    assert code(home.send("DELETE", "/bids")) == "method_not_allowed"


def test_the_api_stands_beside_the_pages_without_a_session(market: Market) -> None:
    from starlette.applications import Starlette

    from dashboard import server

    beside = Starlette(routes=server.routes(market.desk), middleware=server.middleware(market.desk))
    client = TestClient(beside, base_url="http://api.market.example")
    assert client.get("/api/v1/openapi.json").status_code == 200
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    assert client.post("/api/v1/bids", headers=foreign).status_code == 401
    assert client.get("/sign-in").status_code == 421
    alone = TestClient(server.api_only(market.desk))
    assert alone.get("/healthz").status_code == 200
    assert alone.get("/api/v1/docs").status_code == 200
    assert alone.get("/sign-in").status_code == 404

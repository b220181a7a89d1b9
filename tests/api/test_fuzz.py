"""Anything may come through the wire: Schemathesis knocks by the description, rightly and wrongly, with a good key.

Whatever is sent, the answer is one that the description names and never a fault of ours; what was refused changed
nothing at all, and after everything the books and every law of the desk still hold.
"""

from __future__ import annotations

import hashlib
from itertools import count
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from core import api
from core.api.http import app
from core.api.http.rate_limits import Limits
from core.api.http.signing import sign_request
from core.db import Database
from tests.api.api_client import ApiClient
from tests.api.test_events import listening
from tests.api.test_flows import accepted, bid, disputed, funded
from tests.db_snapshot import everything

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 6}
SLOW = {"POST /milestones/{milestone_id}/evidence": 4}  # every file is looked at in a process of its own
NOTED = {"GET /evidence/{evidence_id}/file", "GET /receipts/{receipt_id}/pdf"}  # who takes them is on record
numbers = count(1)


class Signed:
    """Between the fuzzer and the API: signs whatever comes, as a program with a good key would."""

    def __init__(self, inner: Any, home: ApiClient) -> None:
        self.inner, self.home = inner, home

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        kept = {b"authorization", b"desk-signature"}
        headers = [(name, value) for name, value in scope["headers"] if name not in kept]
        query = scope["query_string"]
        signature = sign_request(
            self.home.issued.signing_secret,
            at=int(self.home.market.now.timestamp()),
            method=scope["method"],
            target=(scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1"),
            idempotency_key=dict(headers).get(b"idempotency-key", b"").decode("latin-1"),
            body_sha256=hashlib.sha256(body).hexdigest(),
        )
        headers += [
            (b"authorization", f"Bearer {self.home.issued.api_key}".encode()),
            (b"desk-signature", signature.encode()),
        ]
        sent = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return sent.pop() if sent else await receive()

        await self.inner({**scope, "headers": headers}, again, send)


@pytest.fixture
def schema(home: ApiClient) -> Any:
    limits = Limits(rate=1e9, burst=1e9)
    site = Starlette(routes=[api.mounted(app.application(home.market.desk, limits=limits))])
    return schemathesis.openapi.from_asgi(f"{api.PREFIX}/openapi.json", Signed(site, home))


def real(case: Case, home: ApiClient, draw: Any) -> None:
    """Most of the time, what is named is there: a project, a milestone, one of its parties, a bid, a fresh key."""
    if case.path_parameters and draw(st.integers(0, 9)):
        case.path_parameters = {name: draw(st.integers(1, 6)) for name in case.path_parameters}
    if case.headers and "Idempotency-Key" in case.headers and draw(st.booleans()):
        case.headers["Idempotency-Key"] = f"fuzz-{next(numbers)}"
    if isinstance(case.body, dict) and draw(st.integers(0, 9)):
        people = st.sampled_from((home.payer, home.payee))
        for field in ("party", "payer", "payee"):
            if field in case.body:
                case.body[field] = draw(people)
        if "milestones" in case.body and "amount" not in str(case.body):
            case.body["milestones"] = draw(st.lists(st.integers(1, 8), min_size=1, max_size=3))
        if "release" in case.body:
            case.body["release"] = {"minor": draw(st.integers(0, 120_000)), "currency": "USD"}
        if "fee_mode" in case.body:
            case.body |= {**bid(home, case.body["bid_reference"], total=case.body["total"])}


def everywhere(home: ApiClient) -> None:
    """Something of every kind is there to be knocked at: a dispute with an offer, reports, a listener."""
    path = disputed(home)
    funded(home, "second")
    accepted(home, "third")
    here, dispute = home.get(path).json(), home.get(path).json()["dispute"]
    share = {"minor": 40_000, "currency": "USD"}
    home.post(f"/disputes/{dispute}/settlement-proposals", {"party": home.payee, "release": share})
    event = {"external_id": "cre-1", "kind": "OTHER", "severity": "LOW", "details": "Rule 1."}
    home.post(f"/projects/{here['project']}/content-events", event)
    home.post(f"/projects/{here['project']}/practice-flags", {"licensed_in": "Ohio", "needed_in": "Iowa"})
    listening(home.market, "https://market.example/events")


@pytest.mark.parametrize("mode", EXAMPLES)
def test_nothing_that_is_sent_is_a_fault_of_ours_or_half_done(
    home: ApiClient, schema: Any, owner: Database, mode: GenerationMode
) -> None:
    everywhere(home)
    answers: dict[int, int] = {}
    known = [everything(owner)]

    def knock(case: Case, data: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            real(case, home, data.draw)
        answer = case.call()
        answers[answer.status_code] = answers.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=CHECKS)
        now = everything(owner)
        if answer.status_code >= 400 or (case.method == "GET" and case.operation.label not in NOTED):
            assert now == known[-1]
        known[:] = [now]

    for result in schema.get_all_operations():
        operation = result.ok()
        settings = hypothesis.settings(
            max_examples=SLOW.get(operation.label, EXAMPLES[mode]),
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        hypothesis.seed(20260302)
        settings(given(operation.as_strategy(generation_mode=mode), st.data())(knock))()

    home.market.work()
    home.market.lawful()
    assert answers.get(422, 0) > 0
    if mode is GenerationMode.POSITIVE:
        assert {200, 201, 404, 409} <= set(answers)

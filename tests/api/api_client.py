"""A marketplace's own program, as the tests need it: it signs, it sends, and it can do both wrongly.

home.post("/milestones/7/approve", {"party": "market-PAYER-1"})
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from httpx import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import api
from core.api.http import api_keys, app
from core.api.http.api_keys import Issued
from core.api.http.rate_limits import Limits
from core.api.http.signing import sign_request
from core.desk import Desk
from core.records import Party
from tests.api import conformity
from tests.parties import OPERATOR
from tests.sandbox_desk import Market

numbers = count(1)
FIRST_INTERNAL = 770_001_001
INTERNAL_NUMBER = re.compile(r"770001\d{3}")


@dataclass
class ApiClient:
    """One platform's program with its key."""

    market: Market
    client: TestClient
    issued: Issued
    sent: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, **how: Any) -> Response:
        return self.send("GET", path, **how)

    def post(self, path: str, body: Any = None, **how: Any) -> Response:
        return self.send("POST", path, json.dumps(body).encode(), **how)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        key: str | None = None,
        at: int | None = None,
        secret: str | None = None,
        headers: dict[str, Any] | None = None,
        media_type: str = "application/json",
    ) -> Response:
        """`key`, `at`, `secret`: other than the right ones; `headers` replace what was signed, after signing."""
        target = api.PREFIX + path
        idempotency = (key or f"request-{next(numbers)}") if method == "POST" else ""
        signature = sign_request(
            secret or self.issued.signing_secret,
            at=at if at is not None else int(self.market.now.timestamp()),
            method=method,
            target=target,
            idempotency_key=idempotency,
            body_sha256=hashlib.sha256(body).hexdigest(),
        )
        all_headers = {
            "Authorization": f"Bearer {self.issued.api_key}",
            "Desk-Signature": signature,
            "Content-Type": media_type,
            **({"Idempotency-Key": idempotency} if idempotency else {}),
            **(headers or {}),
        }
        answer = self.client.request(
            method, target, content=body, headers={name: each for name, each in all_headers.items() if each}
        )
        if answer.headers.get("content-type") == "application/problem+json":
            # Over the whole suite: no refusal names a number that only the desk knows.
            assert not INTERNAL_NUMBER.search(answer.text), answer.text
            conformity.require_problem(answer.json())
        elif answer.status_code < 300:
            conformity.require_answer(method, path, answer)
        return answer

    def upload(
        self, path: str, *, party: str, file: tuple[str, bytes, str], caption: str = "As it was", **how: Any
    ) -> Response:
        said = {"party": party, "caption": caption}
        request = self.client.build_request("POST", path, data=said, files={"file": file})
        return self.send("POST", path, request.read(), media_type=request.headers["content-type"], **how)

    def name(self, party_id: int) -> str:
        return str(self.market.get(Party, party_id).external_id)

    @property
    def payer(self) -> str:
        return self.name(self.market.payer_id)

    @property
    def payee(self) -> str:
        return self.name(self.market.payee_id)


def a_key(desk: Desk, platform: str = "home_services", *, may_write: bool = True) -> Issued:
    master = api_keys.master_key(desk.settings)
    return desk.database.run(
        lambda session: api_keys.create(
            session,
            OPERATOR,
            now=desk.clock(),
            platform=platform,
            label="",
            master=master,
            may_write=may_write,
        )
    )


def http_client(desk: Desk, *, limits: Limits | None = None) -> TestClient:
    site = Starlette(routes=[api.mounted(app.application(desk, limits=limits))])
    return TestClient(site, raise_server_exceptions=False)


def an_api_client(
    market: Market, platform: str = "home_services", *, limits: Limits | None = None
) -> ApiClient:
    return ApiClient(market, http_client(market.desk, limits=limits), a_key(market.desk, platform))


def code(answer: Response) -> str:
    """The problem's code; an answer that is no problem has none."""
    if answer.headers["content-type"] != "application/problem+json":
        return ""
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "facts"} == set(problem)
    assert problem["status"] == answer.status_code
    return str(problem["code"])

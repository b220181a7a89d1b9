"""A number in an address is written in digits; whatever else stands there is a problem, also where Streamlit serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.db import Database
from dashboard import server
from tests.api.api_client import ApiClient
from tests.desk_fixtures import a_desk


@pytest.mark.parametrize("odd", ["1.0", "01", "+1", "1_0", "%201", "1%00", "%00", "0", "-1", "1e0"])
def test_what_is_no_number_names_nothing(home: ApiClient, odd: str) -> None:
    answer = home.get(f"/projects/{odd}")
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/v1/projects/%00", "/api/v1/%2e%2e/projects", "/webhooks/%00"])
def test_the_api_answers_before_streamlit_refuses(database: Database, tmp_path: Path, path: str) -> None:
    def refuse(request: object) -> PlainTextResponse:
        return PlainTextResponse("Bad Request", 400)

    routes = server.for_programs(a_desk(database, tmp_path))
    inner = Starlette(
        routes=[Route("/{rest:path}", refuse)], middleware=[Middleware(server.ProgramsFirst, routes=routes)]
    )
    with TestClient(inner) as http:
        assert http.get("/pages").text == "Bad Request"
        answer = http.get(path)
    assert answer.status_code in (401, 404)
    assert answer.text != "Bad Request"

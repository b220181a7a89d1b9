"""Taking a file from a page: the link that the page shows, fetched over HTTP with the cookie of whoever saw it."""

from __future__ import annotations

import csv
import io
import re

from httpx import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core.table_files import BOM
from dashboard import downloads, request_context

LINK = re.compile(r'href="(/downloads/[^"]+)" download="([^"]+)"')


def offered(app: AppTest) -> dict[str, str]:
    """Name of each file that the page offers → its address."""
    return {name: where for each in app.html for where, name in LINK.findall(str(each.value))}


def fetch(where: str, token: str) -> Response:
    desk = request_context.desk()
    with TestClient(Starlette(routes=downloads.routes(desk))) as http:
        return http.get(where, headers={"cookie": f"{request_context.COOKIE}={token}"})


def taken(app: AppTest, name: str) -> Response:
    """The file as the person who saw the page gets it."""
    return fetch(offered(app)[name], str(app.session_state["desk:token"]))


def rows_of(answer: Response) -> list[dict[str, str]]:
    """The rows of a table that was taken, by their titles."""
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(BOM)
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

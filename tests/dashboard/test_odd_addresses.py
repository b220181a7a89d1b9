"""No address of the desk falls over what stands in it: NUL, broken characters, dots, other methods."""

from __future__ import annotations

import pytest
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from dashboard import server
from tests.dashboard.desk_fixtures import Office, sign_in

ODD = ["%00", "%ff%fe", "..%2f..%2f", "%0a", "x" * 3_000, "-1", "9" * 30]


def places(office: Office) -> set[str]:
    found = set()
    for route in server.routes(office.desk):
        if isinstance(route, Route):
            found.add(route.path.partition("{")[0])
        elif isinstance(route, Mount):
            found.add(route.path + "/")
    return found | {"/", "/disputes", "/app/static/", "/media/"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_falls_over_what_stands_in_it(http: TestClient, office: Office, method: str) -> None:
    sign_in(http, office)
    for place in sorted(places(office)):
        for odd in ODD:
            for address in (f"{place}{odd}", f"{place}?id={odd}&q={odd}"):
                answer = http.request(method, address)
                assert answer.status_code != 500, (method, address)

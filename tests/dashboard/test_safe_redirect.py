"""After signing in one lands on a path of this desk, whatever the link said."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from dashboard.safe_redirect import local_path
from tests.dashboard.desk_fixtures import Office, sign_in

EVIL = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "\\\\evil.example",
    "///evil.example",
    "javascript:alert(1)",
    "/%0d%0aset-cookie:x=1\r\nx",
    "/a\nb",
    "/sign-in?next=/sign-in",
    "/sign-out",
    "/_stcore/stream",
    "/" + "a" * 3000,
    "disputes",
    "",
    None,
]


@pytest.mark.parametrize("wanted", EVIL)
def test_anything_but_a_path_of_ours_leads_to_the_start(wanted: str | None) -> None:
    assert local_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/disputes", "/case?id=3&tab=money", "/journals?before=17#x"])
def test_a_path_of_ours_is_kept(wanted: str) -> None:
    assert local_path(wanted) == wanted


@pytest.mark.parametrize("wanted", [each for each in EVIL if each])
def test_the_redirect_after_signing_in_stays_here(http: TestClient, office: Office, wanted: str) -> None:
    assert sign_in(http, office, wanted=wanted).headers["location"] == "/"


def test_the_wanted_page_survives_signing_in(http: TestClient, office: Office) -> None:
    page = http.get("/sign-in?next=/case%3Fid%3D3%26a%3D%22%3E%3Cscript%3E").text
    assert 'value="/case?id=3&amp;a=&quot;&gt;&lt;script&gt;"' in page
    assert sign_in(http, office, wanted="/case?id=3").headers["location"] == "/case?id=3"

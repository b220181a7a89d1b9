"""The Postman collection's script is run by a JavaScript engine, and the desk accepts what it signed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from scripts.client import COLLECTION
from tests.api.api_client import ApiClient, code

NODE = shutil.which("node")
HARNESS = Path(__file__).with_name("postman.js")
pytestmark = pytest.mark.skipif(NODE is None, reason="no JavaScript engine (node) is installed")


def script() -> str:
    made = json.loads(COLLECTION.read_text(encoding="utf-8"))
    (before,) = [each for each in made["event"] if each["listen"] == "prerequest"]
    return "\n".join(before["script"]["exec"])


def requests() -> dict[str, Any]:
    """Every request of the collection, by the words that it bears there."""
    made = json.loads(COLLECTION.read_text(encoding="utf-8"))
    return {each["name"]: each["request"] for folder in made["item"] for each in folder["item"]}


def sent(home: ApiClient, request: dict[str, Any], *, query: str = "", **other: str) -> Response:
    """As Postman sends it: its variables filled in, the headers of the script added."""
    body = request["body"]["raw"] if "body" in request else None
    path = "/" + "/".join(request["url"]["path"]) + query
    for each in request["url"]["variable"]:
        path = path.replace(f":{each['key']}", each["value"])
    variables = {"signing_secret": home.issued.signing_secret, **other}
    given = {
        "script": script(),
        "variables": variables,
        "at": int(home.market.now.timestamp()),
        "request": {"method": request["method"], "path": path, "body": body},
    }
    run = subprocess.run(
        [str(NODE), str(HARNESS)], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    headers = json.loads(run.stdout) | {"Authorization": f"Bearer {home.issued.api_key}"}
    headers |= {each["key"]: each["value"] for each in request.get("header", [])}
    content = (body or "").encode() if request["method"] == "POST" else None
    return home.client.request(request["method"], path, content=content, headers=headers)


def test_what_the_script_signs_is_accepted(home: ApiClient) -> None:
    known = requests()
    read = sent(home, known["List parties"], query="?role=PAYER&limit=1")
    assert read.status_code == 200
    assert len(read.json()["items"]) == 1
    made = sent(home, known["Make a party known"])
    assert (made.status_code, made.json()["role"]) == (
        201,
        json.loads(known["Make a party known"]["body"]["raw"])["role"],
    )
    one = sent(home, known["Read a project"])
    assert code(one) == "not_found", "project 1 is not there, and the signature fits"


def test_another_secret_is_refused(home: ApiClient) -> None:
    refused = sent(home, requests()["List parties"], signing_secret="eds_of_somebody_else")
    assert refused.status_code == 401


def test_each_request_is_signed_under_a_key_of_its_own(home: ApiClient) -> None:
    """Sent twice, it is two requests: the second finds what the first made."""
    make = requests()["Make a party known"]
    assert [sent(home, make).headers.get("idempotent-replayed") for _ in range(2)] == [None, None]

"""A line of the log says what it is about, for people and for what collects logs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core import logs
from dashboard.request_ids import HEADER, RequestIds
from tests.log_setup import as_in_a_new_process


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    with as_in_a_new_process():
        yield


def set_up(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("LOG_FORMAT", form)
    logs.set_up(logging.INFO)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    return [json.loads(line) for line in (out + err).splitlines()]


def test_what_a_block_is_about_is_in_its_lines_and_no_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, "json")
    log = structlog.get_logger("test")
    with logs.about(job="seal"):
        log.info("inside", count=1)
        logging.getLogger("escrow_desk.dashboard").error("page failed, reference %s", "r1")
    log.info("outside")
    log.debug("not said")
    inside, page, outside = lines(capsys)
    assert (inside["event"], inside["job"], inside["count"], inside["level"]) == ("inside", "seal", 1, "info")
    assert (page["event"], page["job"], page["level"]) == ("page failed, reference r1", "seal", "error")
    assert "job" not in outside


def test_a_fault_has_its_traceback_in_its_line_without_local_variables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, "json")
    try:
        name = "Amira"
        raise ValueError(len(name))
    except ValueError:
        structlog.get_logger("test").exception("unforeseen")
    (line,) = lines(capsys)
    assert "ValueError: 5" in line["exception"]
    assert "Amira'" not in line["exception"]


def test_a_format_that_is_not_known_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, "xml")
    assert "log.format_unknown" in capsys.readouterr().out


def asked(given: bytes | None) -> tuple[str, str]:
    """The number in the answer, and what the route's line of the log has."""

    async def route(_: Request) -> PlainTextResponse:
        structlog.get_logger("test").info("asked")
        return PlainTextResponse("well")

    client = TestClient(RequestIds(Starlette(routes=[Route("/", route)])))
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as said:
        answer = client.get("/", headers={} if given is None else {HEADER: given})
    return answer.headers[HEADER], said[0]["request"]


def test_a_request_keeps_the_number_that_a_proxy_gave_it() -> None:
    assert asked(b"req-0123456789") == ("req-0123456789", "req-0123456789")


@pytest.mark.parametrize(
    "given", [None, b"", b"short", b"x" * 65, b"a b c d e f", b'{"a": "12345678"}', "12345678é".encode()]
)
def test_what_cannot_be_a_number_is_replaced_by_one(given: bytes | None) -> None:
    number, logged = asked(given)
    assert number == logged
    assert re.fullmatch("[0-9a-f]{32}", number)
    assert asked(given)[0] != number

"""A step in a process of its own, which may be killed at a named point: `kill -9`, without a chance to tidy up.

A point is before or after something that others can see: a statement that writes, a commit, a call to Stripe. Its name
says which part of the desk was at it, so that the report can say where processes have died.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import FrameType
from typing import Any

import requests
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from core.db import is_away

WRITES = ("INSERT", "UPDATE", "DELETE", "WITH", "SELECT post_", "SELECT record_")
ROADS = ("core/processes/", "core/actions/", "core/audit/")


class Point(StrEnum):
    BEFORE_WRITE = "before a statement that writes"
    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    BEFORE_CALL = "before a call to Stripe"
    AFTER_CALL = "after a call to Stripe, its answer unread"


@dataclass(frozen=True)
class Death:
    """The `nth` time that a step comes to a point, of this kind or (None) of any, its process dies."""

    point: Point | None
    nth: int


@dataclass
class Ended:
    """How a step in its own process ended: its result, what it raised, or the name of the point where it died."""

    result: Any = None
    trouble: str = ""
    away: bool = False
    """Whether the trouble was that the database was away."""
    died: str = ""


def begun(step: Callable[[], Any], death: Death | None) -> tuple[int, int]:
    """Fork, and do it there; gives the process and the pipe on which it says how it ended."""
    reads, writes = os.pipe()
    process = os.fork()
    if process:
        os.close(writes)
        return process, reads
    os.close(reads)
    code = 1
    try:
        if death:
            _dies(death, writes)
        try:
            said = Ended(result=step())
        except Exception as problem:
            said = Ended(trouble=f"{type(problem).__name__}: {problem}", away=is_away(problem))
        _say(writes, said)
        code = 0
    finally:
        os._exit(code)


def awaited(process: int, reads: int) -> Ended:
    with os.fdopen(reads, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(process, 0)
    if not said:
        raise RuntimeError(f"a step's process ended with status {status} and said nothing")
    ended = pickle.loads(said)
    assert isinstance(ended, Ended)
    return ended


def _say(writes: int, ended: Ended) -> None:
    with os.fdopen(writes, "wb", closefd=False) as pipe:
        pickle.dump(ended, pipe)


def _dies(death: Death, writes: int) -> None:
    left = death.nth

    def at(point: Point) -> None:
        nonlocal left
        if death.point not in (None, point):
            return
        left -= 1
        if not left:
            _say(writes, Ended(died=f"{_who(sys._getframe())}: {point}"))
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(_: Any, __: Any, sql: str, *___: Any) -> None:
        if sql.lstrip().startswith(WRITES):
            at(Point.BEFORE_WRITE)

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", lambda _: at(Point.BEFORE_COMMIT))
    event.listen(Session, "after_commit", lambda _: at(Point.AFTER_COMMIT))
    send = requests.Session.send

    def sent(self: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        to_stripe = request.method == "POST" and "/v1/" in str(request.url)
        if to_stripe:
            at(Point.BEFORE_CALL)
        answer = send(self, request, **how)
        if to_stripe:
            at(Point.AFTER_CALL)
        return answer

    requests.Session.send = sent  # type: ignore[method-assign]


at_work = ["a person"]
"""The action that is being taken, for what happens when it has returned: its commit."""


def _who(frame: FrameType | None) -> str:
    """The outermost function of the desk's processes or actions that is at work."""
    found = at_work[0]
    while frame:
        file = frame.f_code.co_filename.replace(os.sep, "/")
        if any(road in file for road in ROADS):
            found = file.split("/core/")[-1].removesuffix(".py") + "." + frame.f_code.co_name
        frame = frame.f_back
    return found

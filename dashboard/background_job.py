"""Something long that runs beside the page: the page stays usable, and asks now and then how far it is.

The work has no Streamlit in it and outlives the page that began it. It is kept for the sign-in that began it, so a
reload, another tab or a second press finds it running instead of beginning another; and for half an hour after its end.
It lives in this process: when that ends, the work has to be begun again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

import streamlit as st

from dashboard import request_context

Result = TypeVar("Result")
Progress = Callable[[int, int], None]
POLL = 0.4  # seconds
KEPT = 1_800.0  # seconds after its end
_works: dict[tuple[str | None, str], Work[Any]] = {}
_lock = Lock()


class Work(Generic[Result]):
    """One run. `done` of `total` steps; then either `result` or `error`. `about`: what it was asked to work on."""

    def __init__(self, task: Callable[[Progress], Result], about: object = None) -> None:
        self.about = about
        self.done = self.total = 0
        self.began = time.monotonic()
        self.seconds = self.ended = 0.0
        self.result: Result | None = None
        self.error: Exception | None = None
        self._task = task
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def fraction(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0

    def wait(self, seconds: float) -> bool:
        """True when it has ended."""
        self._thread.join(seconds)
        return not self.running

    def _run(self) -> None:
        try:
            self.result = self._task(self._progress)
        except Exception as error:
            self.error = error
        self.ended = time.monotonic()
        self.seconds = self.ended - self.began

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def begin(key: str, task: Callable[[Progress], Result], *, about: object = None) -> Work[Result]:
    """Start it, unless it is running already; one that runs about something else is not waited for."""
    with _lock:
        _forget_old()
        known: Work[Result] | None = _works.get(_place(key))
        if known is not None and known.running and known.about == about:
            return known
        _works[_place(key)] = known = Work(task, about)
    known.wait(POLL)  # what is done at once needs no progress bar
    return known


def of(key: str) -> Work[Result] | None:
    """The work of this sign-in under this key, running or ended."""
    with _lock:
        return _works.get(_place(key))


def forget(key: str) -> None:
    with _lock:
        _works.pop(_place(key), None)


def kept(token: str, key: str) -> Work[Any]:
    """The work of the sign-in with this token. Raises KeyError."""
    return _works[token, key]


def _place(key: str) -> tuple[str | None, str]:
    return request_context.token(), key


def _forget_old() -> None:
    long_ago = time.monotonic() - KEPT
    for place in [place for place, work in _works.items() if not work.running and work.ended < long_ago]:
        del _works[place]


def watch(work: Work[Result], words: Callable[[Work[Result]], str]) -> None:
    """A bar that moves by itself; when the work has ended the page is drawn again."""

    @st.fragment(run_every=POLL)
    def bar() -> None:
        if not work.running:
            st.rerun()
        st.progress(work.fraction, text=words(work))

    bar()

"""Something long that runs beside the page: the page stays usable, and asks now and then how far it is.

The work has no Streamlit in it and outlives the run that began it. It is kept in the session of the person who
began it, so a second press finds it running instead of beginning another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

import streamlit as st

Result = TypeVar("Result")
Progress = Callable[[int, int], None]
POLL = 0.4  # seconds


class Work(Generic[Result]):
    """One run. `done` of `total` steps; then either `result` or `error`."""

    def __init__(self, task: Callable[[Progress], Result]) -> None:
        self.done = self.total = 0
        self.began = time.monotonic()
        self.seconds = 0.0
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
        self.seconds = time.monotonic() - self.began

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def begin(key: str, task: Callable[[Progress], Result]) -> Work[Result]:
    """Start it, unless it is running already."""
    known: Work[Result] | None = st.session_state.get(key)
    if known is None or not known.running:
        st.session_state[key] = known = Work(task)
        known.wait(POLL)  # what is done at once needs no progress bar
    return known


def of(key: str) -> Work[Result] | None:
    """The work of this session under this key, running or ended."""
    found: Work[Result] | None = st.session_state.get(key)
    return found


def forget(key: str) -> None:
    st.session_state.pop(key, None)


def watch(work: Work[Result], words: Callable[[Work[Result]], str]) -> None:
    """A bar that moves by itself; when the work has ended the page is drawn again."""

    @st.fragment(run_every=POLL)
    def bar() -> None:
        if not work.running:
            st.rerun()
        st.progress(work.fraction, text=words(work))

    bar()

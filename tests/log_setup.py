"""How a process writes its log is the process's: what sets it up within a test sets it back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from core import logs


@contextmanager
def as_in_a_new_process() -> Iterator[None]:
    """Nothing is set up at first, and afterwards all is as before."""
    before, pages = structlog.get_config(), logging.getLogger(logs.OURS)
    handlers, passed_on, level = pages.handlers, pages.propagate, pages.level
    structlog.reset_defaults()
    try:
        yield
    finally:
        structlog.configure(**before)
        pages.handlers, pages.propagate = handlers, passed_on
        pages.setLevel(level)

"""How the desk's processes write their log: a line an event, with what it is about.

`LOG_LEVEL` says from which level on, `LOG_FORMAT` how: `text` for people, `json` for what collects logs. Every line
that is written within a request, a job, an operation or an event from Stripe has its `request`, `job`, `operation` or
`webhook`, so all lines about one are found by it. A page is drawn in a thread of Streamlit's own, so its lines have no
`request`: a fault there has the reference that its visitor was shown.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import AbstractContextManager
from typing import Any

import structlog

OURS = "escrow_desk"  # the standard library's logger above those of the pages
FORMATS = ("text", "json")


def set_up(level: int) -> None:
    """Lines from `level` up; LOG_LEVEL overrides it. A LOG_FORMAT that is not known is taken for `text`, and said."""
    named = logging.getLevelNamesMapping().get(os.environ.get("LOG_LEVEL", "").upper(), level)
    wanted = os.environ.get("LOG_FORMAT", "text")
    first: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper("iso", utc=True),
        structlog.processors.add_log_level,
    ]
    last = _last(wanted)
    structlog.configure(
        processors=[*first, *last], wrapper_class=structlog.make_filtering_bound_logger(named)
    )
    _same_for_pages(named, first, last)
    if wanted not in FORMATS:
        structlog.get_logger("logs").warning("log.format_unknown", wanted=wanted, known=FORMATS)


def about(**facts: object) -> AbstractContextManager[None]:
    """Every line of this block has these."""
    return structlog.contextvars.bound_contextvars(**facts)


def _last(wanted: str) -> list[Any]:
    if wanted == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    # Plain tracebacks: the pretty ones print local variables, and those hold personal data.
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _same_for_pages(level: int, first: list[Any], last: list[Any]) -> None:
    """What the pages write through the standard library looks the same."""
    handler = logging.StreamHandler(sys.stdout)  # where structlog writes
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    ours = logging.getLogger(OURS)
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(level)

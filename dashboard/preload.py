"""What the first visitor would otherwise wait for: imports of the pages, and a connection.

Streamlit collects garbage after every run of a script, and each time walks through every object of every imported
module: 130 ms of a run that takes 20. Frozen, they are left out; garbage of the runs themselves is still collected.
"""

from __future__ import annotations

import ast
import gc
import importlib
import logging
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from dashboard import navigation, request_context

log = logging.getLogger("escrow_desk.dashboard")
GRIDS = ("pandas", "pyarrow", "streamlit.elements.arrow", "streamlit.dataframe_util")


def up() -> None:
    for name in [*GRIDS, *sorted(_imports())]:
        try:
            importlib.import_module(name)
        except ImportError:
            log.debug("not warmed: %s", name)
    try:
        with request_context.desk().database.reading() as session:
            session.connection()
    except SQLAlchemyError as problem:  # it may come back; who asks meanwhile is told
        log.warning("not warmed: the database cannot be reached (%s)", type(problem).__name__)
    freeze()


def later() -> None:
    """What only some pages need, imported when the first visitor has been served."""
    importlib.import_module("plotly.graph_objects")
    freeze()


def freeze() -> None:
    gc.collect()
    gc.freeze()


def _imports() -> set[str]:
    """The modules of ours that the pages name, read from their source without running them."""
    return {name for entry in navigation.on_disk().values() for name in _named(entry.script)}


def _named(script: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] in ("core", "dashboard")
        ):
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names

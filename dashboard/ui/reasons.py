"""The field that asks a person for their reason: the same in every drawer and panel, kept while it is typed.

What it is given as is checked by the action (`core.rules.reasons`), which says the same wherever one is missing.
"""

from __future__ import annotations

from core.rules.reasons import LONGEST
from dashboard.ui import text_fields

IN_THE_LOG = "Reason, for the audit log"
LINE = 300  # characters


def line(place: str, label: str = IN_THE_LOG, *, key: str) -> str:
    """One line, in a panel beside its button."""
    return text_fields.line(place, label, key=key, most=LINE)


def area(
    place: str, label: str, *, key: str | None = None, placeholder: str = "", help: str | None = None
) -> str:
    """Several lines, in a drawer."""
    return text_fields.area(
        place, label, key=key, height=120, most=LONGEST, placeholder=placeholder, help=help
    )

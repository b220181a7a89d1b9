"""How similar cases ended, in the panel where one is decided."""

from __future__ import annotations

from core.money import percent
from core.queries.cases import CaseView
from core.queries.precedents import Precedents
from dashboard.ui import cards
from dashboard.ui.status import in_words


def show(case: CaseView, past: Precedents) -> None:
    kind = f"{in_words(case.context.project.platform).lower()}, “{case.reason.lower()}”"
    if not past.total:
        cards.note(f"No similar case has ended yet ({kind}).")
        return
    parts = (
        (past.released, "released in full"),
        (past.divided, "divided"),
        (past.refunded, "refunded in full"),
        (past.agreed, "agreed by the parties"),
    )
    ended = ", ".join(f"{count} {words}" for count, words in parts if count)
    many = "case" if past.total == 1 else "cases"
    share = f" Median share released: {percent(past.median_bps)}." if past.median_bps is not None else ""
    cards.note(f"{past.total} similar {many} ({kind}): {ended}.{share}")

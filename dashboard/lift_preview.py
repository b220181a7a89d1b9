"""Before a hold is lifted: what that does, what still stops the money, and whether the reader may."""

from __future__ import annotations

import streamlit as st

from core.actions.risk import lift_preview
from core.actions.risk.lift_preview import LiftPreview
from core.money import Money
from dashboard import request_context
from dashboard.ui import cards, errors
from dashboard.ui.safe import plain

OWN = "You placed this hold, so someone else lifts it."


def foretold(hold_id: int) -> None:
    """Say what lifting this hold does."""
    with request_context.reading() as session:
        found = lift_preview.foresee(session, hold_id)
    if found.blocks:
        errors.reasons([each.sentence for each in found.blocks], title="Lifting it moves nothing yet")
    elif sentence := _moves(found):
        st.info(plain(sentence), icon=":material/payments:")
    else:
        cards.note(_nothing(found))
    if found.falls:
        cards.note(
            f"The decision of case D-{found.falls} is not carried out: it no longer stands. "
            "It becomes a draft again."
        )


def _nothing(found: LiftPreview) -> str:
    """Why nothing moves, although nothing else stops it."""
    if found.over:
        return "Nothing moves: the milestone is over, and none of its money is left for a hold to stop."
    if found.waits:
        return (
            f"Nothing moves at once: {found.waits} is released, and is paid out when the payee asks for it or finance "
            "has settled the failed payout."
        )
    return "Nothing moves at once: the work is not verified yet, and nothing released waits."


def _moves(found: LiftPreview) -> str:
    said = []
    if found.releases:
        said.append(f"The work is verified: lifting this hold releases {found.releases} to the payee now.")
    if found.pays and not found.unpaid:
        said.append(f"{found.pays} is released already, and its payment to the payee goes on.")
    if (found.releases or found.pays) and found.unpaid:
        said += [*(each.sentence for each in found.unpaid), "What is released is not sent before."]
    if found.goes_on:
        said.append(
            f"The decision of case D-{found.goes_on} goes on: it is carried out once its cooling-off is over, unless "
            "the case changes before."
        )
    return " ".join(said)


def done(reference: str, released: Money | None) -> str:
    """What has happened, from the action itself."""
    return f"{reference} is lifted." + (f" {released} is released to the payee." if released else "")

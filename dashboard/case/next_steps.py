"""What to do about a refusal. Its own sentence says what is the case; this says what comes next."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import DeskError
from dashboard.ui import cards, errors

NEXT: Mapping[str, str] = {
    "already_decided": "Close this and read that decision. Your draft stays on this page until you leave it.",
    "changed_meanwhile": "Look at what is new under Timeline and Evidence, then preview again. Your draft is kept.",
    "release_blocked": "Have the hold lifted, or wait until what blocks it is settled. Your draft is kept.",
    "step_up_required": "Press the button once more and confirm who you are.",
    "not_in_mediation": "Wait for mediation to begin, or look at the time limits above.",
    "mediator_tied": "Hand the case over to a colleague.",
    "references_missing": "Tick them under Citations.",
    "more_than_held": "Write a smaller amount.",
    "outcome_not_guaranteed": "Tick the override if the payer should still get money back; a second person decides.",
    "amount_not_stripe_exact": "Write an amount that ends in 0.",
    "citation_unknown": "Reload the page: the evidence has changed.",
    "plan_changed": "Ask the mediator to look at the case again.",
    "proposal_ended": "Reload the page to see what happened to it.",
    "decision_not_pending": "Reload the page to see what happened to it.",
}


def show(error: DeskError) -> None:
    errors.show(error)
    if error.code in NEXT:
        cards.note(NEXT[error.code])

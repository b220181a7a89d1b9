"""What became of a call that was sent before: asked at the provider, by our operation id or by the provider's own.

An answer to such a question is never an answer to the call: whether it was done stays open until somebody knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.gateways.payments import NeedsOperator, NotRead, OutcomeUnknown, Payments, ProviderRefused
from core.processes.outgoing.claim import Claim
from core.processes.outgoing.kinds import KINDS


class Unanswered(OutcomeUnknown):
    """Stripe could not be asked ({reason}). Asking changes nothing there, so it is never too late to ask again."""


class StateNotRead(Unanswered):
    """It is at Stripe, which could not be asked how it stands ({reason})."""


class OutcomeNotRead(Unanswered):
    """It was sent, and it may or may not have been done: Stripe could not be asked ({reason})."""


class NotSentUnasked(Unanswered):
    """It was not sent this time: Stripe could not be asked whether it was sent before ({reason})."""


class QuestionRefused(NeedsOperator):
    """What became of it is not known: Stripe does not answer that question ({reason})."""


class NoTrace(NeedsOperator):
    """No trace of it was found at Stripe, and it is too old to be sent again by itself."""


def found(payments: Payments, claim: Claim) -> Any:
    """What the provider made of it, by our operation id; None where it knows of nothing."""
    return _asked(KINDS[claim.kind].find, payments, claim)


def state(payments: Payments, claim: Claim) -> Any:
    """How it stands at the provider, which has given it an id."""
    return _asked(KINDS[claim.kind].look, payments, claim)


def _asked(question: Callable[[Payments, Claim], Any], payments: Payments, claim: Claim) -> Any:
    try:
        return question(payments, claim)
    except NotRead as unread:
        open_still = OutcomeNotRead if claim.tried else NotSentUnasked
        raise (StateNotRead if claim.provider_id else open_still)(**unread.facts) from unread
    except (ProviderRefused, NeedsOperator) as no:
        raise QuestionRefused(reason=no.facts["reason"]) from no

"""A decision that waits before it is carried out, or is looked at again after it was: both sides are told.

(payment-escrow-rules, Refund Rules; the 24 hours are internal policy.) When it is carried out they read the letters
of `deciding`.
"""

from __future__ import annotations

from core.letters.deciding import EVIDENCE, LOOKED_AT, PROCESSING, REFUND
from core.letters.template import Prose, Quote, Table, Template, When

_REASONS = When("passage", (Prose("passage"),), ("The mediator gives these reasons:", Quote("reasons")))
_NOT_YET = "Nothing has moved yet. The decision is not carried out before {execute_at}."
_UNTIL_THEN = (
    "If something important was missed, add evidence before then: a file that we do not have yet stops this "
    "decision, and a mediator looks at the case again. You can also write in the messages of the milestone; that alone "
    "does not stop it, but a mediator may. If you agree, no action is needed."
)
TEMPLATES = {
    ("decision_announced", "payer"): Template(
        "Decision made about “{milestone}”: {outcome}",
        (
            LOOKED_AT,
            EVIDENCE,
            _NOT_YET,
            Table((("Released to your {payee}", "released"), *REFUND)),
            PROCESSING,
            _REASONS,
            _UNTIL_THEN,
        ),
        tone="attention",
    ),
    ("decision_announced", "payee"): Template(
        "Decision made about “{milestone}”: {outcome}",
        (
            LOOKED_AT,
            EVIDENCE,
            _NOT_YET,
            Table((("Released to you", "released"), ("Refunded to your {payer}", "refunded"))),
            _REASONS,
            _UNTIL_THEN,
        ),
        tone="attention",
    ),
    **{
        ("decision_voided", side): Template(
            "The decision about “{milestone}” is not carried out",
            (
                "We told you of a decision about this milestone. It no longer stands, because the case changed after "
                "it was made, something came to light that was missed, or someone else now handles the case.",
                Table((("In dispute", "amount"),)),
                When(
                    "ended",
                    ("The case is over, and no other decision follows. Another e-mail says what happened.",),
                    (
                        "Nothing was paid or refunded. A mediator looks at the case again and makes a new decision. We "
                        "write to you then. No action is needed, and you can still add evidence and messages.",
                    ),
                ),
            ),
            tone="attention",
        )
        for side in ("payer", "payee")
    },
    **{
        ("correction_opened", side): Template(
            "We look again at the decision about “{milestone}”",
            (
                "The decision about this milestone was carried out. We have found reason to look at it again, and "
                "someone who had no part in it does so.",
                "Money that has not been paid out yet is on hold until then. Money that has been paid out stays where "
                "it is.",
                When("decision_due_at", ("You can expect the result by {decision_due_at}.",)),
                "No action is needed. If there is something that we should know, please add it to the milestone "
                "as evidence or a message.",
            ),
            tone="attention",
        )
        for side in ("payer", "payee")
    },
    **{
        ("correction_closed", side): Template(
            "We have looked again at the decision about “{milestone}”",
            (
                When(
                    "corrected",
                    (
                        "The decision has been corrected. Wherever money has to move because of it, another e-mail "
                        "tells you how much and when.",
                    ),
                    ("The decision stands as it was made, and nothing more follows from it.",),
                ),
                "Thank you for your patience.",
            ),
        )
        for side in ("payer", "payee")
    },
}

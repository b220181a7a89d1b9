"""The decision, as each side is told it (milestone-payment-flow, Escalate to Mediation).

`released` and `refunded` are the two parts of the milestone amount. `refund` is all that goes back to the payer: the
refunded part with the fees that are returned on it. `kept_back` is what of the release settles a debt of the payee.
`items` are the pieces of the work where the amount was divided by them. `passage` are the mediator's own words to this
party, in place of the reasons as they stand; everything around it comes from the plan and cannot be edited.
"""

from __future__ import annotations

from core.letters.template import Prose, Quote, Schedule, Table, Template, When

_REASONS = (When("passage", (Prose("passage"),), ("The mediator gives these reasons:", Quote("reasons"))),)
_ITEMS = When("items", ("The mediator looked at each part of the work:", Schedule("items")))
_KEPT = ("Of it kept back for what you owe us", "kept_back?")
_PAID = ("Left to be paid out to you", "payable?")
_LOOKED_AT = (
    "The mediator has looked at what was agreed, at your messages and at the evidence from both of you."
)
_WHEN = When("execute_at", ("The decision is carried out on {execute_at}.",))
_BACK = (
    "The refund goes to the card or account that you paid with. We tell you when it is sent; most banks show it within "
    "five to ten working days."
)
_OUT = "We tell you when the money is on its way to your bank."

TEMPLATES = {
    ("decision_full_release", "payer"): Template(
        "Decision about “{milestone}”: released in full",
        (
            _LOOKED_AT,
            "The decision is to release the whole amount to your {payee}.",
            Table((("Released to your {payee}", "released"),)),
            *_REASONS,
            _WHEN,
        ),
    ),
    ("decision_full_release", "payee"): Template(
        "Decision about “{milestone}”: you receive the full amount",
        (
            _LOOKED_AT,
            "The decision is to release the whole amount to you.",
            Table((("Released to you", "released"), _KEPT, _PAID)),
            *_REASONS,
            _WHEN,
            _OUT,
        ),
        tone="good",
    ),
    ("decision_partial_release", "payer"): Template(
        "Decision about “{milestone}”: partial refund",
        (
            _LOOKED_AT,
            "The decision is to release part of the held amount to your {payee} and to refund the rest to you.",
            Table(
                (
                    ("Released to your {payee}", "released"),
                    ("Refunded to you", "refunded"),
                    ("Refund, with the fees returned", "refund?"),
                )
            ),
            _ITEMS,
            *_REASONS,
            _WHEN,
            _BACK,
        ),
    ),
    ("decision_partial_release", "payee"): Template(
        "Decision about “{milestone}”: partial payment",
        (
            _LOOKED_AT,
            "The decision is to release part of the held amount to you and to refund the rest to your {payer}.",
            Table((("Released to you", "released"), ("Refunded to your {payer}", "refunded"), _KEPT, _PAID)),
            _ITEMS,
            *_REASONS,
            _WHEN,
            _OUT,
        ),
    ),
    ("decision_full_refund", "payer"): Template(
        "Decision about “{milestone}”: full refund",
        (
            _LOOKED_AT,
            "The decision is to refund the milestone amount to you.",
            Table((("Refunded to you", "refunded"), ("Refund, with the fees returned", "refund?"))),
            *_REASONS,
            _WHEN,
            _BACK,
        ),
        tone="good",
    ),
    ("decision_full_refund", "payee"): Template(
        "Decision about “{milestone}”: refunded to your {payer}",
        (
            _LOOKED_AT,
            "The decision is to refund the whole amount to your {payer}.",
            Table((("Refunded to your {payer}", "refunded"),)),
            *_REASONS,
            _WHEN,
        ),
    ),
}

"""The decision, as each side is told it (milestone-payment-flow, Escalate to Mediation).

`released` and `refunded` are the two parts of the milestone amount. `refund` is all that goes back to the payer, if
that is more: with `fee_returned` of the platform's fee and `processing_returned` of the card's. `processing_kept` is
what the payer paid of the latter and does not get back. `opened`: how many pieces of evidence there are, if the
mediator opened each. `kept_back` is what of the release settles a debt of the payee.
`items` are the pieces of the work where the amount was divided by them. `passage` are the mediator's own words to this
party, in place of the reasons as they stand; everything around it comes from the plan and cannot be edited.
`goes_out`: something is sent to the payee by itself, so that there will be a moment to tell them of.
"""

from __future__ import annotations

from core.letters.template import Prose, Quote, Schedule, Table, Template, When

_REASONS = (When("passage", (Prose("passage"),), ("The mediator gives these reasons:", Quote("reasons"))),)
_ITEMS = When("items", ("The mediator looked at each part of the work:", Schedule("items")))
_KEPT = ("Of it kept back for what you owe us", "kept_back?")
_PAID = ("Left to be paid out to you", "payable?")
LOOKED_AT = (
    "A mediator has decided about this milestone. The decision refers to what was agreed, to your messages and to what "
    "was delivered or submitted."
)
EVIDENCE = When(
    "opened",
    ("The mediator has opened all of the evidence that either of you submitted ({opened}).",),
    (When("no_evidence", ("Neither of you has submitted evidence.",)),),
)
REFUND = (
    ("Refunded of the milestone amount", "refunded"),
    ("Platform fee returned", "fee_returned?"),
    ("Card processing fee returned", "processing_returned?"),
    ("Total refund", "refund?"),
)
PROCESSING = When(
    "processing_kept", ("The card processing fee of {processing_kept} that you paid is not returned.",)
)
_ENDS = When(
    "ends",
    (
        "With this decision the project “{project}” ends. Its milestones that are not funded yet are canceled, and "
        "nothing more is to be paid for them.",
        When(
            "others",
            ("What is already funded is not touched: each of those milestones goes on to its own end.",),
        ),
    ),
)
_WHEN = When("execute_at", ("The decision is carried out on {execute_at}.",))
_BACK = (
    "The refund goes to the card or account that you paid with. We tell you when it is sent; most banks show it within "
    "five to ten working days."
)
_OUT = When("goes_out", ("We tell you when the money is on its way to your bank.",))

TEMPLATES = {
    ("decision_full_release", "payer"): Template(
        "Decision about “{milestone}”: released in full",
        (
            LOOKED_AT,
            EVIDENCE,
            "The decision is to release the whole amount to your {payee}.",
            Table((("Released to your {payee}", "released"),)),
            *_REASONS,
            _WHEN,
        ),
    ),
    ("decision_full_release", "payee"): Template(
        "Decision about “{milestone}”: you receive the full amount",
        (
            LOOKED_AT,
            EVIDENCE,
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
            LOOKED_AT,
            EVIDENCE,
            "The decision is to release part of the held amount to your {payee} and to refund the rest to you.",
            Table((("Released to your {payee}", "released"), *REFUND)),
            PROCESSING,
            _ITEMS,
            *_REASONS,
            _WHEN,
            _BACK,
        ),
    ),
    ("decision_partial_release", "payee"): Template(
        "Decision about “{milestone}”: partial payment",
        (
            LOOKED_AT,
            EVIDENCE,
            "The decision is to release part of the held amount to you and to refund the rest to your {payer}.",
            Table((("Released to you", "released"), ("Refunded to your {payer}", "refunded"), _KEPT, _PAID)),
            _ITEMS,
            *_REASONS,
            _WHEN,
            _OUT,
        ),
    ),
    ("decision_full_refund", "payer"): Template(
        "Decision about “{milestone}”: milestone amount refunded in full",
        (
            LOOKED_AT,
            EVIDENCE,
            "The decision is to refund the milestone amount to you.",
            Table(REFUND),
            PROCESSING,
            *_REASONS,
            _ENDS,
            _WHEN,
            _BACK,
        ),
        tone="good",
    ),
    ("decision_full_refund", "payee"): Template(
        "Decision about “{milestone}”: refunded to your {payer}",
        (
            LOOKED_AT,
            EVIDENCE,
            "The decision is to refund the whole amount to your {payer}.",
            Table((("Refunded to your {payer}", "refunded"),)),
            *_REASONS,
            _ENDS,
            _WHEN,
        ),
    ),
}

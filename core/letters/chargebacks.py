"""A chargeback between the parties, and money that came twice (docs/decisions/0013)."""

from __future__ import annotations

from core.letters.template import Table, Template, When

_ASKED = Table((("Disputed amount", "disputed"), ("Payment for", "milestone")))

TEMPLATES = {
    ("chargeback_opened", "payer"): Template(
        "Your bank asks us to return a payment",
        (
            "Your bank has opened a chargeback for the payment you made for “{milestone}”. Until the bank has decided, "
            "nothing moves for this milestone.",
            _ASKED,
            "If you did not mean to ask your bank for this, please tell them and write to us. If you are not satisfied "
            "with the work, a dispute with us is quicker and stays open to you.",
        ),
        tone="attention",
    ),
    ("chargeback_opened", "payee"): Template(
        "The payment for “{milestone}” was disputed at the bank",
        (
            "The bank of your {payer} has asked for this payment back. Until the bank has decided, nothing moves for "
            "this milestone.",
            _ASKED,
            "We answer the bank. What helps most is whatever shows the work and the agreement about it: please add it "
            "to the milestone now.",
        ),
        tone="attention",
    ),
    ("chargeback_won", "payer"): Template(
        "Your bank has decided about “{milestone}”",
        (
            "Your bank has let the payment stand. Everything about this milestone goes on where it stopped.",
            _ASKED,
        ),
    ),
    ("chargeback_won", "payee"): Template(
        "The bank has let the payment for “{milestone}” stand",
        ("The money is back, and everything about this milestone goes on where it stopped.", _ASKED),
        tone="good",
    ),
    ("chargeback_lost", "payer"): Template(
        "Your bank has returned a payment to you",
        (
            "Your bank has decided that the payment for “{milestone}” goes back to you. It has the money already; we "
            "send nothing in addition.",
            _ASKED,
        ),
    ),
    ("chargeback_lost", "payee"): Template(
        "The bank has reversed the payment for “{milestone}”",
        (
            "The bank of your {payer} has decided that the payment goes back. We cannot appeal against it.",
            _ASKED,
            When(
                "owed",
                (
                    "You had already been paid, so this amount is now owed by you: {owed}. We take it from your "
                    "balance with our payment provider where it lies there, and else keep it back from your next "
                    "payments.",
                ),
                ("You had not been paid yet, so nothing is owed by you.",),
            ),
        ),
        tone="attention",
    ),
    ("debt_kept_back", "payee"): Template(
        "{kept} of your payment was kept back",
        (
            "You owed us money, and we have kept it back from the payment for “{milestone}”.",
            Table((("Kept back", "kept"), ("Still owed", "owed"), ("Left to be paid to you", "left"))),
        ),
    ),
    ("money_taken_back", "payee"): Template(
        "{taken} was deducted from your balance",
        (
            "After the chargeback about “{milestone}”, we have taken money back that still lay on your balance with "
            "our payment provider.",
            Table((("Deducted", "taken"), ("Still owed", "owed"))),
        ),
    ),
    ("duplicate_found", "payer"): Template(
        "You paid twice for “{milestone}”: we return {returned}",
        (
            "We received a second payment for a milestone that was already funded. We return all of it to the card or "
            "account that you paid with, at no cost to you.",
            Table((("Returned to you", "returned"),)),
            "Most banks show it within five to ten working days. No action is needed.",
        ),
        tone="good",
    ),
}

"""Money goes out: to the payee's bank, or back to the payer (milestone-payment-flow, Phase 3; Error Handling 2)."""

from __future__ import annotations

from core.letters.template import Table, Template, When

TEMPLATES = {
    ("payment_sent", "payee"): Template(
        "Your payment is on its way: {sent}",
        (
            "Your money for “{milestone}” is with our payment provider, who now sends it to your bank.",
            Table(
                (
                    ("Released to you", "released?"),
                    ("Withdrawal fee", "withdrawal_fee?"),
                    ("You receive", "sent"),
                    ("Method", "method?"),
                )
            ),
            "This takes from minutes to a few working days. If anything stops it on the way, we write to you.",
        ),
        tone="good",
    ),
    ("payout_failed", "payee"): Template(
        "Your bank did not accept your payment of {sent}",
        (
            "We tried to send your money for “{milestone}”, and it came back. The money is safe and still yours.",
            Table((("Amount", "sent"), ("Reason", "reason"))),
            "Our staff is looking at it, and writes to you with the ways in which you can be paid instead. Please "
            "check your bank details in the meantime.",
        ),
        tone="attention",
    ),
    ("payout_delayed", "payee"): Template(
        "Your payment of {sent} is delayed",
        (
            "The payment of your money for “{milestone}” did not go through as it should. The money is safe and still "
            "yours.",
            Table((("Amount", "sent"),)),
            "Our staff is looking at it. No action is needed now; we write to you if we need something from you.",
        ),
        tone="attention",
    ),
    ("refund_sent", "payer"): Template(
        "Your refund of {refunded} is on its way",
        (
            "We have sent your refund for “{milestone}” back to the card or account that you paid with.",
            Table((("Refund", "refunded"),)),
            "Most banks show it within five to ten working days.",
        ),
        tone="good",
    ),
    ("refund_failed", "payer"): Template(
        "Your refund of {refunded} could not be delivered",
        (
            "We sent your refund for “{milestone}” to the card or account that you paid with, and it came back. We "
            "still owe it to you.",
            Table((("Refund", "refunded"), ("Reason", "reason?"))),
            "Our staff is looking for another way and will write to you. No action is needed now.",
        ),
        tone="attention",
    ),
    ("hold_placed", "payee"): Template(
        "The payment for “{milestone}” is under review",
        (
            "We are taking a closer look before money for this milestone moves on to you. Such a review is no "
            "judgement about you or your work.",
            Table((("Under review", "stopped?"),)),
            "No action is needed unless we ask you. We will write when the review is over.",
        ),
        tone="attention",
    ),
    ("hold_released", "payee"): Template(
        "The review of “{milestone}” is over",
        (
            When(
                "stopped",
                (
                    When(
                        "waits",
                        (
                            "We have finished this review. The money has not moved yet. No action is needed for this "
                            "review, and we write to you when it moves.",
                        ),
                        ("We have finished our review, and the payment goes on as before.",),
                    ),
                    Table((("Amount", "stopped"),)),
                ),
                ("We have finished our review. None of this milestone's money is with us for you now.",),
            ),
            "Thank you for your patience.",
        ),
        tone="good",
    ),
}

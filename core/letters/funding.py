"""Phase 2: money comes in and is held (milestone-payment-flow, Phase 2; Error Handling 1)."""

from __future__ import annotations

from core.letters.template import Table, Template, When

_BEFORE = When(
    "refunded",
    ("The milestone before was refunded. The project goes on, and this is the next one.",),
    ("The milestone before is finished, and this is the next one.",),
)
# `after_session`: the session's own rule; `silence`: how long without an answer releases it, where that does.
STAYS = When(
    "after_session",
    (
        "It stays there until the session has taken place and the time to dispute it is over, or a dispute is settled.",
    ),
    (
        When(
            "silence",
            (
                "It stays there until you verify the work, until you have not answered for {silence} after the notice "
                "that it is done, or until a dispute is settled.",
            ),
            ("It stays there until you verify the work, or until a dispute is settled.",),
        ),
    ),
)

TEMPLATES = {
    ("funds_held", "payer"): Template(
        "We hold {amount} for “{milestone}”",
        (
            "Your payment arrived, and the milestone amount is now among your held funds.",
            STAYS,
            Table(
                (
                    ("Held funds", "amount"),
                    ("Platform fee", "platform_fee?"),
                    ("Card processing fee", "processing_fee?"),
                    ("Charged to you", "charged"),
                    ("Receipt", "receipt?"),
                )
            ),
        ),
        tone="good",
    ),
    ("milestone_funded", "payee"): Template(
        "“{milestone}” is funded: you can start",
        (
            "Your {payer} has funded this milestone. The money is held for it, and you can start work.",
            Table((("Held funds", "amount"),)),
            "When the work is done, mark the milestone as complete and add photographs or documents that show it. "
            "They help your {payer} to verify quickly, and they are your evidence if there is a dispute.",
        ),
        tone="good",
    ),
    ("payment_confirmation", "payer"): Template(
        "Please confirm your payment for “{milestone}”",
        (
            "We tried to take your payment while you were away. Your bank wants you to confirm it first, so nothing "
            "was charged.",
            Table((("Amount", "charged"), ("Confirm by", "confirm_by"))),
            "Please sign in where you agreed on this milestone, open the payment and confirm it with your bank. If it "
            "is not confirmed by then, we call it off, and you can pay again at any time.",
            "Work on this milestone starts only when it is funded.",
        ),
        tone="attention",
    ),
    ("payment_failed", "payer"): Template(
        "Your payment for “{milestone}” did not go through",
        (
            "We could not take your payment, and nothing was charged.",
            Table((("Amount", "charged"), ("Reason", "reason"))),
            When(
                "next_try_at",
                (
                    "We will try again by ourselves on {next_try_at}. If your card has changed, please update it "
                    "before then; otherwise no action is needed.",
                ),
                (
                    "We will not try again by ourselves. Please look at the reason, and pay again or another way.",
                ),
            ),
            "Work on this milestone starts only when it is funded.",
        ),
        tone="attention",
    ),
    ("next_milestone_funding", "payer"): Template(
        "Next: please fund “{milestone}”",
        (
            _BEFORE,
            "Please fund it so that work can go on.",
            Table((("Milestone amount", "amount"), ("You pay, with all fees", "total?"))),
            "We hold the money until it is released under the terms of the milestone or refunded.",
        ),
    ),
    ("next_milestone_active", "payee"): Template(
        "Next milestone: “{milestone}”",
        (
            _BEFORE,
            "We have asked your {payer} to fund it.",
            Table((("Milestone amount", "amount"),)),
            "We will tell you when it is funded. Please start work only after that.",
        ),
    ),
}

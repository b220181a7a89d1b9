"""Phase 4: the project is finished (milestone-payment-flow, Final Project Completion)."""

from __future__ import annotations

from core.letters.template import Table, Template, When

_HIDDEN = When(
    "review_until",
    (
        "You can write it until {review_until}. Neither of you sees the other's review before both are written or that "
        "time has passed.",
    ),
)

TEMPLATES = {
    ("project_review_request", "payer"): Template(
        "How was it? Please review your {payee}",
        (
            "“{project}” is over: no milestone of it is open any more.",
            "Please take a minute to review your {payee}. Your words help others to choose well.",
            _HIDDEN,
        ),
        tone="good",
    ),
    ("project_review_request", "payee"): Template(
        "How was it? Please review your {payer}",
        (
            "“{project}” is over: no milestone of it is open any more.",
            "Please take a minute to review your {payer}. Your words help others to know whom they work with.",
            _HIDDEN,
        ),
        tone="good",
    ),
    ("thanks", "payer"): Template(
        "Thank you for completing “{project}” with us",
        (
            "Your project is over, and the reviews that were written can now be read.",
            Table((("Your rating", "rating?"),)),
            "All e-mails, receipts and messages stay available to you. Thank you for your trust.",
        ),
        tone="good",
    ),
    ("thanks", "payee"): Template(
        "Thank you for completing “{project}” with us",
        (
            "Your project is over, and the reviews that were written can now be read.",
            Table((("Your rating", "rating?"),)),
            "All e-mails, statements and messages stay available to you. Thank you for working with us.",
        ),
        tone="good",
    ),
}

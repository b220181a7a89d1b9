"""Phase 3: the work is submitted and verified (milestone-payment-flow, Phase 3; Key Business Rules 2, 3 and 5)."""

from __future__ import annotations

from collections.abc import Mapping

from core.letters.template import Table, Template, When

_WHAT_TO_DO = "Please look at the work, then approve the milestone or tell us what is wrong with it."
_WAYS_TO_COMPLAIN = (
    When(
        "dispute_over",
        (
            "The time for opening a dispute has passed. If something is wrong, please complain now: our staff then "
            "looks at it before any money is released.",
        ),
    ),
    When(
        "dispute_open_ended",
        ("You can open a dispute for as long as the money is held.",),
    ),
)
_DEADLINES = (
    When("dispute_until", ("You can open a dispute until {dispute_until}.",)),
    *_WAYS_TO_COMPLAIN,
    When(
        "auto_approve_at",
        (
            "If we hear nothing from you by {auto_approve_at}, the milestone is approved and its money is released.",
        ),
        ("Nothing is released before you answer.",),
    ),
)
_AMOUNT = Table((("Held funds", "amount"),))

TEMPLATES: Mapping[tuple[str, str], Template | tuple[Template, ...]] = {
    ("verification_requested", "payer"): Template(
        "Please verify “{milestone}”",
        ("Your {payee} has marked this milestone as complete.", _WHAT_TO_DO, _AMOUNT, *_DEADLINES),
    ),
    ("verification_reminder", "payer"): (
        Template(
            "Reminder: please verify “{milestone}”",
            (
                "Your {payee} is waiting for your answer about this milestone.",
                _WHAT_TO_DO,
                _AMOUNT,
                *_DEADLINES,
            ),
        ),
        Template(
            "Second reminder: “{milestone}” waits for you",
            (
                "We have asked you before: your {payee} has finished this milestone and is still waiting.",
                _WHAT_TO_DO,
                _AMOUNT,
                *_DEADLINES,
            ),
            tone="attention",
        ),
        Template(
            "Urgent: “{milestone}” still waits for your answer",
            (
                "This is reminder number {level}. Your {payee} has finished this milestone and cannot be paid before "
                "it is verified.",
                _WHAT_TO_DO,
                _AMOUNT,
                *_DEADLINES,
            ),
            tone="attention",
        ),
    ),
    ("verification_again", "payer"): Template(
        "Please look at “{milestone}” again",
        (
            "Your {payee} has worked on what you reported and asks you to verify the milestone again. All deadlines "
            "restart today.",
            _WHAT_TO_DO,
            _AMOUNT,
            *_DEADLINES,
        ),
    ),
    ("answer_wanted", "payer"): Template(
        "“{milestone}” still needs your answer",
        (
            "The time to answer about this milestone ended on {answer_due_at}. It is neither approved nor disputed.",
            When(
                "answered",
                (
                    "You have written about it, so it is not approved by silence. But nothing else happens either:",
                ),
            ),
            "Please approve the milestone now, or say clearly that you do not, and why.",
            _AMOUNT,
            *_WAYS_TO_COMPLAIN,
            "Nothing is released before you answer. But your {payee} can now ask for a mediator, who then decides.",
        ),
        tone="attention",
    ),
    ("answer_missing", "payee"): Template(
        "“{milestone}” is neither approved nor disputed",
        (
            "Your {payer} had until {answer_due_at} to answer about this milestone, and has neither approved nor "
            "disputed it. We have asked once more.",
            _AMOUNT,
            "You need not wait any longer: you can now ask for a mediator, who looks at the work and decides. Until "
            "then the money stays held.",
        ),
        tone="attention",
    ),
    ("milestone_approved", "payee"): Template(
        "“{milestone}” is approved",
        (
            When(
                "by_silence",
                (
                    "The time in which your {payer} could answer has passed without a complaint, so the milestone is "
                    "approved.",
                ),
                ("Your {payer} has verified the work and approved the milestone.",),
            ),
            When(
                "waits",
                (
                    Table((("Approved for you", "amount"),)),
                    "The money is still among the held funds. We tell you when it is on its way to your bank.",
                ),
                (
                    Table((("Released to you", "amount"),)),
                    "The money is now yours. We tell you when it is on its way to your bank.",
                ),
            ),
        ),
        tone="good",
    ),
    ("release_confirmed", "payer"): Template(
        "Released: {amount} for “{milestone}”",
        (
            When(
                "by_silence",
                (
                    "We had no answer from you in the time you had to verify the work, so the milestone was approved "
                    "and the held funds were released to your {payee}.",
                ),
                ("The milestone is approved, and the held funds were released to your {payee}.",),
            ),
            Table((("Released", "amount"),)),
        ),
        tone="good",
    ),
    ("complaint_received", "payer"): Template(
        "We received your complaint about “{milestone}”",
        (
            "The time for opening a dispute has passed, so your complaint does not open one by itself. Our staff has "
            "been asked to look at it before any money is released, and will write to you.",
            _AMOUNT,
        ),
        tone="attention",
    ),
    ("complaint_settled", "payer"): Template(
        "We have looked at your complaint about “{milestone}”",
        (
            "Our staff has looked at your complaint, and this milestone goes on as before: you can still approve it.",
            _AMOUNT,
            When(
                "auto_approve_at",
                (
                    "If we hear nothing from you by {auto_approve_at}, the milestone is approved and its money is "
                    "released.",
                ),
            ),
        ),
    ),
}

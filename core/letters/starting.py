"""Phase 1: the project starts and its payments are laid out (milestone-payment-flow, Phase 1)."""

from __future__ import annotations

from core.letters.template import Schedule, Table, Template, When

TEMPLATES = {
    ("engagement_active", "payer"): Template(
        "Your engagement is confirmed: {project}",
        (
            "You and your {payee} have confirmed the scope, the fee and the terms. The engagement is now active, and "
            "payments for it can be made.",
            "Please pay only through the platform: that is what lets us hold your money until the work is done, and "
            "help if something goes wrong.",
        ),
        tone="good",
    ),
    ("engagement_active", "payee"): Template(
        "Your engagement is confirmed: {project}",
        (
            "You and your {payer} have confirmed the scope, the fee and the terms. The engagement is now active, and "
            "your {payer} can fund it.",
            "Please wait for our message that a milestone is funded before you start work on it.",
        ),
        tone="good",
    ),
    ("milestones_proposed", "payer"): Template(
        "Please look at your milestones: {project}",
        (
            "You accepted the {bid} of your {payee}, and we have divided the work into milestones. We propose:",
            Schedule("schedule"),
            Table((("Project total", "total"),)),
            "You can rename, divide or join them, as long as they add up to the total. You pay nothing before you and "
            "your {payee} have confirmed the project; the payment schedule comes after that.",
        ),
    ),
    ("project_started", "payee"): Template(
        "Your project has started: {project}",
        (
            "Your {payer} accepted your {bid}, and the project is set up.",
            Table((("Milestones", "count?"), ("Project total", "total"))),
            "We will tell you as soon as the first milestone is funded. Please start work on a milestone only after "
            "that: then its money is held for you.",
        ),
        tone="good",
    ),
    ("schedule_changed", "payee"): Template(
        "The milestones have changed: {project}",
        (
            "Your {payer} has rearranged the milestones that are not paid for yet. The project total is the same.",
            Schedule("schedule"),
            Table((("Project total", "total"),)),
            "If this is not what you have agreed, please write to your {payer} before you start work.",
        ),
        tone="attention",
    ),
    ("payment_schedule", "payer"): Template(
        "Your payment schedule: {project}",
        (
            "This is what you pay, milestone by milestone. You fund a milestone before work on it starts, and we hold "
            "that money until it is released under the terms of the milestone or refunded.",
            Schedule("schedule"),
            Table((("Project total", "total"),)),
            "The platform fee, if there is one, and the card processing fee are added when you fund a milestone; you "
            "see the exact sum before you pay.",
            When(
                "first",
                (
                    "The next step is yours: please fund “{first}”, so that your {payee} can start.",
                    Table((("First milestone", "first_amount?"), ("You pay, with all fees", "first_total?"))),
                ),
            ),
        ),
    ),
}

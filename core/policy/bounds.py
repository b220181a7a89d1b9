"""How far a number of a profile may go, and why: beyond it a proposal is refused, and before it two people confirm.

A number outside `usual` can be meant; one outside `possible` is a slip or would harm those whose money is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Bounds:
    """Lowest and highest, both allowed; `why` says what the limit of what is possible rests on."""

    possible: tuple[int | timedelta, int | timedelta]
    usual: tuple[int | timedelta, int | timedelta]
    why: str


BOUNDS: Mapping[str, Bounds] = {
    "platform_fee_bps": Bounds(
        (0, 3_000), (0, 1_000), "a marketplace that takes more than 30 % on top has mistyped its fee"
    ),
    "processor_bps": Bounds((0, 1_000), (100, 500), "no card costs a processor more than 10 %"),
    "tax_bps": Bounds((0, 5_000), (0, 2_700), "no country takes more than half of an amount as tax on it"),
    "first_reminder_after": Bounds(
        (HOUR, 30 * DAY), (24 * HOUR, 7 * DAY), "a reminder within the hour reminds nobody"
    ),
    "reminder_every": Bounds(
        (HOUR, 30 * DAY), (12 * HOUR, 7 * DAY), "letters more often than hourly are read by nobody"
    ),
    "dispute_window": Bounds(
        (DAY, 60 * DAY), (3 * DAY, 30 * DAY), "a payer needs a day to look, and held money must move"
    ),
    "auto_approve_after": Bounds(
        (DAY, 60 * DAY),
        (2 * DAY, 30 * DAY),
        "silence of less than a day is no approval, and held money must move",
    ),
    "consultation_grace": Bounds(
        (HOUR, 14 * DAY), (12 * HOUR, 7 * DAY), "a client needs an hour to complain of a session"
    ),
    "mediation_after": Bounds(
        (HOUR, 30 * DAY), (DAY, 14 * DAY), "the two need time to agree, and held money must move"
    ),
    "deadlock_after": Bounds(
        (DAY, 45 * DAY), (3 * DAY, 21 * DAY), "a mediator needs a day, and held money must move"
    ),
    "cooling_off": Bounds(
        (0 * DAY, 14 * DAY), (0 * DAY, 3 * DAY), "a decision that waits longer keeps money from both"
    ),
    "held_age_alarm": Bounds((7 * DAY, 90 * DAY), (30 * DAY, 85 * DAY), "money must move within 90 days"),
    "contact_window": Bounds(
        (DAY, 365 * DAY), (7 * DAY, 180 * DAY), "nothing repeats within less than a day"
    ),
    "bank_change_hold": Bounds(
        (HOUR, 14 * DAY), (DAY, 7 * DAY), "within less than an hour nobody reads that their bank was changed"
    ),
    "documents_kept": Bounds(
        (365 * DAY, 30 * 365 * DAY),
        (5 * 365 * DAY, 12 * 365 * DAY),
        "no law keeps documents for less than a year",
    ),
    "person_kept": Bounds(
        (180 * DAY, 30 * 365 * DAY),
        (365 * DAY, 12 * 365 * DAY),
        "a chargeback or a lawsuit can come months after a project ended",
    ),
    "newcomer_kept": Bounds(
        (180 * DAY, 10 * 365 * DAY),
        (180 * DAY, 3 * 365 * DAY),
        "a first project can take months to be agreed",
    ),
    "decisions_a_day": Bounds((1, 50), (1, 10), "beyond it no second person would ever look"),
    "contact_attempts": Bounds((1, 20), (1, 5), "beyond it no attempt would ever be looked at"),
}
# Amounts and tariffs have the first version as their measure: so many times more or less.
TIMES_POSSIBLE, TIMES_USUAL = 100, 10
AMOUNTS_WHY = f"{TIMES_POSSIBLE} times more or less than the first version is a slip of digits"
TARIFF_POSSIBLE = 2_000
TARIFF_WHY = "a payee who leaves a fifth at every withdrawal would not be paid"

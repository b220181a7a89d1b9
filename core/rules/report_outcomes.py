"""What settling a report does: said before it is settled, and done then (payment-escrow-rules, Risk Controls)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.money import Money
from core.rules.references import reference
from core.rules.refusal_reasons import Block
from core.rules.reports import ReportKind, ReportOutcome, Severity


class Effect(StrEnum):
    RECORDED = "RECORDED"
    COUNTED = "COUNTED"
    HOLD = "HOLD"
    REVIEW_OPENS = "REVIEW_OPENS"
    REVIEW_STAYS = "REVIEW_STAYS"
    STILL_WAITS = "STILL_WAITS"
    GOES_ON = "GOES_ON"
    NOT_COUNTED = "NOT_COUNTED"
    AUTHOR_TOLD = "AUTHOR_TOLD"


@dataclass(frozen=True)
class Consequence:
    """One thing that follows, in one sentence; `milestone_id` where it happens to one milestone's money."""

    effect: Effect
    sentence: str
    milestone_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class ConcernedMilestone:
    """How a milestone that the report concerns will stand once it is settled this way.

    `money`: held or payable; `asks_review`: the rules of risk ask for one; `review`: the one that is open;
    `blocks`: what else stops its money; `freed`: the report itself stops it until now.
    """

    milestone_id: int
    money: Money
    asks_review: bool
    review: int | None
    blocks: tuple[Block, ...]
    freed: bool

    @property
    def reference(self) -> str:
        return reference("milestone", self.milestone_id)


@dataclass(frozen=True, kw_only=True)
class Settling:
    """The report, and what is known when it is settled: `attempts` counts this one, if it is upheld."""

    kind: ReportKind
    severity: Severity
    subject: str | None
    by_party: bool
    attempts: int
    attempts_allowed: int
    window_days: int
    concerned: Sequence[ConcernedMilestone]


def consequences(settling: Settling, outcome: ReportOutcome) -> tuple[Consequence, ...]:
    """Everything that follows from this outcome, and nothing else does."""
    upheld = outcome is ReportOutcome.UPHELD
    found = _upheld(settling) if upheld else _dismissed(settling)
    return (*found, *_author(settling))


def _upheld(settling: Settling) -> Iterator[Consequence]:
    whom = (
        f"against the {settling.subject}" if settling.subject else "with the project, against neither party"
    )
    yield Consequence(Effect.RECORDED, f"It is recorded {whom}.")
    if settling.kind is ReportKind.OFF_PLATFORM_CONTACT:
        yield Consequence(
            Effect.COUNTED,
            f"It counts: {settling.attempts} within {settling.window_days} days; "
            f"{settling.attempts_allowed} call for a review.",
        )
    for each in settling.concerned:
        if not each.money.minor:
            continue
        if settling.severity is Severity.SEVERE:
            yield _about(each, Effect.HOLD, f"A hold is placed on {each.money.text()} of {each.reference}.")
        yield from _review(each)


def _dismissed(settling: Settling) -> Iterator[Consequence]:
    yield Consequence(Effect.NOT_COUNTED, "It counts for nothing and is recorded against nobody.")
    for each in settling.concerned:
        if not each.money.minor:
            continue
        yield from _review(each)
        if each.freed and each.blocks:
            why = " ".join(block.sentence for block in each.blocks)
            yield _about(each, Effect.STILL_WAITS, f"{each.money.text()} of {each.reference} waits on: {why}")
        elif each.freed:
            yield _about(
                each,
                Effect.GOES_ON,
                f"Nothing else stops {each.money.text()} of {each.reference}: what is due of it moves at once.",
            )


def _review(each: ConcernedMilestone) -> Iterator[Consequence]:
    if each.review is not None:
        yield _about(
            each,
            Effect.REVIEW_STAYS,
            f"Review {reference('risk review', each.review)} of {each.reference} stays open until it is settled.",
        )
    elif each.asks_review:
        yield _about(
            each,
            Effect.REVIEW_OPENS,
            f"A risk review of {each.reference} opens: nothing of it is released or paid out until it is settled.",
        )


def _author(settling: Settling) -> Iterator[Consequence]:
    if settling.by_party:
        yield Consequence(
            Effect.AUTHOR_TOLD, "Whoever reported it is told that it was looked into, and not what was found."
        )


def _about(each: ConcernedMilestone, effect: Effect, sentence: str) -> Consequence:
    return Consequence(effect, sentence, each.milestone_id)

"""When one person is not enough, and who the second may be.

A second person approves the hash of the exact plan. Maker and checker are two people; administrators are not exempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from core.errors import DeskError
from core.money import Money
from core.policy import Profile
from core.rules import grounds
from core.rules.grounds import Ground
from core.rules.refusal_reasons import Block
from core.rules.transitions import MoveEvent, label, move


class DecisionStatus(StrEnum):
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    COOLING_OFF = "COOLING_OFF"
    EXECUTED = "EXECUTED"
    RETURNED = "RETURNED"
    VOIDED = "VOIDED"

    @property
    def label(self) -> str:
        return label(self)


class DecisionEvent(MoveEvent):
    APPROVE = "APPROVE", "it cannot be approved"
    RETURN = "RETURN", "it cannot be returned to its mediator"
    VOID = "VOID", "it cannot be voided"
    EXECUTE = "EXECUTE", "it cannot be executed"


MOVES: Mapping[tuple[DecisionStatus, DecisionEvent], DecisionStatus] = {
    (DecisionStatus.AWAITING_APPROVAL, DecisionEvent.APPROVE): DecisionStatus.COOLING_OFF,
    (DecisionStatus.AWAITING_APPROVAL, DecisionEvent.RETURN): DecisionStatus.RETURNED,
    (DecisionStatus.AWAITING_APPROVAL, DecisionEvent.VOID): DecisionStatus.VOIDED,
    (DecisionStatus.COOLING_OFF, DecisionEvent.EXECUTE): DecisionStatus.EXECUTED,
    (DecisionStatus.COOLING_OFF, DecisionEvent.VOID): DecisionStatus.VOIDED,
}


class PlanChanged(DeskError):
    """What you approve is no longer what was decided: {what} changed. The decision is void and must be made again."""


def after(status: DecisionStatus | str, event: DecisionEvent) -> DecisionStatus:
    return move("decision", MOVES, DecisionStatus(status), event)


def initial(reasons: tuple[Block, ...]) -> DecisionStatus:
    """What a decision begins as: with reasons for a second person it waits for one, else only for its cooling-off."""
    return DecisionStatus.AWAITING_APPROVAL if reasons else DecisionStatus.COOLING_OFF


def second_person_reasons(
    amount: Money,
    profile: Profile,
    ground: Ground,
    decisions_today_for_beneficiary: int,
    *,
    override: bool = False,
    given_today: Iterable[Money] = (),
) -> tuple[Block, ...]:
    """Why a second person must approve; empty when one person is enough.

    `amount` is all that the decision moves (release and refund). `decisions_today_for_beneficiary` counts the earlier
    decisions of the last 24 h for the same beneficiary. `given_today` is what a party gets in those and in this one
    together, so that a large sum is not given in small steps.
    """
    return (
        *_reasons(amount, profile, ground, decisions_today_for_beneficiary, override),
        *_in_small_steps(amount, profile, given_today),
    )


def check_plan(approved_hash: str, present_hash: str, what: str = "the plan") -> None:
    """Any change to the milestone, the case, the evidence or the policy voids an approval."""
    if approved_hash != present_hash:
        raise PlanChanged(what=what)


def cooled_off(execute_at: datetime | None, now: datetime) -> bool:
    """A decision rests before it is executed; at the instant that is stored it may be. Before it is approved, never."""
    return execute_at is not None and now >= execute_at


def _reasons(
    amount: Money, profile: Profile, ground: Ground, decisions_today: int, override: bool
) -> Iterator[Block]:
    limit = profile.second_person_above.of(amount.currency)
    if amount > limit:
        yield Block("high_value", f"{amount} is above {limit}.")
    if override or grounds.needs_second_person(ground):
        yield Block("override", f"The ground “{ground.label}” needs a second person.")
    if decisions_today >= profile.decisions_a_day:
        count = decisions_today + 1
        yield Block("several_in_a_day", f"This is decision {count} for the same beneficiary within 24 hours.")


def _in_small_steps(amount: Money, profile: Profile, given_today: Iterable[Money]) -> Iterator[Block]:
    """Silent where the amount alone is already above the limit."""
    limit = profile.second_person_above.of(amount.currency)
    over = [total for total in given_today if total > limit]
    if amount <= limit and over:
        yield Block(
            "sum_in_a_day", f"With it, one party gets {max(over)} within 24 hours, which is above {limit}."
        )

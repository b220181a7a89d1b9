"""While a decision cools off, both sides know of it: told when it is made, and told if it falls.

(payment-escrow-rules, Refund Rules: a refund decision and what it refers to; the 24 hours are internal policy.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.actions.decisions import plan_letters
from core.actions.milestones.milestone_context import MilestoneContext
from core.money import Money
from core.records import Decision
from core.rules import decision_letters
from core.rules.approvals import DecisionStatus
from core.rules.grounds import DecisionOutcome
from core.rules.splits import Split


def announce(session: Session, context: MilestoneContext, decision: Decision, *, now: datetime) -> None:
    """What was decided, when it is carried out, and what they can do until then; nothing if it is not to wait."""
    if decision.status != DecisionStatus.COOLING_OFF:
        return
    parties = dict(plan_letters.sides(context))
    for due in decision_letters.announced(cools_off=waits(decision)):
        party = parties[due.audience]
        context.tell(
            session,
            due.template,
            party,
            key=key_of(decision.plan, party.id),
            now=now,
            about=("decision", decision.id),
            **facts(context, decision.plan, due.audience, execute_at=decision.execute_at),
        )


def key_of(plan: Mapping[str, Any], party_id: int) -> str:
    """The key of the letter that announced this plan to the party."""
    return f"{plan['journal']['key']}-announced-{party_id}"


def tell_voided(
    session: Session, context: MilestoneContext, decision: Decision, *, now: datetime, ended: bool = False
) -> None:
    """It is not carried out; `ended`: the case is over, so none follows. Who was never told of it hears nothing."""
    if not waits(decision):
        return
    for party in (context.payer, context.payee):
        context.tell(
            session,
            "decision_voided",
            party,
            key=f"{decision.plan['journal']['key']}-voided-{party.id}",
            now=now,
            about=("decision", decision.id),
            ended=ended,
        )


def waits(decision: Decision) -> bool:
    """Whether the decision's cooling-off has begun and is longer than zero."""
    begun = decision.checked_at or decision.made_at
    return decision.execute_at is not None and decision.execute_at > begun


def facts(
    context: MilestoneContext, plan: Mapping[str, Any], audience: str, *, execute_at: Any
) -> dict[str, Any]:
    """What the announcement of a plan to this side is made of; `execute_at`: the time, or words in its place."""
    split = _split(plan["amounts"])
    told: dict[str, Any] = {
        "outcome": in_words(DecisionOutcome(plan["outcome"])),
        "released": split.release,
        "refunded": split.refund,
        "reasons": plan["reasons"],
        "execute_at": execute_at,
        "passage": next(
            (each.get("passage") for each in plan["letters"] if each["audience"] == audience), None
        ),
    }
    if audience == "payer":
        told |= plan_letters.fees(context, split)
    return told | plan_letters.evidence(plan["looked"])


def in_words(outcome: DecisionOutcome) -> str:
    """As its subject says it. A full refund is of the milestone amount; a fee may be kept."""
    refund = outcome is DecisionOutcome.FULL_REFUND
    return "milestone amount refunded in full" if refund else outcome.label.lower()


def _split(amounts: Mapping[str, Any]) -> Split:
    """The split as planned."""
    names = ("release", "refund", "fee_kept", "fee_returned", "concession")
    return Split(**{name: Money(amounts[name], amounts["currency"]) for name in names})

"""While a decision cools off, both sides know of it: told when it is made, and told if it falls.

(payment-escrow-rules, Refund Rules: a refund decision and what it refers to; the 24 hours are the desk's choice.)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.actions import plan_letters
from core.actions.dossier import Dossier
from core.money import Money
from core.records import Decision
from core.rules.approvals import DecisionStatus
from core.rules.grounds import DecisionOutcome
from core.rules.splits import Split


def announce(session: Session, dossier: Dossier, decision: Decision, *, now: datetime) -> None:
    """What was decided, when it is carried out, and what they can do until then; nothing if it is not to wait."""
    if decision.status != DecisionStatus.COOLING_OFF or not _waits(decision):
        return
    said = {each["audience"]: each.get("passage") for each in decision.plan["letters"]}
    for audience, party in (("payer", dossier.payer), ("payee", dossier.payee)):
        dossier.tell(
            session,
            "decision_announced",
            party,
            key=f"{decision.plan['journal']['key']}-announced-{party.id}",
            now=now,
            about=("decision", decision.id),
            passage=said.get(audience),
            **_facts(dossier, decision, audience),
        )


def tell_voided(
    session: Session, dossier: Dossier, decision: Decision, *, now: datetime, ended: bool = False
) -> None:
    """It is not carried out; `ended`: the case is over, so none follows. Who was never told of it hears nothing."""
    if not _waits(decision):
        return
    for party in (dossier.payer, dossier.payee):
        dossier.tell(
            session,
            "decision_voided",
            party,
            key=f"{decision.plan['journal']['key']}-voided-{party.id}",
            now=now,
            about=("decision", decision.id),
            ended=ended,
        )


def _waits(decision: Decision) -> bool:
    """Its cooling-off has begun, and is longer than no time."""
    begun = decision.checked_at or decision.made_at
    return decision.execute_at is not None and decision.execute_at > begun


def _facts(dossier: Dossier, decision: Decision, audience: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "outcome": DecisionOutcome(decision.outcome).label.lower(),
        "released": Money(decision.release_minor, decision.currency),
        "refunded": Money(decision.refund_minor, decision.currency),
        "reasons": decision.reasons,
        "execute_at": decision.execute_at,
    }
    if audience == "payer":
        facts |= plan_letters.fees(dossier, _split(decision))
    return facts | plan_letters.evidence(decision.plan["looked"])


def _split(decision: Decision) -> Split:
    """As it was planned."""
    amounts = decision.plan["amounts"]
    names = ("release", "refund", "fee_kept", "fee_returned", "concession")
    return Split(**{name: Money(amounts[name], decision.currency) for name in names})

"""The letters of a plan: generated from it, with one passage that the mediator may rewrite for each party.

What is paid, refunded and kept back stands outside of that passage and always comes from the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import letters
from core.actions.milestones.milestone_context import MilestoneContext
from core.errors import DeskError
from core.letters import Letter
from core.money import Money
from core.records import Milestone, Party, PaymentOrder
from core.rules import items, visible_text
from core.rules.decision_letters import template_of
from core.rules.grounds import DecisionOutcome
from core.rules.items import Item
from core.rules.splits import Split

Looked = Mapping[str, int]  # how many `pieces` of evidence there are, and how many the mediator `opened`

PASSAGE_LEAST, PASSAGE_MOST = 20, 6_000


class PassageUnusable(DeskError):
    """The e-mail to the {audience} needs {least} to {most} characters of your own words; it has {length}. Write more,
    or go back to the generated text."""


def check(passages: Mapping[str, str]) -> None:
    """Whether these passages may stand in the letters: the parties must be told why, in the reasons or in the
    passage. Raises `PassageUnusable`."""
    for audience, text in passages.items():
        length = max(visible_text.length(text), len(text) if len(text) > PASSAGE_MOST else 0)
        if not PASSAGE_LEAST <= length <= PASSAGE_MOST:
            raise PassageUnusable(audience=audience, least=PASSAGE_LEAST, most=PASSAGE_MOST, length=length)


def facts(
    context: MilestoneContext,
    split: Split,
    *,
    audience: str,
    reasons: str,
    kept_back: Money,
    looked: Looked,
    division: tuple[Item, ...] = (),
    passages: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the letter to this side is made of."""
    told: dict[str, Any] = {
        "amount": context.amount,
        "released": split.release,
        "refunded": split.refund,
        "reasons": reasons,
        **(fees(context, split) if audience == "payer" else {}),
        **evidence(looked),
    }
    if division:
        told["items"] = tuple(
            (each.title, items.in_words(each, part))
            for each, part in zip(division, items.earned(division), strict=True)
        )
    if passages and audience in passages:
        told["passage"] = passages[audience]
    if audience == "payee":
        told["goes_out"] = goes_out(context, split, kept_back)
    if audience == "payee" and kept_back.is_positive:
        told |= {"kept_back": kept_back, "payable": split.release - kept_back}
    return told


def goes_out(context: MilestoneContext, split: Split, kept_back: Money) -> bool:
    """Whether anything is sent to the payee automatically."""
    return context.payee.auto_withdraw and (split.release - kept_back).is_positive


def fees(context: MilestoneContext, split: Split) -> dict[str, Money]:
    """What becomes of the fees that the payer paid, as far as there is anything to say: of a refund only."""
    if split.refund.is_zero:
        return {}
    processing = context.money(context.order.processing_fee_minor)
    said = {
        "fee_returned": split.fee_returned,
        "processing_returned": split.concession,
        "processing_kept": processing - split.concession,
        "refund": split.total_refund if split.total_refund != split.refund else context.money(0),
    }
    return {name: amount for name, amount in said.items() if amount.is_positive}


def evidence(looked: Looked) -> dict[str, Any]:
    """That all was opened, or that there was none; a letter says nothing of what was left unopened."""
    if not looked["pieces"]:
        return {"no_evidence": True}
    opened = looked["opened"] == looked["pieces"]
    return {"opened": plural(looked["pieces"], "file")} if opened else {}


def project(session: Session, context: MilestoneContext, *, ends: bool) -> dict[str, bool]:
    """What becomes of the project, where the decision ends it; `others`: something else in it is funded and goes on."""
    if not ends:
        return {}
    others = select(PaymentOrder.milestone_id).join(Milestone, Milestone.id == PaymentOrder.milestone_id)
    others = others.where(
        Milestone.project_id == context.project.id,
        Milestone.id != context.milestone.id,
        Milestone.ended_at.is_(None),
        PaymentOrder.funded_minor > 0,
    )
    return {"ends": True, "others": session.scalar(select(others.exists())) or False}


def plural(number: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def sides(context: MilestoneContext) -> tuple[tuple[str, Party], tuple[str, Party]]:
    """Both parties under the names that plans have for them, the payer first."""
    return ("payer", context.payer), ("payee", context.payee)


def written(
    context: MilestoneContext, outcome: DecisionOutcome, audience: str, told: Mapping[str, Any]
) -> Letter:
    """The letter as it will be delivered."""
    return letters.render(
        template_of(outcome),
        audience,
        project=context.project.title,
        milestone=context.milestone.title,
        platform=context.project.platform,
        **told,
    )

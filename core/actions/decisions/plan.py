"""The plan of a decision: exactly what will be posted, asked of Stripe and written to both parties.

It is computed from the case as it stands, and its canonical JSON (RFC 8785) has a hash. What a person confirms or
approves is that hash; whatever changes in the milestone, the case, the evidence or the policy changes it. What the
parties write meanwhile does not: otherwise either could put a decision off for ever.

plan_money: what it moves · plan_letters: what both are told · plan_citations: what it rests on and is bound to
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import rfc8785
from sqlalchemy.orm import Session

from core.actions.decisions import plan_citations, plan_letters, planned_calls
from core.actions.decisions.plan_citations import CitationUnknown
from core.actions.decisions.plan_money import amounts, movements
from core.actions.decisions.planned_calls import Asked, Calls
from core.actions.milestones.milestone_context import MilestoneContext
from core.actions.payouts import division
from core.errors import DeskError
from core.ledger.journals import Journal
from core.letters import Letter
from core.money import Money
from core.records import Case
from core.rules import amount_limits, grounds, items, splits, visible_text
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.items import Item

__all__ = [
    "CitationUnknown",
    "Draft",
    "Plan",
    "ReasonsTooShort",
    "amounts",
    "letter_facts",
    "make",
    "movements",
    "split_of",
]

FORMAT = "escrow-desk/plan/4"
REASONS_LEAST = 20


class ReasonsTooShort(DeskError):
    """Write the reasons out: at least {least} characters. Both parties and any reviewer will read them."""


@dataclass(frozen=True)
class Draft:
    """What the mediator chose. A partial release needs `release`, or `items` whose earned values are the release.

    `passages`: their own words in the letter to the "payer" or "payee", in place of the reasons. `said_until`: the last
    message that was read; `looked_until`: when it was decided; `asked`: what was known of the payee. All three are for
    computing a recorded plan again.
    """

    case_id: int
    outcome: DecisionOutcome
    ground: Ground
    reasons: str
    release: Money | None = None
    references: frozenset[Reference] = frozenset()
    evidence_ids: frozenset[int] = frozenset()
    override: bool = False
    items: tuple[Item, ...] = ()
    passages: Mapping[str, str] = field(default_factory=dict, hash=False)
    ends_project: bool = False
    said_until: int | None = None
    looked_until: datetime | None = None
    asked: Asked | None = None


@dataclass(frozen=True)
class Plan:
    """`content` is what is hashed; `calls` are queued when it is carried out; `unopened` is the evidence that its maker
    never opened; `papers` are its letters as they will look, by audience."""

    content: dict[str, Any]
    split: splits.Split
    journal: Journal
    key: str
    calls: Calls
    unopened: tuple[int, ...] = ()
    papers: Mapping[str, Letter] = field(default_factory=dict)

    @cached_property
    def canonical(self) -> bytes:
        return rfc8785.dumps(self.content)

    @cached_property
    def hash(self) -> str:
        return hashlib.sha256(self.canonical).hexdigest()


def split_of(context: MilestoneContext, draft: Draft) -> splits.Split:
    """How the held money is divided; pure but for the context it reads."""
    order = context.order
    held, fee = context.money(order.held_minor), context.money(order.platform_fee_minor)
    match draft.outcome:
        case DecisionOutcome.FULL_RELEASE:
            return splits.full_release(held, fee)
        case DecisionOutcome.FULL_REFUND:
            return splits.full_refund(held, fee, draft.ground, context.money(order.processing_fee_minor))
    wanted = items.release(draft.items, held) if draft.items else draft.release
    return splits.partial(held, fee, wanted or Money.zero(held.currency), context.profile.platform_fee_bps)


def make(
    session: Session,
    context: MilestoneContext,
    case: Case,
    draft: Draft,
    *,
    maker_id: int,
    earlier: int = 0,
    key: str | None = None,
) -> Plan:
    """The plan for this draft now. Raises when the draft is not a decision that may be made.

    `earlier`: how many decisions this case had before, void ones as well. `key` is that of a decision already recorded,
    whose plan is computed again.
    """
    _check(draft)
    split = split_of(context, draft)
    if key is None:
        amount_limits.require_payable(split.release)
    key = key or f"decision.{case.id}.{earlier + 1}"
    cause = {"ticket": case.id, "milestone": context.milestone.id, "outcome": draft.outcome.value}
    pieces = plan_citations.pieces(session, context, maker_id)
    looked = plan_citations.looked(pieces, until=draft.looked_until)
    made = planned_calls.of_split(session, context, split, key=key, asked=draft.asked)
    papers = _papers(session, context, draft, split, looked, made.kept_back)
    content = {
        "format": FORMAT,
        "ticket": case.id,
        "milestone": context.milestone.id,
        "project": context.project.id,
        "maker": maker_id,
        "outcome": draft.outcome.value,
        "ground": draft.ground.value,
        "override": draft.override,
        "ends_project": draft.ends_project,
        "reasons": draft.reasons,
        **({"items": items.rows(draft.items)} if _by_items(draft) else {}),
        "citations": plan_citations.citations(
            session,
            context,
            case,
            pieces=pieces,
            reasons=draft.reasons,
            evidence_ids=draft.evidence_ids,
            said_until=draft.said_until,
        ),
        **movements(context, split, made, key=key, cause=cause),
        "looked": looked,
        "letters": [_letter(context, draft, papers[side], side, party.id) for side, party in _sides(context)],
        "bindings": {
            "milestone_version": context.milestone.version,
            "ticket_version": case.version,
            "policy_version": context.project.policy_version_id,
            "evidence": [each.sha256 for each in pieces],
        },
    }
    journal = division.split_journal(context, split, key=key, cause=cause)
    unopened = tuple(each.id for each in pieces if each.opened_at is None)
    return Plan(content, split, journal, key, calls=made, unopened=unopened, papers=papers)


def letter_facts(
    session: Session,
    context: MilestoneContext,
    draft: Draft,
    split: splits.Split,
    audience: str,
    looked: plan_letters.Looked,
    kept_back: Money,
) -> dict[str, Any]:
    """What the letter to this side is made of, whoever writes it: the preview, or the execution. `kept_back`: of the
    release, for what the payee owes, by the plan's calls."""
    told = plan_letters.facts(
        context,
        split,
        audience=audience,
        reasons=draft.reasons,
        looked=looked,
        kept_back=kept_back,
        division=draft.items if _by_items(draft) else (),
        passages=draft.passages,
    )
    return told | plan_letters.project(session, context, ends=draft.ends_project)


_sides = plan_letters.sides


def _by_items(draft: Draft) -> bool:
    return bool(draft.items) and draft.outcome is DecisionOutcome.PARTIAL_RELEASE


def _papers(
    session: Session,
    context: MilestoneContext,
    draft: Draft,
    split: splits.Split,
    looked: plan_letters.Looked,
    kept_back: Money,
) -> dict[str, Letter]:
    return {
        side: plan_letters.written(
            context,
            draft.outcome,
            side,
            letter_facts(session, context, draft, split, side, looked, kept_back),
        )
        for side, _ in _sides(context)
    }


def _letter(
    context: MilestoneContext, draft: Draft, paper: Letter, side: str, party_id: int
) -> dict[str, Any]:
    """As it is hashed. `passage` is there only where the mediator rewrote it."""
    edited = {"passage": draft.passages[side]} if side in draft.passages else {}
    return {"to": party_id, "audience": side, "subject": paper.subject, "text": paper.text, **edited}


def _check(draft: Draft) -> None:
    grounds.check_end(draft.ground, ends_project=draft.ends_project)
    grounds.check(draft.ground, draft.outcome, delivered=True, override=draft.override)
    if visible_text.length(draft.reasons) < REASONS_LEAST:
        raise ReasonsTooShort(least=REASONS_LEAST)
    grounds.require_references(_cited_kinds(draft))
    plan_letters.check(draft.passages)


def _cited_kinds(draft: Draft) -> set[str]:
    """The reasons are the resolution notes, so that reference is always given; citing evidence cites its kind."""
    cited = {Reference.RESOLUTION_NOTES, *draft.references}
    return {each.value for each in (cited | {Reference.MILESTONE_EVIDENCE} if draft.evidence_ids else cited)}

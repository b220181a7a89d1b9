"""A decision as it is being typed, and what it would come to. Anything may still be missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.actions.decisions import plan, planned_calls
from core.actions.decisions.plan import Draft
from core.errors import DeskError
from core.money import Money
from core.queries.cases import CaseView
from core.rules import items, splits
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.items import Done, Item
from dashboard import request_context

_PERCENT = re.compile(r"\s*(\d{1,3})(?:[.,](\d{1,2}))?\s*%?\s*")
PARTIAL = DecisionOutcome.PARTIAL_RELEASE


class OutcomeMissing(DeskError):
    """Choose an outcome first: a full release, a partial release or a full refund."""


class GroundMissing(DeskError):
    """Choose the ground that the decision stands on."""


class PercentUnreadable(DeskError):
    """“{text}” is not a percentage. Write it like 60 or 62.5."""


class ItemWithoutValue(DeskError):
    """Write what “{title}” is worth."""


@dataclass(frozen=True)
class ItemInput:
    """An item of work as it is typed."""

    title: str
    value: str
    done: Done
    part: str

    def item(self, currency: str) -> Item:
        """Raises what cannot be read."""
        if not self.value.strip():
            raise ItemWithoutValue(title=self.title)
        part = parse_percent(self.part) if self.done is Done.PARTLY and self.part.strip() else 0
        return Item(self.title.strip(), Money.parse(self.value, currency), self.done, part)


@dataclass(frozen=True)
class DecisionInput:
    """`by`: how a partial release is divided: a currency (an amount), "%" or "items"."""

    outcome: DecisionOutcome | None = None
    by: str = ""
    share: str = ""
    rows: tuple[ItemInput, ...] = ()
    ground: Ground | None = None
    reasons: str = ""
    references: frozenset[Reference] = frozenset()
    evidence_ids: frozenset[int] = frozenset()
    override: bool = False
    ends_project: bool = False
    passages: Mapping[str, str] = field(default_factory=dict)

    @property
    def divided(self) -> bool:
        """Whether something is said about how much is released."""
        return bool(self.rows) if self.by == "items" else bool(self.share.strip())

    def items(self, currency: str) -> tuple[Item, ...]:
        """The items, when the amount is divided by them. Raises what cannot be read."""
        if self.outcome is not PARTIAL or self.by != "items":
            return ()
        return tuple(row.item(currency) for row in self.rows)

    def release(self, case: CaseView) -> Money | None:
        """What the payee would get of a partial release. Raises when it cannot be read."""
        if self.outcome is not PARTIAL or not self.divided:
            return None
        held = case.context.money(case.context.order.held_minor)
        if self.by == "items":
            return items.release(self.items(held.currency), held)
        if self.by == "%":
            return splits.by_percent(held, parse_percent(self.share))
        return Money.parse(self.share, held.currency)

    def draft(self, case: CaseView) -> Draft:
        """The finished draft. Raises what is missing, as a sentence."""
        if self.outcome is None:
            raise OutcomeMissing()
        if self.ground is None:
            raise GroundMissing()
        return Draft(
            case_id=case.id,
            outcome=self.outcome,
            ground=self.ground,
            reasons=self.reasons.strip(),
            release=self.release(case),
            references=self.references,
            evidence_ids=self.evidence_ids,
            override=self.override,
            ends_project=self.ends_project,
            items=self.items(case.context.milestone.currency),
            passages=self.passages,
        )


def parse_percent(text: str) -> int:
    """ "62.5 %" as 6250."""
    found = _PERCENT.fullmatch(text)
    if found is None:
        raise PercentUnreadable(text=text)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def amounts(case: CaseView, sketch: DecisionInput) -> dict[str, Any] | None:
    """Every amount that this sketch would come to, as a plan names them; None while the outcome or share is missing.

    Without a ground, a full refund is reckoned without a concession. Raises what a plan would raise about amounts.
    """
    if sketch.outcome is None or (sketch.outcome is PARTIAL and not sketch.divided):
        return None
    tried = Draft(
        case_id=case.id,
        outcome=sketch.outcome,
        ground=sketch.ground or Ground.AGREED_CANCELLATION,
        reasons="",
        release=sketch.release(case),
    )
    split = plan.split_of(case.context, tried)
    with request_context.reading() as session:
        made = planned_calls.of_split(session, case.context, split, key="sketch")
    return plan.amounts(case.context, split, made)

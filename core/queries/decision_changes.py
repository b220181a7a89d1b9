"""A waiting decision compared with what it would be now, and with the one that was returned before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.decisions import recorded_decision
from core.errors import DeskError
from core.letters import Letter
from core.queries.cases import CaseView
from core.queries.decisions import RecordedDecision
from core.records import Decision, Notification
from core.rules import plan_diff
from core.rules.plan_diff import Difference
from core.rules.refusal_reasons import Block


@dataclass(frozen=True)
class Comparison:
    """`void`: it will not be carried out, because the plan would be another now: `now` says how, `refused` why it could
    not even be planned. `stops`: what keeps it from being carried out as long as it stands. `before`: what the decision
    that came back had otherwise, `returned`."""

    void: bool
    now: tuple[Difference, ...]
    refused: str | None
    stops: tuple[Block, ...]
    before: tuple[Difference, ...]
    returned: RecordedDecision | None


def of(session: Session, case: CaseView, recorded: RecordedDecision) -> Comparison:
    """The comparison. Reads only; it voids nothing."""
    record = recorded.record
    try:
        made = recorded_decision.present(session, case.context, case.record, record)
        void, now, refused = (
            made.hash != record.plan_hash,
            plan_diff.between(record.plan, made.content),
            None,
        )
    except DeskError as problem:
        void, now, refused = True, (), problem.message
    earlier = next((each for each in case.decisions if each.record.id < record.id and not each.stands), None)
    return Comparison(
        void=void,
        now=now,
        refused=refused,
        stops=case.blocks,
        before=plan_diff.between(earlier.record.plan, record.plan) if earlier else (),
        returned=earlier,
    )


def papers(session: Session, case: CaseView, decision: Decision) -> Mapping[str, Letter]:
    """The decision's letters: as written, else as they would be."""
    sides = {
        f"{decision.plan['journal']['key']}-{each['to']}": each["audience"]
        for each in decision.plan["letters"]
    }
    rows = session.execute(
        select(Notification.key, Notification.subject, Notification.text, Notification.html).where(
            Notification.key.in_(sides)
        )
    )
    if sent := {sides[row.key]: Letter(row.subject, row.text, row.html) for row in rows}:
        return sent
    try:
        return recorded_decision.present(session, case.context, case.record, decision).papers
    except DeskError:
        return {}

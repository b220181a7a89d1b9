"""Every decision and settlement proposal in the database, held against the entries of its steps
(`core.audit.recorded_steps`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import recorded_steps
from core.audit.content_hashes import Other
from core.audit.recorded_steps import Difference
from core.policy import Profile, SnapshotUnreadable

# Times as JSON has them. No function of the database is asked: whoever altered rows may have altered those too.
ENTRIES = """
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'at', e.at, 'action', e.action, 'actor_id', e.actor_id,
                                                 'reason', e.reason, 'after', e.after) order by e.id), '[]') as entries
    from audit_entries e where e.object_kind = '{noun}' and e.object_id = r.id::text
) as trail
"""
DECISIONS = f"""
select r.*, v.snapshot, trail.entries,
       exists (select from unhashed_content b where b.part = 'decision_steps' and b.row_id = r.id::text) as older
from decisions r join milestones m on m.id = r.milestone_id join projects p on p.id = m.project_id
join policy_versions v on v.id = p.policy_version_id {ENTRIES.format(noun="decision")}
where cast(:milestone_id as bigint) is null or r.milestone_id = :milestone_id order by r.id
"""
OLDER = "select count(*) from unhashed_content where part = 'decision_steps'"
SETTLEMENT_PROPOSALS = f"""
select r.*, trail.entries from settlement_proposals r join cases c on c.id = r.case_id {ENTRIES.format(noun="offer")}
where cast(:milestone_id as bigint) is null or c.milestone_id = :milestone_id order by r.id
"""


def older(session: Session) -> int:
    """How many decisions ended before every step left an entry, so that nothing proves their steps."""
    return int(session.execute(text(OLDER)).scalar_one())


def others(session: Session, milestone_id: int | None = None) -> Iterator[Other]:
    """What is not what its entry says; of one milestone, or of all."""
    for row in _rows(session, DECISIONS, milestone_id):
        found = list(_planned(row))
        try:
            cooling_off = Profile.from_snapshot(row["snapshot"]).cooling_off
        except SnapshotUnreadable:  # whoever altered it is named by the seal of its row
            yield _other(
                "decisions", row["id"], Difference("the policy of its project", None, None, None, "misfit")
            )
            continue
        if not row["older"]:
            found += recorded_steps.of_decision(row, row["entries"], cooling_off)
        yield from (_other("decisions", row["id"], each) for each in found)
    for row in _rows(session, SETTLEMENT_PROPOSALS, milestone_id):
        found = list(recorded_steps.of_settlement_proposal(row, row["entries"]))
        if row["plan"] is not None and recorded_steps.digest(row["plan"]) != row["plan_hash"]:
            found.append(PLAN_ALTERED)
        yield from (_other("offers", row["id"], each) for each in found)


PLAN_ALTERED = Difference("the plan", None, None, None, "misfit")


def _planned(row: Mapping[str, Any]) -> Iterator[Difference]:
    if recorded_steps.digest(row["plan"]) != row["plan_hash"]:
        yield PLAN_ALTERED
        return
    for what, found, wanted in recorded_steps.plan_of_decision(row, row["plan"]):
        if found != wanted:
            yield Difference(what, found, wanted, None, "misfit")


def _other(part: str, number: int, difference: Difference) -> Other:
    return Other(part, str(number), difference.how, difference.entry, difference.what)


def _rows(session: Session, statement: str, milestone_id: int | None) -> Iterator[Mapping[str, Any]]:
    found = session.execute(text(statement), {"milestone_id": milestone_id})
    return (dict(row) for row in found.mappings().yield_per(500))

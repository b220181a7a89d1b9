"""Outcomes of similar cases: same marketplace and reason. A comparison, not a rule."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.cases.settlement_proposals import RESOLUTION

LEAST = 5  # cases that a median is told of
ENDED = text(
    """
    select count(*) filter (where t.resolution = 'FULL_RELEASE') as released,
           count(*) filter (where t.resolution = 'PARTIAL_RELEASE') as divided,
           count(*) filter (where t.resolution = 'FULL_REFUND') as refunded,
           count(*) filter (where t.resolution = :agreed) as agreed,
           round(percentile_cont(0.5) within group (
               order by coalesce(d.release_minor, f.release_minor) * 10000.0
                   / (coalesce(d.release_minor + d.refund_minor, f.release_minor + f.refund_minor))
           ))::int as middle_bps
    from cases t
    join milestones m on m.id = t.milestone_id
    join projects p on p.id = m.project_id
    left join decisions d on d.case_id = t.id and d.status = 'EXECUTED'
    left join settlement_proposals f on f.case_id = t.id and f.status = 'ACCEPTED'
    where t.reason = :reason and p.platform = :platform and t.id <> :case
      and (d.id is not null or f.id is not null)
    """
)


@dataclass(frozen=True)
class Precedents:
    """Counts by outcome; `middle_bps`: the median part of what was held that went to the payee, in hundredths of a
    percent, halfway between the two in the middle where their number is even."""

    released: int
    divided: int
    refunded: int
    agreed: int
    middle_bps: int | None

    @property
    def total(self) -> int:
        return self.released + self.divided + self.refunded + self.agreed

    @property
    def median_bps(self) -> int | None:
        """None for so few cases that a median would be misleading."""
        return self.middle_bps if self.total >= LEAST else None


def like(session: Session, *, platform: str, reason: str, but: int) -> Precedents:
    """Decided or agreed cases with this marketplace and reason, without case `but`."""
    values = {"platform": platform, "reason": reason, "case": but, "agreed": RESOLUTION}
    return Precedents(*session.execute(ENDED, values).one())

"""What the database asks of everything that one person proposes and another carries out."""

from __future__ import annotations

from sqlalchemy import CheckConstraint

from core.db import one_of
from core.rules.proposals import ProposalKind, statuses_of


def two_people(kind: ProposalKind) -> tuple[CheckConstraint, ...]:
    """Of a table with `status`, `proposed_by`, `settled_by` and `settled_at`: its statuses, who settles it and when."""
    return (
        one_of("status", statuses_of(kind)),
        CheckConstraint(
            "(status = 'PROPOSED') = (settled_at is null) "
            "and (status in ('PROPOSED', 'RETURNED')) = (settled_by is null)",
            name="settled_by_someone",
        ),
        CheckConstraint("status not in ('DONE', 'REJECTED') or settled_by <> proposed_by", name="two_people"),
    )

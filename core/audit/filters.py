"""Which entries of the audit log are meant: by time, by whom, what, and about what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from core.audit.actions import AuditAction
from core.like_patterns import like
from core.rules.permissions import Role

# The logs that payment-escrow-rules, Records / Audit Requirements asks for: each is a set of
# actions, or of beginnings of them (with a colon at the end).
LOGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "payment_intents": (
        "Payment intents",
        (
            AuditAction.MILESTONE_FUND.by("party"),
            AuditAction.PAYMENT_RETRY.by("system"),
            AuditAction.PAYMENT_DECLINE.by("system"),
            AuditAction.PAYMENT_HOLD.by("system"),
            AuditAction.DUPLICATE_FIND.by("system"),
            AuditAction.DUPLICATE_FOLLOW.by("system"),
        ),
    ),
    "holds_and_releases": (
        "Holds and releases",
        (
            AuditAction.PAYMENT_HOLD.by("system"),
            AuditAction.PAYMENT_RELEASE.by("system"),
            AuditAction.PAYMENT_CONVERT.by("system"),
            AuditAction.HOLD_PLACE.by("staff"),
            AuditAction.HOLD_PLACE.by("party"),
            AuditAction.HOLD_PLACE.by("system"),
            AuditAction.HOLD_LIFT.by("staff"),
            AuditAction.HOLD_LIFT.by("party"),
            AuditAction.REVIEW_OPEN.by("system"),
            AuditAction.REVIEW_SETTLE.by("staff"),
            AuditAction.DECISION_EXECUTE.by("system"),
            AuditAction.PAYOUT_REQUEST.by("system"),
            AuditAction.PAYOUT_TRANSFER.by("system"),
            AuditAction.PAYOUT_FAIL.by("system"),
        ),
    ),
    "refund_decisions": (
        "Refund decisions",
        (
            AuditAction.DECISION_CONFIRM.by("mediator"),
            AuditAction.DECISION_APPROVE.by("staff"),
            AuditAction.DECISION_RETURN.by("staff"),
            AuditAction.DECISION_EXECUTE.by("system"),
            AuditAction.DECISION_VOID.by("system"),
            AuditAction.REFUND_SETTLE.by("system"),
            AuditAction.REFUND_FOLLOW.by("system"),
        ),
    ),
    # Whatever staff did, with the case and the report that it was about, and what they took out of the house.
    "administration": (
        "Administration, with cases and reports",
        (
            *("staff:", "mediator:", "finance:", "compliance:", "administrator:", "operator:"),
            *("audit:", "desk:", "ledger:"),
        ),
    ),
}

CONDITIONS: Mapping[str, str] = {
    "since": "at >= %(since)s",
    "until": "at < %(until)s",
    "actor_kind": "actor_kind = %(actor_kind)s",
    "actor_id": "actor_id = %(actor_id)s",
    "role": "role = any(%(role)s)",
    # Every character of an action sorts before the tilde, so this range is the prefix, and an index can serve it.
    "action": "action >= %(action)s and action < %(action)s || '~'",
    "log": "action = any(%(log)s)",
    "object_kind": "object_kind = %(object_kind)s",
    "object_id": "object_id = %(object_id)s",
    "project_id": "project_id = %(project_id)s",
    "milestone_id": "milestone_id = %(milestone_id)s",
    "ticket_id": "ticket_id = %(ticket_id)s",
    "report_id": "report_id = %(report_id)s",
    "reason": "reason ilike %(reason)s",
}
BEGINNINGS = "split_part(action, ':', 1) || ':' = any(%(log)s)"


@dataclass(frozen=True)
class AuditFilter:
    """What is not given does not matter. `since` is inclusive, `until` is not; `action` is a prefix, `log` one
    of `LOGS`, `reason` are words in it."""

    since: datetime | None = None
    until: datetime | None = None
    actor_kind: str | None = None
    actor_id: int | None = None
    role: str | None = None
    action: str | None = None
    log: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    project_id: int | None = None
    milestone_id: int | None = None
    ticket_id: int | None = None
    report_id: int | None = None
    reason: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> AuditFilter:
        """The other way round than `facts`."""
        times = {name: datetime.fromisoformat(facts[name]) for name in ("since", "until") if name in facts}
        return cls(**{**facts, **times})

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that `where` speaks of."""
        written = {"role": written_with(self.role)} if self.role else {}
        actions = {"log": list(LOGS[self.log][1])} if self.log else {}
        return self.given | written | actions | ({"reason": like(self.reason)} if self.reason else {})

    def where(self, *also: str) -> str:
        """The condition in SQL, for the `values` by name."""
        conditions = (BEGINNINGS if self._by_beginning(name) else CONDITIONS[name] for name in self.given)
        return " and ".join(["true", *conditions, *also])

    def _by_beginning(self, name: str) -> bool:
        """A log of whole actions is found by an index; one of beginnings is most of the log anyhow."""
        return name == "log" and LOGS[self.log or ""][1][0].endswith(":")

    def facts(self) -> dict[str, Any]:
        """The filter as a manifest states it."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in self.given.items()
        }


def written_with(role: str) -> list[str]:
    """Every way in which an entry may name the roles of someone who holds this one; an index finds those."""
    others = sorted({one.value for one in Role} - {role})
    sets = (chosen for size in range(len(others) + 1) for chosen in combinations(others, size))
    return [",".join(sorted((role, *chosen))) for chosen in sets]

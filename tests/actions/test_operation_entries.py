"""What happens to an outgoing operation without a step of its status is in the log too, or verification would take it
for something that was done past the desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core import audit
from core.actions.milestones import verification
from core.actions.operations import operation_states
from core.db import Database
from core.processes.outgoing import dispatch
from core.records import OutgoingOperation
from core.rules.operations import OperationStatus
from tests.sandbox_desk import Market


@pytest.fixture
def approved(market: Market) -> OutgoingOperation:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    (transfer,) = market.operations("TRANSFER")
    return transfer


ENTRIES = text(
    "select action from audit_entries where object_kind = 'operation' and object_id = :id order by audit_entries.id"
)


def entries(market: Market, operation: OutgoingOperation) -> list[str]:
    found = market.read(lambda session: session.scalars(ENTRIES, {"id": str(operation.id)}).all())
    return [str(each) for each in found]


def assert_verified(market: Market, auditor: Database, home: Path) -> None:
    signer = audit.desk_signer(market.database, home, now=market.now)
    audit.seal(market.database, signer, home / "checkpoints", now=market.now)
    report = audit.verify(auditor, home / "checkpoints")
    assert report.ok, report.text


def test_a_call_that_is_taken_over_from_a_dead_worker_has_its_entry(
    market: Market, approved: OutgoingOperation, auditor: Database, tmp_path: Path
) -> None:
    market.database.run(lambda session: dispatch._claim(session, approved.id, now=market.now))
    before = entries(market, approved)
    market.wait(minutes=2)
    market.database.run(lambda session: dispatch._claim(session, approved.id, now=market.now))
    assert market.get(OutgoingOperation, approved.id).tries == 2
    assert entries(market, approved) == [*before, "system:operation:sending"]
    assert_verified(market, auditor, tmp_path)


def test_another_reason_to_wait_has_its_entry_and_the_same_reason_none(
    market: Market, approved: OutgoingOperation, auditor: Database, tmp_path: Path
) -> None:
    def blocked(reason: str) -> None:
        market.wait(minutes=5)
        market.database.run(
            lambda session: operation_states.later(
                session.get_one(OutgoingOperation, approved.id),
                at=market.now + timedelta(minutes=5),
                reason=reason,
                now=market.now,
                status=OperationStatus.BLOCKED,
            )
        )

    for reason in ("A hold.", "A hold.", "A chargeback."):
        blocked(reason)
    assert entries(market, approved).count("system:operation:blocked") == 2
    assert_verified(market, auditor, tmp_path)

"""Outgoing operations: what will be asked of the payment provider, written in the transaction that decides it.

No call happens here. After the commit the worker claims the row, sends it with the idempotency key `{key}:{attempt}`
and books the answer. System outages therefore only delay a call: it is queued with guaranteed execution
(milestone-payment-flow, Error Handling 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import jobs
from core.errors import DeskError
from core.money import Money
from core.records import OutgoingOperation
from core.rules.operations import OperationKind, OperationStatus

# Compiled once for any number of rows, which are one statement.
INSERT = insert(OutgoingOperation).on_conflict_do_nothing(index_elements=["key"]).returning(OutgoingOperation)


class Planned(Protocol):
    """A call as `core.actions.decisions.planned_calls` computes it."""

    @property
    def kind(self) -> OperationKind: ...
    @property
    def key(self) -> str: ...
    @property
    def party_id(self) -> int | None: ...
    @property
    def amount(self) -> Money: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Queued:
    """A call that no plan computed."""

    kind: OperationKind
    key: str
    party_id: int | None
    amount: Money
    payload: Mapping[str, Any]


class OperationKeyReused(DeskError):
    """Operation {key} was already written with other contents. Nothing was sent.

    A key stands for one movement of money for ever: the same key with the same contents is the same operation, with
    other contents it is a mistake.
    """


def enqueue(
    session: Session,
    *,
    key: str,
    kind: OperationKind,
    milestone_id: int,
    party_id: int | None,
    amount: Money,
    payload: dict[str, Any],
    now: datetime,
) -> OutgoingOperation:
    """Write the operation and the job that sends it. The same key and contents again give the same row, sent once.

    `kind` is one of those that `core.processes.outgoing.kinds` knows; `payload` is JSON: what the call needs besides
    the amount.
    """
    call = Queued(kind, key, party_id, amount, payload)
    return queue(session, [call], milestone_id=milestone_id, now=now)[key]


def queue(
    session: Session, calls: Iterable[Planned], *, milestone_id: int, now: datetime
) -> dict[str, OutgoingOperation]:
    """Write the operations that were planned, as they were planned, in one statement; each by its key."""
    contents = {
        call.key: {
            "kind": call.kind,
            "milestone_id": milestone_id,
            "party_id": call.party_id,
            "amount_minor": call.amount.minor,
            "currency": call.amount.currency,
            "payload": dict(call.payload),
        }
        for call in calls
    }
    if not contents:
        return {}
    fresh = {
        "status": OperationStatus.QUEUED,
        "attempt": 1,
        "tries": 0,
        "next_try_at": now,
        "created_at": now,
    }
    rows = [{"key": key, **fresh, **each} for key, each in contents.items()]
    written = {operation.key: operation for operation in session.scalars(INSERT, rows)}
    for operation in written.values():
        jobs.defer(session, jobs.DISPATCH, operation_id=operation.id)
    return {key: written.get(key) or _written_before(session, key, each) for key, each in contents.items()}


def wake(session: Session, milestone_id: int, *, now: datetime) -> None:
    """What was blocked for this milestone is looked at again at once."""
    _wake(session, OutgoingOperation.milestone_id == milestone_id, now=now)


def wake_transfers(session: Session, currency: str, *, now: datetime) -> None:
    """What was blocked of the money on its way to payees in this currency is looked at again at once."""
    _wake(
        session,
        OutgoingOperation.kind == OperationKind.TRANSFER,
        OutgoingOperation.currency == currency,
        now=now,
    )


def wake_party(session: Session, party_id: int, *, now: datetime) -> None:
    """What was blocked of the money on its way to this payee is looked at again at once."""
    _wake(
        session,
        OutgoingOperation.kind.in_((OperationKind.TRANSFER, OperationKind.PAYOUT)),
        OutgoingOperation.party_id == party_id,
        now=now,
    )


def wake_all(session: Session, *, now: datetime) -> None:
    """Whatever was blocked is looked at again at once."""
    _wake(session, now=now)


def _wake(session: Session, *those: ColumnElement[bool], now: datetime) -> None:
    blocked = select(OutgoingOperation).where(OutgoingOperation.status == OperationStatus.BLOCKED, *those)
    for operation in session.scalars(blocked.order_by(OutgoingOperation.id).with_for_update()):
        operation.next_try_at = now
        jobs.defer(session, jobs.DISPATCH, operation_id=operation.id)


def _written_before(session: Session, key: str, contents: dict[str, Any]) -> OutgoingOperation:
    operation = session.scalars(select(OutgoingOperation).where(OutgoingOperation.key == key)).one()
    if any(getattr(operation, name) != value for name, value in contents.items()):
        raise OperationKeyReused(key=key)
    return operation

"""Faults of our own: one mistake at a time is put into the desk, and the seeds must find it.

A mutant is what somebody might write who has not read `docs/decisions/0004`: it works on a good day. Which law finds
it, and after how many seeds, stands in `docs/reliability.md`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from sqlalchemy import Select, text
from sqlalchemy.orm import Session

from core.actions.milestones import milestone_context
from core.actions.operations import operation_states
from core.audit import statuses
from core.db import Database
from core.gateways.payments import ProviderRefused
from core.gateways.snapshots import ChargeSnapshot
from core.processes import leases, webhook_processing
from core.processes.outgoing import claim, dispatch, failures, kinds, lookups
from core.rules import fees
from core.rules import statuses as steps

Mutated = Callable[[], Any]


def _patched(where: Any, name: str, other: Callable[[Any], Any]) -> Mutated:
    """`other` is given what stood there, and gives what stands there instead."""
    return lambda: patch.object(where, name, other(getattr(where, name)))


def _altered(*statements: str) -> Mutated:
    """The desk's database, without one of its laws."""

    @contextmanager
    def without() -> Iterator[tuple[str, ...]]:
        yield statements

    return without


def _all(*mutants: Mutated) -> Mutated:
    """Several as one mistake."""

    @contextmanager
    def together() -> Iterator[None]:
        with ExitStack() as stack:
            for mutant in mutants:
                stack.enter_context(mutant())
            yield

    return together


def _unlocked(_: Any) -> Any:
    return lambda self, **how: self


def _instead(statement: Any) -> Any:
    """In the place of a statement that is made once, with its locks."""
    return lambda _: statement.execution_options(populate_existing=True)


def _get_unlocked(get: Any) -> Any:
    def unlocked(self: Session, *what: Any, with_for_update: Any = None, **how: Any) -> Any:
        return get(self, *what, **how)

    return unlocked


def _call_before_commit(_: Any) -> Any:
    def send(desk: Any, operation_id: int) -> None:
        def all_at_once(session: Session) -> None:
            claimed = dispatch._claim(session, operation_id, now=desk.clock())
            if claimed is not None:
                snapshot = dispatch._call(desk, claimed, now=desk.clock())
                dispatch.settle(session, claimed.id, snapshot=snapshot, now=desk.clock())

        desk.database.run(all_at_once)

    return send


def _believed(fetch: Any) -> Any:
    """An event that says "succeeded" is believed, whatever the object says."""

    def believing(payments: Any, about: Any) -> Any:
        snapshot = fetch(payments, about)
        return replace(snapshot, status="succeeded") if isinstance(snapshot, ChargeSnapshot) else snapshot

    return believing


def _unknown_is_refused(_: Any) -> Any:
    def refused(session: Session, operation_id: int, *, unknown: Any, now: Any) -> None:
        no = ProviderRefused(reason="no answer", provider_code="no_answer")
        failures.refused(session, operation_id, refusal=no, now=now)

    return refused


def _unknown_is_new(_: Any) -> Any:
    def again(session: Session, operation_id: int, *, unknown: Any, now: Any) -> None:
        operation = operation_states.locked(session, operation_id)
        operation_states.again_as_new(operation, at=now + timedelta(minutes=1), reason="no answer", now=now)

    return again


def _kinds_without(part: str, other: Any) -> Mutated:
    return lambda: patch.dict(
        kinds.KINDS, {name: replace(each, **{part: other}) for name, each in kinds.KINDS.items()}
    )


def _a_minor_more(fee: Any) -> Any:
    def more(*what: Any) -> Any:
        found = fee(*what)
        return replace(found, minor=found.minor + 1)

    return more


def _silent(record: Any) -> Any:
    return lambda *what, **how: None if "operation" in str(how.get("object_kind")) else record(*what, **how)


MUTANTS: Mapping[str, Mutated] = {
    "a new idempotency key for each try": _patched(
        claim, "idempotency_key", lambda key: lambda *what: f"{key(*what)}:{secrets.token_hex(4)}"
    ),
    "no look-up before sending again": _patched(lookups, "found", lambda _: lambda payments, of: None),
    "sent inside the transaction that books it": _patched(dispatch, "_send", _call_before_commit),
    "no answer taken for a refusal": _patched(failures, "try_again", _unknown_is_refused),
    "no answer taken for a reason to begin anew": _patched(failures, "try_again", _unknown_is_new),
    "a webhook believed and not fetched": _patched(webhook_processing, "_fetch", _believed),
    "nobody takes over from a dead worker": _patched(dispatch, "STALE_AFTER", lambda _: timedelta(days=3650)),
    "a dead worker's call taken over without an entry": _patched(
        operation_states,
        "_become",
        lambda become: lambda operation, status, now, **_: become(operation, status, now),
    ),
    "no lock on what is read to be changed": _all(
        _patched(Select, "with_for_update", _unlocked),
        _patched(milestone_context, "LOCKED_MILESTONE", _instead(milestone_context.OF_MILESTONE)),
        _patched(milestone_context, "LOCKED_CASE", _instead(milestone_context.OF_CASE)),
    ),
    "no lock on what is fetched to be changed": _patched(Session, "get", _get_unlocked),
    "no hold looked for before money leaves": _kinds_without("blocks", lambda *_: ()),
    "any step of a status allowed": _patched(steps, "check", lambda _: lambda relation, before, after: after),
    "a fee one minor unit too high": _patched(fees, "portion", _a_minor_more),
    "no entry for an operation": _patched(statuses, "record", _silent),
    "events of Stripe never applied": _patched(webhook_processing, "_book", lambda _: lambda *_, **__: None),
    "whatever one row raises ends the round": _patched(
        leases, "passed_over", lambda _: lambda problem, key: (_ for _ in ()).throw(problem)
    ),
    "journals without their unique key": _altered("alter table journals drop constraint journals_key_key"),
    "balances that follow no posting": _altered("alter table postings disable trigger user"),
    "no entry asked for a step": _altered("alter table outgoing_operations disable trigger user"),
}


@contextmanager
def mutated(name: str, owner: Database) -> Iterator[None]:
    """The desk with this mistake, and the database of `owner` with it."""
    with MUTANTS[name]() as statements:
        if isinstance(statements, tuple):
            with owner.transaction() as session:
                for each in statements:
                    session.execute(text(each))
        yield

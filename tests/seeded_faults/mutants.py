"""Faults of our own: one mistake at a time is put into the desk, and the seeds must find it.

A mutant is what somebody might write who has not read `docs/decisions/0004`: it works on a good day. Which law finds
it, and after how many seeds, stands in `docs/reliability.md`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from sqlalchemy import Select, text
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import webhooks
from core.actions.funding import balance_transactions
from core.actions.milestones import milestone_context, orders
from core.actions.operations import operation_states
from core.audit import sealing, statuses
from core.audit.seal_reading import seals_after
from core.db import Database, is_away
from core.gateways import stripe_reads
from core.gateways.payments import ProviderRefused
from core.gateways.snapshots import ChargeSnapshot, PayoutSnapshot, RefundSnapshot
from core.processes import leases, webhook_processing
from core.processes.outgoing import claim, dispatch, failures, kinds, lookups
from core.rules import chargebacks, fees, splits
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
    def together() -> Iterator[tuple[str, ...]]:
        with ExitStack() as stack:
            parts = [stack.enter_context(mutant()) for mutant in mutants]
            yield tuple(each for part in parts if isinstance(part, tuple) for each in part)

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


BELIEVED = {ChargeSnapshot: "succeeded", RefundSnapshot: "succeeded", PayoutSnapshot: "paid"}


def _believed(fetch: Any) -> Any:
    """Whatever there is news of has gone well."""

    def believing(payments: Any, about: Any) -> Any:
        snapshot = fetch(payments, about)
        told = BELIEVED.get(type(snapshot))
        return replace(snapshot, status=told) if told else snapshot

    return believing


class _PlainInsert(Insert):
    """Into a table where it may be already, though nobody thought of that."""

    inherit_cache = True

    def on_conflict_do_nothing(self, *_: Any, **__: Any) -> Any:
        return self


def _careless_commit(_: Any) -> Any:
    """A commit whose connection was lost is taken for one that was done."""

    @contextmanager
    def transaction(self: Database) -> Iterator[Session]:
        with self._sessions(info=dict(self.info)) as session:
            session.begin()
            yield session
            with suppress(DBAPIError):
                session.commit()

    return transaction


def _done_again(run: Any) -> Any:
    """A commit whose answer was lost is taken for one that was not done."""

    def again(self: Database, action: Any) -> Any:
        try:
            return run(self, action)
        except DBAPIError as problem:
            if not is_away(problem):
                raise
            return run(self, action)

    return again


def _sealed_is_signed(_: Any) -> Any:
    """The last seal in the database is taken for the last checkpoint."""

    def last(session: Session, *_: Any, **__: Any) -> Any:
        found = list(seals_after(session, 0))
        return found[-1] if found else None

    return last


def _both_rounded_up(partial: Any) -> Any:
    def split(held: Any, *what: Any) -> Any:
        found = partial(held, *what)
        return replace(found, refund=replace(found.refund, minor=found.refund.minor + 1))

    return split


def _nothing_in_flight(states: Any) -> Any:
    def derive(amounts: Any, *, in_flight: bool, **flags: Any) -> Any:
        return states.derive(amounts, in_flight=False, **flags)

    return SimpleNamespace(**{**vars(states), "derive": derive})


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


def _raised(problem: Exception, key: object) -> None:
    raise problem


def _silent(record: Any) -> Any:
    return lambda *what, **how: None if "operation" in str(how.get("object_kind")) else record(*what, **how)


MUTANTS: Mapping[str, Mutated] = {
    "a new idempotency key for each try": _patched(
        claim, "idempotency_key", lambda key: lambda *what: f"{key(*what)}:{secrets.token_hex(4)}"
    ),
    "no look-up before sending again": _patched(lookups, "found", lambda _: lambda payments, of: None),
    "looked up without our own number": _patched(
        stripe_reads, "match", lambda _: lambda op, found: found[0] if found else None
    ),
    "sent inside the transaction that books it": _patched(dispatch, "_send", _call_before_commit),
    "no answer taken for a refusal": _patched(failures, "try_again", _unknown_is_refused),
    "no answer taken for a reason to begin anew": _patched(failures, "try_again", _unknown_is_new),
    "a webhook believed and not fetched": _patched(webhook_processing, "_fetch", _believed),
    "an event that comes again taken for a new one": _patched(webhooks, "insert", lambda _: _PlainInsert),
    "events of Stripe never applied": _patched(webhook_processing, "_book", lambda _: lambda *_, **__: None),
    "what one row raises ends the round": _all(
        _patched(leases, "alone", lambda _: lambda desk, key, work, *, failed: work(desk, key)),
        _patched(leases, "passed_over", lambda _: _raised),
    ),
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
    "a chargeback that freezes nothing": _patched(chargebacks, "freezes", lambda _: lambda *_: False),
    "a state that does not see what is in flight": _patched(orders, "payment_states", _nothing_in_flight),
    "any step of a status allowed": _patched(steps, "check", lambda _: lambda relation, before, after: after),
    "a fee one minor unit too high": _patched(fees, "portion", _a_minor_more),
    "both parts of a split rounded up": _patched(splits, "partial", _both_rounded_up),
    "a line of Stripe's booked as often as it is heard of": _patched(
        balance_transactions, "is_booked", lambda _: lambda *_: False
    ),
    "a commit without an answer taken for done": _patched(Database, "transaction", _careless_commit),
    "a commit without an answer taken for not done": _patched(Database, "run", _done_again),
    "the last seal taken for the last checkpoint": _patched(sealing, "_witnessed", _sealed_is_signed),
    "no entry for an operation, and none asked for": _all(
        _patched(statuses, "record", _silent),
        _altered("alter table outgoing_operations disable trigger user"),
    ),
    "journals without their unique key": _altered("alter table journals drop constraint journals_key_key"),
    "balances that follow no posting": _altered(
        "create function unmoved() returns trigger language plpgsql as 'begin return null; end'",
        "create trigger a_first before update on balances for each row execute function unmoved()",
    ),
}


@contextmanager
def mutated(name: str, owner: Database) -> Iterator[None]:
    """The desk with this mistake, and the database of `owner` with it."""
    with MUTANTS[name]() as statements:
        if isinstance(statements, tuple):  # of the database
            with owner.transaction() as session:
                for each in statements:
                    session.execute(text(each))
        yield

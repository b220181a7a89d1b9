"""After a restore nothing goes to Stripe before it is known what happened there since, and nothing goes twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import verification
from core.actions.platform import restores
from core.db import Database
from core.processes import reconciliation
from core.processes.outgoing import dispatch
from core.queries import health
from core.queries import restores as queries
from core.records import OutgoingOperation, PaymentOrder, Restore
from core.rules import text_fields
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import SYSTEM, NotPermitted, Permission, StepUpRequired
from tests.sandbox_desk import Market


def restored(market: Market, owner: Database, *, hours: float = 1) -> None:
    """What `escrow-desk restore` writes."""
    with owner.transaction() as session:
        session.add(
            Restore(
                source="20260302T083000Z",
                taken_at=market.now - timedelta(hours=hours),
                restored_at=market.now,
                restored_by="root on desk-1",
            )
        )


def transfer(market: Market) -> OutgoingOperation:
    return market.operations(OperationKind.TRANSFER)[-1]


def approved(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)


def test_nothing_is_sent_and_a_person_releases_it(market: Market, owner: Database) -> None:
    approved(market)
    restored(market, owner)
    market.work()
    waiting = transfer(market)
    assert (waiting.status, waiting.first_sent_at) == (OperationStatus.BLOCKED, None)
    assert waiting.last_error == dispatch.PAUSED_WORDS
    assert market.at_stripe("/v1/transfers") == []
    states = market.read(lambda s: health.states(s, market.desk.settings.home, now=market.now))
    [part] = [each for each in states if each.part == "Stripe requests"]
    assert not part.ok
    assert part.words.startswith("paused: this database was restored at ")
    with pytest.raises(NotPermitted):
        market.act(restores.release, market.as_staff("mia"), reason="looked")
    earlier = replace(market.as_staff("fay"), authenticated_at=market.now - timedelta(days=1))
    with pytest.raises(StepUpRequired):
        market.act(restores.release, earlier, reason="looked")
    market.act(restores.release, market.as_staff("fay"), reason="looked at every line")
    market.work()
    assert transfer(market).status == OperationStatus.SUCCEEDED
    assert len(market.at_stripe("/v1/transfers")) == 1
    with pytest.raises(restores.NotPaused):
        market.act(restores.release, market.as_staff("fay"), reason="again")
    market.lawful()


def test_the_reason_may_be_kept_while_it_is_written() -> None:
    assert text_fields.permission("restore.0.release") in Permission


def test_the_database_refuses_to_send_meanwhile(market: Market, owner: Database) -> None:
    approved(market)
    restored(market, owner)
    number = transfer(market).id
    statement = "update outgoing_operations set status = 'SENDING', sending_since = now() where id = :number"
    with pytest.raises(DBAPIError, match="requests to Stripe are paused"), owner.transaction() as session:
        session.execute(text(statement), {"number": number})


def test_the_application_can_neither_restore_nor_release_without_an_entry(
    market: Market, owner: Database
) -> None:
    restored(market, owner)
    for statement in (
        "insert into restores (source, taken_at, restored_at, restored_by) values ('x', now(), now(), 'x')",
        "delete from restores",
        "update restores set restored_at = now()",
        "update restores set released_at = now(), reason = 'mine'",
    ):
        with pytest.raises(DBAPIError), market.database.transaction() as session:
            session.execute(text(statement))


def test_a_reconciliation_that_knows_every_line_lets_it_go_on(market: Market, owner: Database) -> None:
    approved(market)
    restored(market, owner)
    market.wait(minutes=1)
    market.control.set_clock(market.now)
    run = reconciliation.run(market.desk, SYSTEM)
    [row] = market.all(Restore)
    assert (row.run_id, row.reason) == (run, None)
    market.work()
    assert transfer(market).status == OperationStatus.SUCCEEDED


def test_a_line_that_nobody_knows_keeps_it_paused(market: Market, owner: Database) -> None:
    approved(market)
    restored(market, owner)
    market.wait(minutes=1)
    market.control.set_clock(market.now)
    [payment] = [
        each.stripe_payment_intent
        for each in market.read(lambda session: session.scalars(select(PaymentOrder)).all())
        if each.stripe_payment_intent
    ]
    reply = market.control.session.post(
        f"{market.sandbox.url}/v1/refunds",
        data={"payment_intent": payment, "amount": "100", "metadata[op]": "test.refund.999"},
    )
    reply.raise_for_status()
    reconciliation.run(market.desk, SYSTEM)
    pause = market.read(queries.pause)
    assert pause is not None
    assert pause.unknown == 1
    market.work()
    assert transfer(market).status == OperationStatus.BLOCKED


def test_what_was_sent_before_the_loss_is_found_and_not_sent_again(market: Market, owner: Database) -> None:
    """A decision that is made again after the loss has the key of the one before, and Stripe has forgotten it."""
    approved(market)
    operation = transfer(market)
    market.control.set_clock(market.now)
    with market.database.rehearsal() as session:
        found = dispatch._claim(session, operation.id, now=market.now)
    assert found is not None
    assert not found.sent_before
    sent = dispatch._call(market.desk, found, now=market.now)
    restored(market, owner)
    market.act(restores.release, market.as_staff("fay"), reason="looked at every line")
    market.control.set_clock(market.now + timedelta(days=2))
    assert dispatch.sweep(market.desk)
    assert transfer(market).provider_id == sent.id
    assert len(market.at_stripe("/v1/transfers")) == 1
    market.lawful()

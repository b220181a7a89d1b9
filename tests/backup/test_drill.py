"""Everything is lost, and the desk is made again: nothing is carried out twice, and the record proves itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core import audit
from core.actions.milestones import verification
from core.actions.risk import holds
from core.backup import making, restoring
from core.embedded_postgres import EmbeddedPostgres
from core.money import Money
from core.processes import reconciliation
from core.queries import restores as queries
from core.records import Hold, Restore
from core.rules.operations import OperationKind, OperationStatus
from core.rules.permissions import SYSTEM, Actor
from tests.backup.conftest import moved
from tests.builders import a_draft, decided
from tests.sandbox_desk import Market

pytestmark = pytest.mark.slow

OPERATOR = Actor("operator", None, via="root on desk-1")
PASSPHRASE = "a battery of horses"


def sealed(market: Market) -> None:
    home = market.desk.settings.home
    signer = audit.desk_signer(market.database, home, now=market.now)
    audit.seal(market.database, signer, home / "checkpoints", now=market.now)


def refund_paid(market: Market) -> int:
    return sum(each["amount"] for each in market.at_stripe("/v1/refunds"))


def test_a_desk_that_was_lost_is_made_again_and_pays_nothing_twice(
    market: Market, home: Path, tmp_path: Path
) -> None:
    market.pay_in(500_000)
    approved, disputed = market.submitted(), market.in_mediation()
    market.act(verification.approve, market.payer, milestone_id=approved.milestone)
    plain = market.desk.evidence.put(market.payer_id, b"a photograph")
    sealed(market)
    made = making.back_up(
        market.desk,
        OPERATOR,
        tmp_path / "backups",
        now=market.now,
        keys_to=tmp_path / "keys",
        passphrase=PASSPHRASE,
    )
    assert made.evidence == 1

    market.wait(hours=1)
    market.work()  # the payout of the one is sent, unknown to the backup
    draft = a_draft(disputed, release=Money(40_000, "USD"))
    decided(market, disputed, draft)
    market.later(days=3)
    sealed(market)
    refunded, transfers = refund_paid(market), len(market.at_stripe("/v1/transfers"))
    assert (refunded, transfers) == (61_500, 2)
    shutil.rmtree(home)

    other = EmbeddedPostgres(tmp_path / "cluster")
    try:
        urls, new_home = other.start().urls(), tmp_path / "new"
        back = moved(market, urls, new_home)
        done = restoring.restore(
            back.desk.settings,
            OPERATOR,
            made.folder,
            now=market.now,
            keys=tmp_path / "keys",
            passphrase=PASSPHRASE,
        )
        assert (done.last_seal, done.erased, done.pending) == (made.manifest["last_seal"] + 1, [], [])
        assert back.desk.evidence.get(back.payer_id, plain) == b"a photograph"
        sealed(back)
        assert audit.verify(back.desk.auditor, new_home / "checkpoints").ok

        back.work()
        assert {each.status for each in back.operations(OperationKind.TRANSFER)} == {OperationStatus.BLOCKED}
        reconciliation.run(back.desk, SYSTEM)
        [one] = back.operations(OperationKind.TRANSFER)
        assert one.status == OperationStatus.SUCCEEDED, "what was queued then is adopted from the statement"
        pause = back.read(queries.pause)
        assert pause is not None
        assert pause.unknown == 2, "the transfer and the refund of the decision that was lost"

        [hold] = back.all(Hold)  # a refund of which the desk knows nothing stops the milestone
        back.act(
            holds.lift, back.as_staff("cora"), hold_id=hold.id, reason="It is the decision of Monday, lost."
        )
        decided(back, disputed, draft)
        back.later(days=3)
        reconciliation.run(back.desk, SYSTEM)
        assert back.read(queries.pause) is None
        [row] = back.all(Restore)
        assert row.run_id is not None
        back.later(days=3)
        assert (refund_paid(back), len(back.at_stripe("/v1/transfers"))) == (refunded, transfers)
        sent = [
            each["metadata"]["op"] for each in back.at_stripe("/v1/transfers") + back.at_stripe("/v1/refunds")
        ]
        assert len(sent) == len(set(sent))
        back.lawful()
        sealed(back)
        report = audit.verify(back.desk.auditor, new_home / "checkpoints")
        assert report.ok, report.text
        back.database.dispose()
        back.desk.auditor.dispose()
    finally:
        other.erase()

"""The disk under PostgreSQL's tables is full: whoever acts is told in a sentence, and afterwards everything goes on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from core.actions.milestones import verification
from core.db import Database, is_away
from core.embedded_postgres import Server
from core.gateways.stripe_sandbox import StripeSandbox
from tests.api.api_client import an_api_client, code
from tests.database import fresh_copy, query
from tests.faults.small_disk import Disk, a_disk
from tests.sandbox_desk import Market, a_market

SIZE = "160m"  # a desk's tables and some room


@pytest.fixture
def disk(server: Server) -> Iterator[Disk]:
    """A small one that PostgreSQL's account can reach."""
    above = Path(tempfile.mkdtemp(prefix="escrow-desk-small-"))
    above.chmod(0o711)
    try:
        with a_disk(above / "disk", size=SIZE) as disk:
            if not disk.mounted:
                pytest.skip("needs an account that may mount a file system")
            tables = disk.folder / "tables"
            tables.mkdir()
            account = server.place.data.stat()
            for each in (disk.folder, tables):
                os.chown(each, account.st_uid, account.st_gid)
            query(server, f"CREATE TABLESPACE small LOCATION '{tables}'")
            yield disk
            query(server, "DROP TABLESPACE small")
    finally:
        shutil.rmtree(above, ignore_errors=True)


@pytest.fixture
def market(
    server: Server, template: str, disk: Disk, running_sandbox: StripeSandbox, tmp_path: Path
) -> Iterator[Market]:
    with fresh_copy(server, template) as urls:
        database = Database(urls.app_url)
        name = database.url.database
        query(server, f"ALTER DATABASE {name} SET TABLESPACE small")
        try:
            yield a_market(database, running_sandbox, tmp_path)
        finally:
            database.dispose()
            query(server, f"DROP DATABASE {name} WITH (FORCE)")


def as_long_as_there_is_room(market: Market) -> None:
    """What there is in the tables' own files is used up first."""
    for _ in range(500):
        market.agreed()


def test_a_full_disk_refuses_in_a_sentence_and_afterwards_everything_goes_on(
    market: Market, disk: Disk
) -> None:
    told, home = market.submitted(), an_api_client(market)
    bid = {
        "bid_reference": "in a full house",
        "payer": home.payer,
        "payee": home.payee,
        "title": "New kitchen",
        "scope": "As drawn. " * 300,
        "project_type": "KITCHEN",
        "fee_mode": "STAGED",
        "total": {"minor": 100_000, "currency": "USD"},
    }
    with disk.full():
        with pytest.raises(OperationalError) as refused:
            as_long_as_there_is_room(market)
        assert isinstance(refused.value.orig, psycopg.errors.DiskFull)
        assert is_away(refused.value), "a worker ends its round and waits, and no row is to blame"
        answers = [home.post("/bids", {**bid, "bid_reference": f"full-{number}"}) for number in range(40)]
        assert (answers[-1].status_code, code(answers[-1])) == (503, "unavailable"), answers[-1].text
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.later(days=3)
    assert market.status(told) == "COMPLETED"
    assert home.post("/bids", {**bid, "bid_reference": "afterwards"}).status_code == 201
    market.lawful()

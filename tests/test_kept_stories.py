"""A story that is put there is the one that was lived, and it is lived where it could be another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core import audit
from core.embedded_postgres import Server
from core.gateways.stripe_sandbox import StripeSandbox
from core.ledger.invariants import check
from core.queries import invariants
from core.rules import RULES
from tests import builders, kept_stories
from tests.builders import Town
from tests.db_snapshot import everything
from tests.kept_stories import Stage
from tests.reused_database import Copy, ReusedDatabase
from tests.rule_coverage import code_of
from tests.sandbox_desk import Market, a_market, a_sandbox

lived: list[str] = []


@kept_stories.once
def story(town: Town, name: str = "kitchen") -> builders.Told:
    lived.append(name)
    return builders.in_mediation(town, title=name)


@pytest.fixture
def reused(server: Server, town_template: str) -> Iterator[ReusedDatabase]:
    kept_stories.kept.clear()
    kept_stories.times.clear()
    lived.clear()
    reused = ReusedDatabase(server, town_template)
    yield reused
    reused.close()
    kept_stories.stages.clear()
    kept_stories.kept.clear()
    kept_stories.times.clear()


def opened(copy: Copy, *, proves: str = "") -> Town:
    rules = frozenset(code_of(rule) for rule in RULES if rule.name == proves)
    kept_stories.stages[copy.urls.database] = Stage(copy, rules)
    return builders.a_town(copy.open(copy.urls.app_url))


def told(reused: ReusedDatabase, times: int, *, proves: str = "") -> None:
    for _ in range(times):
        with reused.lent() as copy:
            story(opened(copy, proves=proves))


def test_what_is_put_there_is_what_was_lived(reused: ReusedDatabase, tmp_path: Path) -> None:
    found = []
    for _ in range(4):
        with reused.lent() as copy:
            town = opened(copy)
            where = story(town)
            found.append((where, town.now, everything(copy.open(copy.urls.owner_url))))
            assert town.read(check) == []
            assert [each.name for each in town.read(invariants.run) if not each.holds] == []
            assert copy.unrecorded() == []
            builders.decided(town, where)
            builders.carry_out(town)
            assert [each.name for each in town.read(invariants.run) if not each.holds] == []
            assert sealed_and_verified(town, copy, tmp_path)
    assert len(lived) == 2
    assert found[1] == found[2] == found[3]
    assert found[0][:2] == found[1][:2]


def sealed_and_verified(town: Town, copy: Copy, home: Path) -> bool:
    signer = audit.desk_signer(town.database, home, now=town.now)
    folder = home / f"checkpoints {len(list(home.iterdir()))}"
    audit.seal(town.database, signer, folder, now=town.now)
    return audit.verify(copy.open(copy.urls.auditor_url), folder).ok


def test_it_is_lived_again_after_anything_was_written_at_another_time_and_where_it_is_told_otherwise(
    reused: ReusedDatabase,
) -> None:
    told(reused, 3)
    assert len(lived) == 2
    with reused.lent() as copy:
        town = opened(copy)
        builders.second_administrator(town)
        story(town)
    assert len(lived) == 3
    with reused.lent() as copy:
        town = opened(copy)
        town.now += timedelta(minutes=1)
        story(town)
    assert len(lived) == 4
    with reused.lent() as copy:
        town = opened(copy)
        story(town, "garden")
    assert lived[4:] == ["garden"]


def test_a_test_that_proves_a_rule_lives_what_calls_it(reused: ReusedDatabase) -> None:
    told(reused, 3)
    assert len(lived) == 2
    told(reused, 1, proves="Several milestones at once, where the project says so")
    assert len(lived) == 2
    told(reused, 1, proves="Platform fee 2.5 %, paid by the payer")
    assert len(lived) == 3


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSandbox]:
    with a_sandbox(tmp_path_factory.mktemp("stripe")) as running:
        yield running


def test_what_was_done_at_stripe_is_there_too(
    reused: ReusedDatabase, sandbox: StripeSandbox, tmp_path: Path
) -> None:
    """One story after another; the fourth goes on where the first has gone on."""
    found = []
    for _ in range(4):
        with reused.lent() as copy:
            opened(copy)
            market = a_market(copy.open(copy.urls.app_url), sandbox, tmp_path)
            where = market.in_mediation()
            found.append((where, market.now, at_stripe(market)))
            builders.decided(market, where)
            market.later(days=30)
            found[-1] += (at_stripe(market), market.books())
            market.lawful()
    assert found[0] == found[1] == found[2] == found[3]
    assert len(kept_stories.kept) >= 2


def at_stripe(market: Market) -> list[object]:
    intents = market.at_stripe("/v1/payment_intents")
    return [
        [(each["id"], each["status"], each["amount"]) for each in intents],
        market.operations() and [(each.kind, each.status, each.provider_id) for each in market.operations()],
        [call["path"] for call in market.sent("/v1/payment_intents")],
    ]


def test_a_fault_that_is_ordered_is_met(
    reused: ReusedDatabase, sandbox: StripeSandbox, tmp_path: Path
) -> None:
    for faulty in (False, False, False, True):
        with reused.lent() as copy:
            opened(copy)
            market = a_market(copy.open(copy.urls.app_url), sandbox, tmp_path)
            if faulty:
                market.control.fault("500", path="/v1/payment_intents", times=1)
            before = len(kept_stories.kept)
            market.funded()
            met = [call["status"] for call in market.sent("/v1/payment_intents")]
            assert (500 in met) == faulty
            assert not faulty or len(kept_stories.kept) == before

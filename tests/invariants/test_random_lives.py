"""People do whatever comes to their minds, Stripe has bad days, time jumps: every law holds all the same.

A state machine of Hypothesis: whole projects of both platforms are led through random steps, legal and illegal. After
each step all invariants of the books and of the desk hold, and what was refused has changed nothing. In the end Stripe
is well again, its statement matches the books line by line, and each operation was done once or not at all. A failure
is shrunk to the shortest life that shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.db import Database
from core.embedded_postgres import Server
from core.gateways.stripe_sandbox import StripeSandbox
from core.processes import reconciliation
from core.records import ReconciliationRun
from tests.database import fresh_copy
from tests.invariants.life import NAMES, Life
from tests.sandbox_desk import Market, a_market

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
LIVES, STEPS = 2, 80
DONE: Counter[str] = Counter()


class Lives(RuleBasedStateMachine):
    """One life, in a database of its own."""

    def __init__(self, server: Server, template: str, sandbox: StripeSandbox, home: Path) -> None:
        super().__init__()
        self.things = ExitStack()
        urls = self.things.enter_context(fresh_copy(server, template))
        database, owner = Database(urls.app_url), Database(urls.owner_url)
        self.things.callback(database.dispose)
        self.things.callback(owner.dispose)
        self.life, self.begun = Life(a_market(database, sandbox, home), owner), False

    @initialize(number=SEEDS)
    def begin(self, number: int) -> None:
        self.life.begin(number)
        self.begun = True

    @rule(name=st.sampled_from(NAMES), number=SEEDS)
    def live(self, name: str, number: int) -> None:
        self.life.step(name, number)

    @precondition(lambda self: self.begun)
    @invariant()
    def every_law_holds(self) -> None:
        if self.life.moved:
            self.life.market.lawful()
            self.life.moved = False

    def teardown(self) -> None:
        try:
            if self.begun:
                ends_well(self.life.market)
                DONE.update(self.life.done)
        finally:
            self.things.close()


def ends_well(market: Market) -> None:
    """Stripe is well again, and everybody has the time they need."""
    market.control.clear_faults()
    for _ in range(12):
        market.later(hours=3)
    for _ in range(10):
        market.later(days=1)
    market.lawful()
    each_operation_at_most_once(market)
    run = reconciliation.run(market.desk, market.as_staff("fay"))
    result = market.get(ReconciliationRun, run)
    assert (result.status, result.breaks) == ("CLEAN", 0)


def each_operation_at_most_once(market: Market) -> None:
    """Whatever became of the answers: Stripe has at most one successful object for each operation and attempt."""
    for path in ("/v1/refunds", "/v1/transfers"):
        names = Counter(
            each["metadata"]["op"] for each in market.at_stripe(path) if each["metadata"].get("op")
        )
        assert [op for op, number in names.items() if number > 1] == []
    paid = [each for each in market.at_stripe("/v1/payment_intents") if each["status"] == "succeeded"]
    assert max(Counter(each["metadata"]["op"] for each in paid).values(), default=0) <= 1


@pytest.mark.timeout(
    1_200
)  # minutes where others are at work: a life cut off would look like one that failed
@pytest.mark.parametrize("number", range(3))
def test_every_law_holds_after_each_step_of_any_life(
    server: Server, template: str, running_sandbox: StripeSandbox, tmp_path: Path, number: int
) -> None:
    def a_life() -> Lives:
        return Lives(server, template, running_sandbox, tmp_path)

    drawn: Callable[[], Lives] = seed(number)(a_life)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        drawn,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_in_these_lives_something_happened() -> None:
    """Of each road something was carried out, or the lives above prove little. Run with them, not alone."""
    if not DONE:
        pytest.skip("no life was led in this process")
    assert all(DONE[name] for name in ("pays", "submits", "decides", "works", "settles")), DONE

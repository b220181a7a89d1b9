"""One seed: people at a desk, and everything that can go wrong under it, drawn from one number.

The steps are those of `tests.invariants.life`. Before a step Stripe may be told to fail; the step itself may meet a
connection to the database that is cut at some byte or commit, may die at a named point (`kill -9` of its process), may
happen beside another one, or may find that the database itself was killed; the clock may be set back. In the end
everything is well again, time passes, and each law is asked for (`laws`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from core.db import Database, is_away
from core.errors import DeskError
from core.records import Project
from core.rules.permissions import Actor
from tests import sandbox_desk
from tests.actions import stripe_events
from tests.invariants.life import KINDS, MOVES_MONEY, NAMES, Life, Result
from tests.sandbox_desk import Market
from tests.seeded_faults import victims
from tests.seeded_faults.laws import Broken, broken
from tests.seeded_faults.proxy import Cut, Proxy
from tests.seeded_faults.victims import Death, Ended, Point, awaited, begun

STEPS = 22
STRIPE: tuple[dict[str, Any], ...] = (
    {"kind": "429"},
    {"kind": "409"},
    {"kind": "500"},
    {"kind": "500", "when": "after"},
    {"kind": "drop"},
    {"kind": "drop", "when": "after"},
    {"kind": "timeout", "when": "after", "seconds": 0.05},
)
CUTS = {Cut.ASKED: 60_000, Cut.ANSWERED: 90_000, Cut.COMMIT: 6, Cut.COMMIT_ANSWER: 6}
LATEST = (6, 6, 100)  # points that a step may still pass before its process dies
ANY_POINT = (*[None] * 6, *Point)
ONLY_REFUSALS = "whoever acts is answered, or refused in words"
# What may become of a step, and how often.
FATES = {"well": 30, "cut": 25, "killed": 30, "two at once": 8, "clock set back": 4, "database killed": 3}


class FaultyLife(Life):
    """Whoever is refused has changed nothing: `tests.invariants` asks that, after every step; here it is not asked."""

    goes_on_after = DeskError  # a step that does nothing proves little

    def act(self, action: Callable[..., Result], actor: Actor, **arguments: Any) -> Result:
        module = action.__module__.removeprefix("core.").replace(".", "/")
        victims.at_work[0] = f"{module}.{action.__name__}"
        return self.market.act(action, actor, **arguments)


@dataclass
class Seed:
    """`told` has a line for each step; `deaths` names the points where processes died, `cuts` what was cut."""

    number: int
    told: list[str] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    broken: list[Broken] = field(default_factory=list)


@dataclass
class Place:
    """Where a seed is lived: its desk, and hands on what can go wrong. `kill_database` returns when it is up again."""

    market: Market
    owner: Database
    auditor: Database
    proxy: Proxy
    home: Path
    kill_database: Callable[[], None]


def lived(number: int, place: Place, *, steps: int = STEPS) -> Seed:
    """The whole life of a seed, and what was found broken in the end."""
    seed, draw = Seed(number), random.Random(number)
    life = FaultyLife(place.market, place.owner)
    life.begin(number, draw.sample(KINDS, 2))
    direct, through = place.market.database, _through(place.market.database, place.proxy)
    try:
        for step in range(steps):
            _one_step(seed, draw, life, place, step, direct=direct, through=through)
    finally:
        through.dispose()
    seed.done = life.done
    place.proxy.order(Cut.NEVER)
    seed.broken += broken(life, place.owner, place.auditor, place.home)
    return seed


def _one_step(
    seed: Seed,
    draw: random.Random,
    life: FaultyLife,
    place: Place,
    number: int,
    *,
    direct: Database,
    through: Database,
) -> None:
    name, chance = draw.choice(NAMES), draw.randrange(2**32)
    other, other_chance = draw.choice(NAMES), draw.randrange(2**32)
    fate = draw.choices(list(FATES), list(FATES.values()))[0]
    cut = draw.choice(list(CUTS))
    at = int(CUTS[cut] ** draw.random())
    death = Death(draw.choice(ANY_POINT), int(draw.choice(LATEST) ** draw.random()))
    back = timedelta(minutes=draw.randrange(1, 120))
    if draw.random() < 0.35:
        place.market.control.fault(
            path=draw.choice(MOVES_MONEY), times=draw.randrange(1, 3), **draw.choice(STRIPE)
        )
    # What a process that dies has counted is lost with it: numbers of this step are its own.
    sandbox_desk.bid_numbers = count(1_000 * (number + 2))
    stripe_events.events = count(1_000 * (number + 2))
    happened = ""
    if fate == "cut":
        place.proxy.order(cut, at)
        _use(place.market, through)
        happened = _in_this_process(life, name, chance, seed, may_be_away=True)
        _use(place.market, direct)
        _people_as_stored(life)
        if place.proxy.happened():
            seed.cuts[cut] += 1
            happened = f"cut: {cut} ({at}). {happened}"
    elif fate in ("killed", "two at once"):
        running = [begun(lambda: _in_a_process(life, name, chance), death)]
        if fate == "two at once":
            running.append(begun(lambda: _in_a_process(life, other, other_chance, apart=500), None))
        ends = [awaited(*each) for each in running]
        happened = "; ".join(_taken_over(life, each, seed) for each in ends if each)
        if fate == "two at once":
            name = f"{name}, and {other} at once"
    elif fate == "clock set back":
        before = place.market.now
        place.market.now -= back
        happened = _in_this_process(life, name, chance, seed)
        place.market.now = max(before, place.market.now)
    elif fate == "database killed":
        place.kill_database()
        happened = _in_this_process(life, name, chance, seed, may_be_away=True)
    else:
        happened = _in_this_process(life, name, chance, seed)
    seed.told.append(f"{number + 1:2} {place.market.now:%d %b %H:%M} {name} [{fate}] {happened}".rstrip())


def _in_this_process(
    life: FaultyLife, name: str, chance: int, seed: Seed, *, may_be_away: bool = False
) -> str:
    try:
        life.step(name, chance)
    except Exception as problem:
        said = f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
        if not (may_be_away and is_away(problem)):
            seed.broken.append(Broken(ONLY_REFUSALS, f"{name}: {said}"))
        return said
    return ""


@dataclass(frozen=True)
class After:
    """What a step changed outside the database."""

    now: datetime
    payer_id: int
    payee_id: int
    people: dict[int, tuple[int, int]]
    done: Counter[str]


def _in_a_process(life: FaultyLife, name: str, chance: int, *, apart: int = 0) -> After:
    for database in (life.market.database, life.owner):
        database.engine.dispose(close=False)  # connections are the other process's
    if apart:
        sandbox_desk.bid_numbers = count(next(sandbox_desk.bid_numbers) + apart)
        stripe_events.events = count(next(stripe_events.events) + apart)
    life.market.control.session.close()
    life.step(name, chance)
    market = life.market
    return After(market.now, market.payer_id, market.payee_id, life.people, life.done)


def _taken_over(life: FaultyLife, ended: Ended, seed: Seed) -> str:
    if ended.died:
        seed.deaths[ended.died] += 1
    if isinstance(ended.result, After):
        after, market = ended.result, life.market
        market.now = max(market.now, after.now)
        market.payer_id, market.payee_id = after.payer_id, after.payee_id
        life.done |= after.done
    _people_as_stored(life)
    if ended.trouble and not ended.away:
        seed.broken.append(Broken(ONLY_REFUSALS, ended.trouble[:500]))
    return f"died in {ended.died}" if ended.died else ended.trouble[:120]


def _people_as_stored(life: FaultyLife) -> None:
    stored = life.market.all(Project)
    life.people = {each.id: (each.payer_id, each.payee_id) for each in stored}


def _use(market: Market, database: Database) -> None:
    market.database = database
    market.desk = replace(market.desk, database=database)


def _through(direct: Database, proxy: Proxy) -> Database:
    url = direct.url.set(host="127.0.0.1", port=proxy.port, query={})
    return Database(url.render_as_string(hide_password=False), info=direct.info)

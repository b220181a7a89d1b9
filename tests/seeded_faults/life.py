"""One seed: people at a desk, and everything that can go wrong under it, drawn from one number.

The steps are those of `tests.invariants.life`, and what a desk does besides (`more_steps`). Before a step Stripe may be
told to fail; the step itself may meet a connection to the database that is cut at some byte or commit, may die at a
named point (`kill -9` of its process) or stand still there while another one or the worker goes on, or may find that
the database itself was killed; the clock may be set back. In the end everything is well again, time passes, and each
law is asked for (`laws`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from core.db import Database, is_away
from core.records import Project
from tests import sandbox_desk
from tests.actions import stripe_events
from tests.invariants.life import MOVES_MONEY, THINGS
from tests.sandbox_desk import Market
from tests.seeded_faults import witness
from tests.seeded_faults.laws import Broken, broken
from tests.seeded_faults.more_steps import MORE, FaultyLife
from tests.seeded_faults.news import News
from tests.seeded_faults.proxy import Cut, Proxy
from tests.seeded_faults.victims import Death, Ended, Pause, Point, awaited, begun
from tests.seeded_faults.witness import Witness

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
LATEST = (2, 4, 8, 40)  # points that a step may still pass before its process dies or stands still
ANY_POINT = (*[None] * 6, *Point)
ONLY_REFUSALS = "whoever acts is answered, or refused in words"
# What may become of a step, and how often.
FATES = {
    "well": 24,
    "cut": 20,
    "killed": 26,
    "stands still": 20,
    "two at once": 4,
    "clock set back": 4,
    "database killed": 2,
}
MEANWHILE = ("the same", "the same", "another", "the worker", "the worker")
"""What happens beside a step that stands still."""
WAITS = 0.5  # seconds for which what happens beside it may wait for the one that stands still
NAMES = [name for name, (_, weight) in {**THINGS, **MORE}.items() for _ in range(weight)]
BUSY = ("works", "works", "time passes", "hears", "seals")
"""Where most can go wrong."""
CALLS = ("works", "time passes")


@dataclass
class Seed:
    """`told` has a line for each step; `deaths` names the points where processes died, `stood` where they stood still,
    `cuts` what was cut."""

    number: int
    told: list[str] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)
    stood: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    broken: list[Broken] = field(default_factory=list)


@dataclass
class Place:
    """Where a seed is lived: its desk, and hands on what can go wrong. `kill_database` returns when it is up again;
    `heard` is the last of Stripe's news that the desk knows."""

    market: Market
    owner: Database
    auditor: Database
    proxy: Proxy
    home: Path
    heard: int
    kill_database: Callable[[], None]


@dataclass
class Step:
    """What is to be done, by name and draw, and what becomes of it."""

    name: str
    chance: int
    other: str
    other_chance: int
    fate: str
    cut: Cut
    at: int
    point: Point | None
    nth: int
    minutes: int
    meanwhile: str

    @classmethod
    def drawn(cls, draw: random.Random) -> Step:
        cut = draw.choice(list(CUTS))
        step = cls(
            name=draw.choice(NAMES),
            chance=draw.randrange(2**32),
            other=draw.choice(NAMES),
            other_chance=draw.randrange(2**32),
            fate=draw.choices(list(FATES), list(FATES.values()))[0],
            cut=cut,
            at=int(CUTS[cut] ** draw.random()),
            point=draw.choice(ANY_POINT),
            nth=int(draw.choice(LATEST) ** draw.random()),
            minutes=int(600 ** draw.random()) + 1,
            meanwhile=draw.choice(MEANWHILE),
        )
        at_stripe = step.point in (Point.BEFORE_CALL, Point.AFTER_CALL)
        if step.fate in ("stands still", "killed") and (at_stripe or draw.random() < 0.4):
            step.name = draw.choice(CALLS if at_stripe else BUSY)
        return step


def lived(number: int, place: Place, *, steps: int = STEPS) -> Seed:
    """The whole life of a seed, and what was found broken in the end."""
    seed, draw = Seed(number), random.Random(number)
    market = place.market
    secret = market.desk.settings.stripe_webhook_secret
    life = FaultyLife(market, place.owner)
    news = life.news = News(market, heard=place.heard, draw=random.Random(f"news {number}"), secret=secret)
    life.witness = Witness(place.home / "witness")
    witness.here[:] = [life.witness]
    _people_as_stored(life)
    with_proxy = _Switched(life, direct=market.database, through=_through(market.database, place.proxy))
    try:
        for step in range(steps):
            news.gather()
            _one_step(seed, draw, life, place, step, with_proxy)
    finally:
        with_proxy.through.dispose()
    seed.done = life.done
    place.proxy.order(Cut.NEVER)
    seed.broken += broken(life, place.owner, place.auditor, place.home)
    witness.here.clear()
    return seed


def _one_step(
    seed: Seed, draw: random.Random, life: FaultyLife, place: Place, number: int, proxied: _Switched
) -> None:
    step = Step.drawn(draw)
    market = life.market
    if draw.random() < 0.35:
        market.control.fault(path=draw.choice(MOVES_MONEY), times=draw.randrange(1, 3), **draw.choice(STRIPE))
    # What a process that dies has counted is lost with it: numbers of this step are its own.
    sandbox_desk.bid_numbers = count(1_000 * (number + 2))
    stripe_events.events = count(1_000 * (number + 2))
    match step.fate:
        case "cut":
            happened = _cut(life, step, seed, place.proxy, proxied)
        case "killed":
            dies = begun(partial(_in_a_process, life, step.name, step.chance), Death(step.point, step.nth))
            happened = _taken_over(life, awaited(dies), seed)
        case "stands still":
            happened = _stands_still(life, step, seed)
        case "two at once":
            happened = _two_at_once(life, step, seed)
        case "clock set back":
            before = market.now
            market.now -= timedelta(minutes=step.minutes % 120)
            happened = _in_this_process(life, step, seed)
            market.now = max(before, market.now)
        case "database killed":
            place.kill_database()
            happened = _in_this_process(life, step, seed, may_be_away=True)
        case _:
            happened = _in_this_process(life, step, seed)
    said = f"{number + 1:2} {market.now:%d %b %H:%M} {step.name} [{step.fate}] {happened}"
    seed.told.append(said.rstrip())


def _cut(life: FaultyLife, step: Step, seed: Seed, proxy: Proxy, proxied: _Switched) -> str:
    proxy.order(step.cut, step.at)
    with proxied:
        said = _in_this_process(life, step, seed, may_be_away=True)
    _people_as_stored(life)
    if not proxy.happened():
        return said
    seed.cuts[step.cut] += 1
    return f"cut: {step.cut} ({step.at}). {said}"


def _two_at_once(life: FaultyLife, step: Step, seed: Seed) -> str:
    running = [
        begun(partial(_in_a_process, life, step.name, step.chance), None),
        begun(partial(_in_a_process, life, step.other, step.other_chance, apart=500), None),
    ]
    ends = [awaited(each) for each in running]
    return f"and {step.other}. " + "; ".join(_taken_over(life, each, seed) for each in ends)


def _stands_still(life: FaultyLife, step: Step, seed: Seed) -> str:
    """Others go on meanwhile, as far as they need not wait for it; the clock does, too."""
    market = life.market
    minutes = step.minutes if step.meanwhile == "the worker" else 0

    def wakes(missed: int) -> None:
        market.now += timedelta(minutes=missed)

    first = begun(
        partial(_in_a_process, life, step.name, step.chance), Pause(step.point, step.nth, wakes=wakes)
    )
    if not (point := first.stands_still()):
        return _taken_over(life, awaited(first), seed)
    seed.stood[point] += 1
    market.now += timedelta(minutes=minutes)
    name, chance = {
        "the same": (step.name, step.chance),
        "another": (step.other, step.other_chance),
        "the worker": ("works", step.other_chance),
    }[step.meanwhile]
    second = begun(partial(_in_a_process, life, name, chance, apart=500), None)
    waited = not second.ends_within(WAITS)
    first.goes_on(minutes=minutes)
    said = [_taken_over(life, awaited(each), seed) for each in (first, second)]
    waits = ", which waited" if waited else ""
    return f"stood still in {point}; meanwhile {minutes} minutes and {name}{waits}. {'; '.join(said)}"


def _in_this_process(life: FaultyLife, step: Step, seed: Seed, *, may_be_away: bool = False) -> str:
    try:
        life.step(step.name, step.chance)
    except Exception as problem:
        said = f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
        if not (may_be_away and is_away(problem)):
            seed.broken.append(Broken(ONLY_REFUSALS, f"{step.name}: {said}"))
        return said
    return ""


@dataclass(frozen=True)
class After:
    """What a step changed outside the database."""

    now: datetime
    payer_id: int
    payee_id: int
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
    return After(market.now, market.payer_id, market.payee_id, life.done)


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


@dataclass
class _Switched:
    """Inside, the desk reaches its database through the proxy."""

    life: FaultyLife
    direct: Database
    through: Database

    def __enter__(self) -> None:
        self._use(self.through)

    def __exit__(self, *_: object) -> None:
        self._use(self.direct)

    def _use(self, database: Database) -> None:
        market = self.life.market
        market.database = database
        market.desk = replace(market.desk, database=database)


def _through(direct: Database, proxy: Proxy) -> Database:
    url = direct.url.set(host="127.0.0.1", port=proxy.port, query={})
    return Database(url.render_as_string(hide_password=False), info=direct.info)

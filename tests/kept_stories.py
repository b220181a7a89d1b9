"""A story that many tests begin with is lived in full the first two times in each process of a run; then it is put into
the database of the next test as it was: the rows that the actions have written, with their entries and journals, and
what was done at the Stripe sandbox.

It is lived again wherever it could have become another one: told otherwise or at another time, after something that
is no story, and where something of the desk is replaced for the test.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeVar

from core.db import Record
from core.rules import RULES
from tests.reused_database import Content, Copy
from tests.rule_coverage import code_of

Told = TypeVar("Told")
Key = tuple[object, ...]


@dataclass
class Stage:
    """The database of a test, the stories that were told in it so far, and what it was like after the last. `proves`:
    the rules that the test is to call itself."""

    copy: Copy
    proves: frozenset[CodeType]
    so_far: Key = ()
    as_told: Key = ()

    def is_as_told(self, town: Any) -> bool:
        """Whether nothing has happened since."""
        return self.as_told == self._seen(town) if self.so_far else self.copy.is_untouched()

    def is_now(self, so_far: Key, town: Any) -> None:
        self.so_far, self.as_told = so_far, self._seen(town)

    def _seen(self, town: Any) -> Key:
        return *self.copy.fingerprint(), *_how(town), _written_at_stripe(town)


@dataclass(frozen=True)
class Kept:
    """What a story has changed, and the rules that it has called."""

    content: Content
    at_stripe: AtStripe | None
    town: dict[str, Any]
    rules: frozenset[CodeType]
    result: Any


@dataclass(frozen=True)
class AtStripe:
    """The sandbox as it was then, by the name under which it keeps it, and its log of the story."""

    name: str
    log: bytes


stages: dict[str, Stage] = {}
"""By the name of their database: those of tests for which stories may be kept."""
kept: dict[Key, Kept] = {}
times: Counter[Key] = Counter()
recorded: list[set[CodeType]] = []
"""What was called in the stories that are being lived, the outermost first."""


def once(story: Callable[..., Told]) -> Callable[..., Told]:
    """`story(town, …)` changes nothing but the database, the Stripe sandbox, and the town's time, payer and payee."""

    @wraps(story)
    def told(town: Any, *how: Any, **named: Any) -> Told:
        stage = stages.get(str(town.database.url.database))
        if stage is None or not stage.is_as_told(town):
            return story(town, *how, **named)
        key = (stage.so_far, story.__qualname__, *_how(town), how, *sorted(named.items()))
        before = kept.get(key)
        if before and not before.rules & stage.proves:
            result: Told = _put(before, stage.copy, town)
        else:
            times[key] += 1
            if before or times[key] == 1 or stage.proves:
                result = story(town, *how, **named)
            else:
                result = _lived(story, town, how, named, key, stage.copy)
        stage.is_now(key, town)
        return result

    return told


def _lived(story: Any, town: Any, how: Any, named: Any, key: Key, copy: Copy) -> Any:
    began = _log(town).stat().st_size if _has_sandbox(town) else 0
    with _rules_called() as rules:
        result = story(town, *how, **named)
    assert not isinstance(result, Record | list | dict), "others are given the same, and could change it"
    at_stripe = None
    if _has_sandbox(town):
        at_stripe = AtStripe(f"story {len(kept)}", _log(town).read_bytes()[began:])
        town.control.keep(at_stripe.name)
    kept[key] = Kept(copy.content(), at_stripe, _changing(town), frozenset(rules), result)
    return result


def _put(story: Kept, copy: Copy, town: Any) -> Any:
    copy.put(story.content)
    _has_called(story.rules)
    if story.at_stripe:
        town.control.bring_back(story.at_stripe.name)
        with _log(town).open("ab") as log:
            log.write(story.at_stripe.log)
    for name, value in story.town.items():
        setattr(town, name, value)
    return story.result


def _changing(town: Any) -> dict[str, Any]:
    return {name: getattr(town, name) for name in ("now", "payer_id", "payee_id")}


def _how(town: Any) -> Key:
    """Whatever a story may depend on besides what was told so far."""
    at = (town.sandbox.url, town.settings) if _has_sandbox(town) else ()
    return (*_changing(town).values(), *sorted(town.database.info.items()), *at)


def _has_sandbox(town: Any) -> bool:
    return hasattr(town, "sandbox")


def _written_at_stripe(town: Any) -> int:
    """A number that grows with whatever is asked or ordered there."""
    return int(town.sandbox.written) if _has_sandbox(town) else 0


def _log(town: Any) -> Path:
    log: Path = town.sandbox.folder / "stripe-sandbox.jsonl"
    return log


@cache
def _all_rules() -> frozenset[CodeType]:
    return frozenset(code_of(rule) for rule in RULES)


@contextmanager
def _rules_called() -> Iterator[set[CodeType]]:
    """Those that are called inside, in stories within the story too."""
    called: set[CodeType] = set()

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in rules:
            called.add(frame.f_code)

    rules, outside = _all_rules(), sys.getprofile()
    recorded.append(called)
    sys.setprofile(watch)
    try:
        yield called
    finally:
        sys.setprofile(outside)
        recorded.pop()
        _has_called(called)


def _has_called(rules: Iterable[CodeType]) -> None:
    for each in recorded:
        each.update(rules)

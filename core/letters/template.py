"""What a letter is made of before any fact is known: words with holes, and how facts fill them.

A hole is `{name}`. A fact is Money, a time, a whole number or text; a schedule is a sequence of (title, amount). Facts
come from customers, so they are cleaned of control and direction-changing characters here, and escaped on paper.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from string import Formatter
from typing import Any, Literal

from core.clock import utc
from core.money import Money
from core.policy import Platform
from core.rules.display_limits import bounded

Audience = Literal["payer", "payee", "staff"]
Tone = Literal["plain", "good", "attention"]
Facts = Mapping[str, Any]

# What the two platforms call their people, and what was accepted; the last is for a letter that names no platform.
PEOPLE: Mapping[str, Mapping[str, str]] = {
    Platform.HOME_SERVICES: {"payer": "homeowner", "payee": "contractor", "bid": "bid"},
    Platform.LEGAL_SERVICES: {"payer": "client", "payee": "attorney", "bid": "quote"},
    "": {"payer": "customer", "payee": "service provider", "bid": "bid"},
}
GIVEN = frozenset({"payer", "payee", "bid"})


@dataclass(frozen=True)
class When:
    """Parts that are there only if a fact is; `otherwise` stands in for them."""

    fact: str
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Table:
    """Labelled facts, one a line. A row whose fact is missing is left out if its name ends in `?`."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Schedule:
    """A fact that is a sequence of (title, amount), or text with one "title: amount" a line."""

    fact: str


@dataclass(frozen=True)
class Quote:
    """Somebody's own words, marked as theirs."""

    fact: str


@dataclass(frozen=True)
class Prose:
    """Plain paragraphs that a member of staff wrote for this one letter: a line a paragraph, no markup."""

    fact: str


Part = str | When | Table | Schedule | Quote | Prose


@dataclass(frozen=True)
class Template:
    subject: str
    parts: tuple[Part, ...]
    tone: Tone = "plain"


@dataclass(frozen=True)
class Lines:
    """A filled table or schedule."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Words:
    """A filled quotation."""

    text: str


Filled = str | Lines | Words


def holes(template: Template) -> tuple[frozenset[str], frozenset[str]]:
    """The facts that a template needs, and those that it uses when they are there."""
    needed, welcome = set(_names(template.subject)), set[str]()
    for part in template.parts:
        _collect(part, needed, welcome)
    return frozenset(needed - GIVEN), frozenset(welcome - needed - GIVEN)


def _collect(part: Part, needed: set[str], welcome: set[str]) -> None:
    match part:
        case str():
            needed.update(_names(part))
        case Schedule(fact) | Quote(fact) | Prose(fact):
            needed.add(fact)
        case Table(rows):
            for _, fact in rows:
                (welcome if fact.endswith("?") else needed).add(fact.removesuffix("?"))
        case When(fact, then, otherwise):
            welcome.add(fact)
            inner = set[str]()
            for each in (*then, *otherwise):
                _collect(each, inner, welcome)
            needed.update(inner - {fact})


def _names(text: str) -> Iterator[str]:
    return (name for _, name, _, _ in Formatter().parse(text) if name)


def fill(parts: Sequence[Part], facts: Facts) -> Iterator[Filled]:
    """The parts with their facts in place, in order."""
    for part in parts:
        match part:
            case str():
                yield sentence(part, facts)
            case Quote(fact):
                yield Words(clean(text_of(facts[fact])))
            case Prose(fact):
                yield from (each for each in map(line, text_of(facts[fact]).splitlines()) if each)
            case Schedule(fact):
                yield Lines(tuple((line(title), line(amount)) for title, amount in _pairs(facts[fact])))
            case Table(rows):
                yield Lines(tuple(_rows(rows, facts)))
            case When(fact, then, otherwise):
                yield from fill(then if facts.get(fact) else otherwise, facts)


def _pairs(schedule: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(schedule, str):
        yield from schedule
        return
    for each in schedule.splitlines():
        title, _, amount = each.rpartition(": ")
        yield title or amount, amount if title else ""


def _rows(rows: tuple[tuple[str, str], ...], facts: Facts) -> Iterator[tuple[str, str]]:
    for label, fact in rows:
        value = facts.get(fact.removesuffix("?"))
        if value is not None:
            yield sentence(label, facts), line(value)


def sentence(text: str, facts: Facts) -> str:
    """`text` with its holes filled; a fact with braces in it stays as it is."""
    return text.format_map({name: line(facts[name]) for name in _names(text)})


def line(value: Any) -> str:
    """A fact on one line."""
    return " ".join(clean(text_of(value)).split())


def text_of(value: Any) -> str:
    """A fact as people read it: `$1,043.56`, `Saturday 21 November 2026, 14:30 UTC`."""
    match value:
        case Money():
            return value.text()
        case datetime():
            moment = utc(value)
            return f"{moment:%A} {moment.day} {moment:%B %Y, %H:%M} UTC"
        case date():
            return f"{value:%A} {value.day} {value:%B %Y}"
        case _:
            return str(value)


LONGEST = 40_000  # characters of one fact


def clean(text: str) -> str:
    """Without control characters, lone surrogates and marks that turn the direction of writing, bounded; lines stay."""
    lines = "\n".join(bounded(text, longest=LONGEST).splitlines())
    return "".join(mark for mark in lines if mark in "\n\t" or not _unsafe(mark))


def _unsafe(mark: str) -> bool:
    return unicodedata.category(mark) in {"Cc", "Cs"} or unicodedata.bidirectional(mark) in _TURNING


_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

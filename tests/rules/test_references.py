"""A prefix means one thing, and what is written with one is written as the table says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import core
from core.rules.documents import OLD_SERIES, SERIES
from core.rules.references import PREFIXES, ReferenceKind, number_in, reference

ROOT = Path(core.__file__).parent.parent
HOUSE = [path for place in ("core", "dashboard", "pages") for path in sorted((ROOT / place).rglob("*.py"))]
DEMO = (
    ROOT / "core" / "demo"
)  # its bids, quotes and invoices are numbered by the marketplaces and the parties
LITERAL = re.compile(r"(?:([A-Za-z]+) )?(?<![A-Za-z\d%-])([A-Z]{1,3})-\{")
KINDS: dict[str, ReferenceKind] = {kind.capitalize(): kind for kind in PREFIXES} | {"Review": "risk review"}


def test_a_prefix_means_one_thing() -> None:
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert not set(PREFIXES.values()) & {*SERIES.values(), *OLD_SERIES.values()}


@pytest.mark.parametrize("kind", PREFIXES)
def test_a_reference_is_read_as_people_write_it_and_as_no_other_kind(kind: ReferenceKind) -> None:
    for typed in (reference(kind, 42), reference(kind, 42).lower(), "42", f" {PREFIXES[kind]}42 "):
        assert number_in(kind, typed) == 42
    for other in PREFIXES:
        if other != kind:
            assert number_in(kind, reference(other, 42)) is None, other


def test_every_prefix_in_the_house_is_that_of_the_table() -> None:
    for path in HOUSE:
        if DEMO in path.parents:
            continue
        for noun, prefix in LITERAL.findall(path.read_text()):
            assert prefix in PREFIXES.values(), (path, prefix)
            kind = KINDS.get(noun)
            assert kind is None or PREFIXES[kind] == prefix, (path, noun, prefix)

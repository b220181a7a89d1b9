"""Blind mode: a mediator judges what was done before knowing by whom. Names give way to roles until a draft is saved.

Internal policy. What the parties themselves wrote cannot be emptied of every hint; the names that the desk knows,
and every address, are replaced wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from core.errors import DeskError

SHORTEST = 3
_PARTS = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Words that stand in the names of companies and mean a trade, not a person.
TRADES = frozenset(
    "advocates and attorney attorneys associates bathroom bathrooms brothers builders building cabinetry cabinets "
    "carpentry carpets chambers cleaning co company construction contracting contractors corp counsel decorating "
    "design doors drywall electric electrical exteriors family fencing finishing firm floor flooring floors garden "
    "gardens general glass group heating home homes house immigration inc interiors joinery kitchen kitchens "
    "landscapes landscaping law legal limited llc llp ltd masonry office painting partners paving plumbing practice "
    "remodel remodeling renovation renovations repair repairs restoration restorations roof roofing services solar "
    "solutions sons stone studio the tile tiles tiling tree trees window windows woodwork works".split()
)


class NothingToReveal(DeskError):
    """Choose an outcome and a ground, and write the reasons, before the names are shown."""


@dataclass(frozen=True)
class Hidden:
    """A name and what stands in its place, at the beginning of a line and within one."""

    name: str
    role: str


def hidden(*, wanted: bool | None, default: bool, decides: bool, undecided: bool, revealed: bool) -> bool:
    """Are names hidden from this reader? Only from whoever could decide the case, until their draft or a decision.

    `wanted` is what the person chose for themselves, else the `default` of the marketplace's policy counts.
    """
    return (default if wanted is None else wanted) and decides and undecided and not revealed


@dataclass(frozen=True)
class NameRedaction:
    """Roles by name. Without names it changes nothing."""

    names: tuple[Hidden, ...] = ()

    @property
    def lifted(self) -> bool:
        return not self.names

    def words(self, text: str) -> str:
        """The same words, with roles for names and without addresses."""
        if self.lifted or not text:
            return text
        covered = _ADDRESS.sub("(address hidden)", text)
        return self._pattern.sub(lambda found: self._roles[found[0].lower()], covered)

    @cached_property
    def _roles(self) -> Mapping[str, str]:
        """Of two parties with one name in common, either role is as good."""
        return {name.lower(): each.role for each in reversed(self.names) for name in _known(each.name)}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """The longest name first. A part of a company's name is often a word (True Level Floors): only in capitals."""
        loose = {name for each in self.names for name in _known(each.name) if not _is_word(each.name, name)}
        strict = {name for each in self.names for name in _known(each.name) if _is_word(each.name, name)}
        either = [f"(?i:{re.escape(name)})" for name in sorted(loose, key=len, reverse=True)]
        capitals = [
            f"{re.escape(name)}|{re.escape(name.upper())}" for name in sorted(strict, key=len, reverse=True)
        ]
        return re.compile(rf"(?<!\w)(?:{'|'.join([*either, *capitals])})(?!\w)")


def redaction(names: Iterable[tuple[str, str]]) -> NameRedaction:
    """Of (name, role) pairs."""
    return NameRedaction(tuple(Hidden(name, role) for name, role in names if name.strip()))


def _known(name: str) -> Iterator[str]:
    """The whole name, and every part of it that is a name and not a trade."""
    yield name.strip()
    for part in _PARTS.findall(name):
        if len(part) >= SHORTEST and part.lower() not in TRADES:
            yield part


def _is_word(whole: str, part: str) -> bool:
    """Is this a part of a company's name?"""
    parts = _PARTS.findall(whole)
    company = "&" in whole or len(parts) > 2 or any(each.lower() in TRADES for each in parts)
    return company and part != whole.strip()

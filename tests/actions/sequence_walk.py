"""Walking a sequence of steps, and after each one seeing exactly who was told what.

A `Step` is a row of a table that can be laid beside a diagram: the arrow, what is done for it, every letter that is
written by doing it and no other, the letter that the arrow itself is, and what holds then. Letters are named
"reader template"; an action that stands for several arrows writes at the first of them, so that the arrow that is the
letter may come later in the table. No letter is claimed by two arrows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from core.records import Milestone, Notification, Project
from core.rules.permissions import Role
from tests.builders import Told
from tests.sandbox_desk import Market

STAFF = {Role.MEDIATOR: "PM", Role.FINANCE: "FIN", Role.COMPLIANCE: "COMP", Role.ADMINISTRATOR: "ADM"}
PARTIES = {"home_services": ("HO", "C"), "legal_services": ("CL", "AT")}


@dataclass
class Walk:
    """A market, where the walk has come, and the letters written so far that no arrow has claimed yet."""

    market: Market
    platform: str = "home_services"
    project_id: int = 0
    milestone_id: int = 0
    case_id: int = 0
    kept: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    unclaimed: list[str] = field(default_factory=list)

    @property
    def told(self) -> Told:
        return Told(self.project_id, self.milestone_id, self.case_id)

    @property
    def project(self) -> Project:
        found: Project = self.market.get(Project, self.project_id)
        return found

    @property
    def milestone(self) -> Milestone:
        found: Milestone = self.market.get(Milestone, self.milestone_id)
        return found

    @property
    def status(self) -> str:
        return self.milestone.status

    def written(self) -> list[str]:
        """The letters since the last time, each as "reader template"."""
        rows = [each for each in self.market.all(Notification) if each.id > self.seen]
        self.seen = max([self.seen, *(each.id for each in rows)])
        return sorted(f"{self._reader(each)} {each.template}" for each in rows)

    def _reader(self, letter: Notification) -> str:
        if letter.party_id is not None:
            payer, payee = PARTIES[self.platform]
            return {self.market.payer_id: payer, self.market.payee_id: payee}[letter.party_id]
        name = next(name for name, number in self.market.staff.items() if number == letter.staff_id)
        (role,) = self.market.roles[name]
        return STAFF[role]

    def count(self, record: type[Any], *conditions: Any) -> int:
        wanted = select(func.count()).select_from(record).where(*conditions)
        return self.market.read(lambda session: session.scalar(wanted) or 0)


@dataclass(frozen=True)
class WalkStep:
    """`wrote`: the letters that doing it writes, exactly. `letter`: the one that the arrow is."""

    arrow: str
    does: Callable[[Walk], Any] | None = None
    wrote: tuple[str, ...] = ()
    letter: str | None = None
    holds: Callable[[Walk], bool] | None = None


def walk(steps: Sequence[WalkStep], on: Walk) -> None:
    for step in steps:
        if step.does is not None:
            step.does(on)
        new = on.written()
        assert new == sorted(step.wrote), f"{step.arrow}: was told {new}"
        on.unclaimed += new
        if step.letter is not None:
            assert step.letter in on.unclaimed, f"{step.arrow}: {step.letter} was not told"
            on.unclaimed.remove(step.letter)
        assert step.holds is None or step.holds(on), f"{step.arrow}: does not hold"

"""Who mediates: never someone with a tie to either party; then the skill the case asks for, then the least load."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core.errors import DeskError

# The reason on record of whoever may not look at their own decision again.
CORRECTED_BY_OTHERS = "Made or approved the decision that this case corrects."


class MediatorTied(DeskError):
    """You have a tie to a party of this case, so someone else must decide it."""


class ColleagueTied(DeskError):
    """{name} has a tie to a party of this case, so it cannot be given to them. Choose someone else."""


class Recused(DeskError):
    """{name} recused themselves from this case on {at:%d %B %Y}, so it is never theirs again. Choose someone else."""


class YouAreRecused(DeskError):
    """You recused yourself from this case on {at:%d %B %Y}, so you no longer work on it: you neither
    decide nor approve it, nor reassign it, nor write to its parties. A colleague does."""


class NoMediatorFree(DeskError):
    """No mediator without a tie to these parties is available. Ask an administrator."""


@dataclass(frozen=True)
class Candidate:
    """`ties`: the parties this mediator is tied to. `open_cases`: how many undecided cases they have.

    `recused`: the cases that they are recused from, which never come back to them.
    """

    staff_id: int
    open_cases: int = 0
    skills: frozenset[str] = frozenset()
    ties: frozenset[int] = frozenset()
    recused: frozenset[int] = frozenset()


def tied(ties: Collection[int], payer_id: int, payee_id: int) -> bool:
    return payer_id in ties or payee_id in ties


def may_mediate(staff_id: int, ties: Collection[int], payer_id: int, payee_id: int) -> None:
    """`ties` are the party ids that this member of staff is tied to. Approving a decision asks the same."""
    if tied(ties, payer_id, payee_id):
        raise MediatorTied(staff_id=staff_id)


def choose(
    candidates: Iterable[Candidate],
    *,
    payer_id: int,
    payee_id: int,
    skill: str | None = None,
    case_id: int | None = None,
) -> Candidate:
    """The untied candidate with the skill and the fewest open cases; the longest-serving (lowest id) when equal.

    Whoever is recused from `case_id` is no candidate for it.
    """
    free = [
        each for each in candidates if not tied(each.ties, payer_id, payee_id) and case_id not in each.recused
    ]
    if not free:
        raise NoMediatorFree()
    return min(free, key=lambda each: order(each, skill))


def order(candidate: Candidate, skill: str | None) -> tuple[bool, int, int]:
    """Who is asked first: the skill, then the smaller load, then who is here longer."""
    return skill not in candidate.skills, candidate.open_cases, candidate.staff_id

"""The invariants: what must be true of the books and of everything beside them, and the rows for which it is not.

An empty answer is the proof. Where the ledger and the desk tell the same story twice, both are asked, because different
code wrote them: the order's amounts and the accounts, the provider's lines and the journals, the plan that a mediator
confirmed and the journal that was posted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import one_moment
from core.ledger.invariants import INVARIANTS
from core.queries import invariant_queries, planned_operations
from core.queries.invariant_queries import Rows

# So many of a law's offenders are shown; one would be too many.
MOST = 200


@dataclass(frozen=True)
class Invariant:
    """One invariant: its name, what must be true, and how the rows for which it is not are found."""

    name: str
    law: str
    broken: str | Callable[[Session], Rows]

    def ask(self, session: Session) -> Result:
        rows = self.offending(session, most=MOST)
        if callable(self.broken):
            return Result(self.name, self.law, rows[:MOST], len(rows))
        count = len(rows) if len(rows) < MOST else self._count(session, self.broken)
        return Result(self.name, self.law, rows, count)

    def offending(self, session: Session, *, most: int | None = None) -> Rows:
        """The rows for which it is not so; the first `most` of them, where the database can stop early."""
        if callable(self.broken):
            return self.broken(session)
        bounded = text(f"select * from ({self.broken}) as broken limit :most")
        return [dict(row) for row in session.execute(bounded, {"most": most}).mappings()]

    @staticmethod
    def _count(session: Session, broken: str) -> int:
        return int(session.execute(text(f"select count(*) from ({broken}) as broken")).scalar_one())


@dataclass(frozen=True)
class Checked:
    """What a run found of one invariant: how many rows failed; None where that run did not know it yet."""

    name: str
    law: str
    count: int | None


@dataclass(frozen=True)
class Result:
    """What came of one invariant; it holds when `rows` is empty. `count` is of all that fail, `rows` the first."""

    name: str
    law: str
    rows: Rows
    count: int

    @property
    def holds(self) -> bool:
        return not self.rows


DESK: tuple[Invariant, ...] = (
    Invariant(
        "funded_is_accounted_for",
        "For every milestone, funded = held + payable + refundable + released + refunded, none below zero.",
        invariant_queries.NOT_ACCOUNTED,
    ),
    Invariant(
        "held_agrees",
        "What an order says is held lies on the milestone's held account.",
        invariant_queries.HELD,
    ),
    Invariant(
        "fees_deferred",
        "While money is held, its platform fee is deferred; afterwards none is.",
        invariant_queries.DEFERRED,
    ),
    Invariant(
        "refunds_owed",
        "Refunds that have not arrived are owed on the milestone's refund account.",
        invariant_queries.REFUNDABLE,
    ),
    Invariant(
        "chargebacks_agree",
        "What open chargebacks have taken lies on the account of disputed funds.",
        invariant_queries.DISPUTED,
    ),
    Invariant(
        "chargebacks_freeze",
        "A milestone is frozen exactly while a chargeback is open.",
        invariant_queries.FROZEN,
    ),
    Invariant(
        "payments_twice",
        "Duplicate payments that are not yet returned are unapplied receipts.",
        invariant_queries.UNAPPLIED,
    ),
    Invariant(
        "suspense_is_listed",
        "Every unexplained amount waits for a person by name.",
        invariant_queries.UNEXPLAINED,
    ),
    Invariant(
        "documents_numbered",
        "Receipts, invoices and credit notes have every number of their series and year, from the first to the last.",
        invariant_queries.NUMBERS_MISSING,
    ),
    Invariant(
        "payees_owed", "What orders call payable lies on their payees' accounts.", invariant_queries.PAYABLE
    ),
    Invariant(
        "stripe_balance_is_its_lines",
        "In each currency, the balance at Stripe is the sum of the booked balance transactions.",
        invariant_queries.STRIPE_TOTAL,
    ),
    Invariant(
        "client_funds_covered",
        "When Stripe's own balance was last read, it was at least what is owed to others, in each currency.",
        invariant_queries.SHORT,
    ),
    Invariant(
        "lines_booked_once",
        "Each balance transaction is booked by one journal, moving the Stripe balance by its net; none else does.",
        invariant_queries.BOOKED_WRONG,
    ),
    Invariant(
        "exchange_agrees",
        "What lies on the exchange differences is what converted lines stand for, less what they moved at Stripe.",
        invariant_queries.EXCHANGED,
    ),
    Invariant(
        "states_derived",
        "Every payment state is the one that its amounts give.",
        invariant_queries.wrong_states,
    ),
    Invariant(
        "decisions_as_planned",
        "Every executed decision posted exactly the journal of the plan that was confirmed.",
        invariant_queries.DECIDED_OTHERWISE,
    ),
    Invariant(
        "plans_as_queued",
        "Every carried-out decision and agreement queued exactly the calls that its plan lists, under the same keys.",
        planned_operations.QUEUED_OTHERWISE,
    ),
    Invariant(
        "nothing_left_behind",
        "Completed, refunded and canceled milestones hold nothing.",
        invariant_queries.ENDED_WITH_MONEY,
    ),
    Invariant(
        "bank_statements_add_up",
        "Every bank statement has the lines that were imported: opening balance + lines = closing balance.",
        invariant_queries.BANK_STATEMENTS,
    ),
    Invariant("one_road", "No debt has two open ways of being paid.", invariant_queries.ONE_ROAD),
    Invariant(
        "words_as_recorded",
        "Every text whose hash an audit entry keeps is what was recorded: cases, messages, holds, reports, letters …",
        invariant_queries.other_words,
    ),
    Invariant(
        "successes_have_names",
        "Every call that succeeded knows Stripe's id of what it made.",
        invariant_queries.NAMELESS,
    ),
)


def laws_in_force() -> list[Invariant]:
    """Those of the ledger's own registry, then those that tie the desk to it."""
    return [*(Invariant(each.name, each.law, each.sql) for each in INVARIANTS.values()), *DESK]


def run(session: Session) -> list[Result]:
    """Ask every law, in this order, of one and the same moment."""
    with one_moment(session) as moment:
        return [law.ask(moment) for law in laws_in_force()]


def as_found(rows: Mapping[str, int]) -> list[Checked]:
    """Every law, with what a run kept of it: how many rows failed, by name."""
    return [Checked(law.name, law.law, rows.get(law.name)) for law in laws_in_force()]


@contextmanager
def _unmasked(session: Session) -> Iterator[Session]:
    """A session of its own beside this one, which may read masks: what is stored is what the laws are about."""
    with Session(session.get_bind()) as beside, one_moment(beside) as moment:
        yield moment


def now_failing(session: Session, names: Collection[str]) -> list[Result]:
    """The laws of these names asked again, at one moment: for the rows, which no run keeps."""
    with _unmasked(session) as moment:
        return [law.ask(moment) for law in laws_in_force() if law.name in names]


def offending(session: Session, name: str) -> Rows:
    """Every row that breaks the law of this name."""
    with _unmasked(session) as moment:
        return next((law.offending(moment) for law in laws_in_force() if law.name == name), [])

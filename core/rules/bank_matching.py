"""How our bank's statements and the ledger's bank account are matched, and what is never guessed."""

from __future__ import annotations

from enum import StrEnum

from core.errors import DeskError
from core.rules.periods import PeriodClosed

ONE_AT_A_TIME = "bank-matching"  # whoever matches, the run or a person, does so alone


class MatchRule(StrEnum):
    PROVIDER_ID = "PROVIDER_ID"
    """The bank passed Stripe's id on, and both sides sum to the same."""
    AMOUNT_AND_DATE = "AMOUNT_AND_DATE"
    """The same amount within the days that policy allows, and nothing else on either side could be meant."""
    SUM = "SUM"
    """All of one day, on one side, sums to one amount on the other."""
    BOOKED = "BOOKED"
    """The posting was made for this line."""
    HAND = "HAND"
    """A person said so."""
    REVERSED = "REVERSED"
    """A posting and its reversal, of which the bank never had a line."""


class SumsDiffer(DeskError):
    """The lines sum to {lines} and the postings to {postings}: {difference} apart. Choose what belongs together, or
    have the difference booked to suspense, where it is explained by two people."""


class MatchedAlready(DeskError):
    """{line} is matched already: the page is older than that. Load it again."""


class NothingToMatch(DeskError):
    """Choose at least one line and one posting of the same bank account."""


class NotByAPerson(DeskError):
    """Only a match that a person made can be undone: this one follows from its lines, and the next run would make it
    again."""


class UndoneBefore(DeskError):
    """This match has been undone already."""


class MatchIsFinal(PeriodClosed):
    """{period} is in a closed period, which keeps its matches as they are. Have it reopened by two people first."""


class DifferenceExplained(DeskError):
    """What this match differed by was explained by two people and booked, so the match stays. If their explanation was
    wrong, correct it with a manual journal."""


class NotAtTheBank(DeskError):
    """A bank line cannot be settled as that. Money between our bank and Stripe, and whatever goes to or comes from a
    payer through Stripe, is booked from Stripe's statement: match the line with that posting. A refund by bank transfer
    is recorded with its operation."""

"""Refusals. Every error of the domain is a `DeskError`, and its docstring is what the operator reads.

The first paragraph of the docstring is the message; `{fields}` in it are filled from the keyword arguments. What
follows it is the law behind the refusal, for whoever reads the code.

    class CurrencyMismatch(DeskError):
        \"""{left} and {right} are different currencies.\"""

    raise CurrencyMismatch(left="USD", right="EUR")

What a program needs to know and the sentence does not say is named beside it, and is given with the other facts:

    class NoPaymentMethod(DeskError, tells=("milestone", "party")): …
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from string import Formatter
from typing import Any, Self


class Wording(str):
    """Words for the sentence, with what stands for them in a program: a title with its milestone's number, a status as
    it reads with its name. Without such a `code` they are for the reader only."""

    code: Any

    def __new__(cls, words: str, code: Any = None) -> Self:
        said = super().__new__(cls, words)
        said.code = code
        return said


class DeskError(Exception):
    """The desk refused this."""

    code: str
    facts: Mapping[str, Any]
    message: str
    tells: frozenset[str] = frozenset()
    of_what_was_given: bool = False  # about words and choices of this form: nothing has changed anywhere else

    def __init_subclass__(cls, *, tells: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code = snake(cls.__name__)
        cls.tells = cls.tells.union(tells)

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.message = self.sentence(facts)
        super().__init__(self.message)

    @classmethod
    def template(cls) -> str:
        """The first paragraph of the docstring on one line; the class name in words when Python runs with -OO."""
        return " ".join((cls.__doc__ or cls.code.replace("_", " ") + ".").split("\n\n")[0].split())

    @classmethod
    def fields(cls) -> frozenset[str]:
        """The facts that the message needs, and those that a program is told besides."""
        names = (field for _, field, _, _ in Formatter().parse(cls.template()) if field)
        return cls.tells.union(re.split(r"[.\[]", name)[0] for name in names)

    def sentence(self, facts: Mapping[str, Any]) -> str:
        if missing := self.fields() - facts.keys():
            raise TypeError(f"{type(self).__name__} needs {', '.join(sorted(missing))}")
        return self.template().format(**facts)

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception with keyword arguments does not survive pickling by itself, and jobs pickle their errors.
        return partial(type(self), **self.facts), ()


DeskError.code = "desk_error"


def snake(name: str) -> str:
    """`DisputeWindowClosed` → `dispute_window_closed`, `NotAMediator` → `not_a_mediator`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def another(fields: Sequence[str]) -> str:
    """What is known here otherwise, after the word "another": `["city", "tax_id"]` as `city and another tax id`."""
    return " and another ".join(field.replace("_", " ") for field in fields)


class NotFound(DeskError):
    """There is no {kind} {id}, or you may not see it."""


class ChangedMeanwhile(DeskError):
    """This {kind} changed while you were looking at it: {what}. Nothing was done; look at it again, then decide.

    Two people deciding at once: one wins, the other is told what changed.
    """


class ReasonMissing(DeskError):
    """Give a reason: it is kept, and read by whoever reviews this."""

    of_what_was_given = True


class ReasonTooLong(DeskError):
    """A reason has at most {most:,} characters; this one has {length:,}."""

    of_what_was_given = True

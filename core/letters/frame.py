"""The frame of an e-mail: a greeting above the letter; below it how to object, references, where to act, whom to ask.

It is added when the e-mail is sent, from the names and settings of that moment. What is stored of a letter, and hashed
in a plan, holds no name and no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.letters.rendering import Closing, html_framed, text_framed
from core.letters.template import line

LONGEST_NAME = 120
# Carried out, and against the wish of one side: staff can open a correction of it.
OPEN_TO_CORRECTION = frozenset({"decision_full_release", "decision_partial_release", "decision_full_refund"})
_OBJECT = (
    "If you think that we missed something, write to us and give the case number. Our staff can ask someone else to "
    "look at the decision again. Money that has been paid out stays where it is in the meantime."
)
_ASK = "If you have questions, write to {contact}."
_REFER = " Please give the reference."
_STAFF = "Open the desk:"
_ACT = "To see more or to answer, sign in here:"


@dataclass(frozen=True)
class Frame:
    """`references`: the case, milestones and projects by number. `link` and `contact` are empty where none is set."""

    name: str
    references: Sequence[str]
    templates: frozenset[str] = frozenset()
    staff: bool = False
    link: str = ""
    contact: str = ""

    @property
    def greeting(self) -> str:
        name = line(self.name)
        return f"Hello {name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + '…'},"

    @property
    def closing(self) -> Closing:
        before = [_OBJECT] if self.templates & OPEN_TO_CORRECTION else []
        if self.references:
            before.append(f"Reference: {', '.join(self.references)}.")
        refer = _REFER if self.references else ""
        after = [_ASK.format(contact=self.contact) + refer] if self.contact else []
        link = (_STAFF if self.staff else _ACT, self.link) if self.link else None
        return Closing(tuple(before), link, tuple(after))


def framed(text: str, html: str, frame: Frame) -> tuple[str, str]:
    """The text and the HTML of an e-mail, ready to be sent."""
    return text_framed(text, frame.greeting, frame.closing), html_framed(html, frame.greeting, frame.closing)

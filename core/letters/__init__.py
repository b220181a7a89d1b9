"""Every letter, in one place: each arrow to a payer or a payee in milestone-payment-flow has its template.

What a customer reads says "held funds": the money is held by the platform's payment provider until the work is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import DeskError
from core.letters import (
    accounts,
    chargebacks,
    closing,
    cooling_off,
    deciding,
    disputing,
    exceptions,
    funding,
    paying,
    reporting,
    staff,
    starting,
    verifying,
)
from core.letters.rendering import as_html, as_text, html_together, text_together
from core.letters.template import PEOPLE, Template, fill, holes, line, sentence

__all__ = ["TEMPLATES", "FactMissing", "Letter", "NoSuchLetter", "needs", "render", "together"]

Levels = tuple[Template, ...]

TEMPLATES: Mapping[tuple[str, str], Template | Levels] = {
    **accounts.TEMPLATES,
    **starting.TEMPLATES,
    **funding.TEMPLATES,
    **verifying.TEMPLATES,
    **paying.TEMPLATES,
    **disputing.TEMPLATES,
    **cooling_off.TEMPLATES,
    **deciding.TEMPLATES,
    **closing.TEMPLATES,
    **chargebacks.TEMPLATES,
    **exceptions.TEMPLATES,
    **reporting.TEMPLATES,
    **staff.TEMPLATES,
}
FOOTER = "You receive this e-mail about the project “{project}” because you are its {reader}."
PARTY_FOOTER = "You receive this e-mail because payments to you or by you are made through us."
STAFF_FOOTER = (
    "You receive this e-mail because of your work at the desk. Please answer at the desk, not by e-mail."
)
INTRO = "This happened recently. None of these updates was urgent, so they come together:"
TOGETHER_FOOTER = (
    "You receive this e-mail because you take part in the projects that it names. On the platform you can choose how "
    "often you receive e-mails that are not urgent."
)
LONGEST_SUBJECT = 160


class NoSuchLetter(DeskError):
    """There is no e-mail “{template}” to the {audience}."""


class FactMissing(DeskError):
    """The e-mail “{template}” to the {audience} lacks: {missing}."""


@dataclass(frozen=True)
class Letter:
    """What goes to the party: a subject of one line, the text, and the same as an HTML document."""

    subject: str
    text: str
    html: str


def needs(template: str, audience: str) -> tuple[frozenset[str], frozenset[str]]:
    """The facts that this letter must have, and those that it uses if they are there."""
    found = _find(template, audience)
    if isinstance(found, Template):
        return holes(found)
    needed = frozenset[str]().union({"level"}, *(holes(each)[0] for each in found))
    return needed, frozenset[str]().union(*(holes(each)[1] for each in found)) - needed


def render(template: str, audience: str, **facts: Any) -> Letter:
    """The letter with these facts, to `payer`, `payee` or `staff`; `platform` chooses what people are called.

    Raises `NoSuchLetter` and `FactMissing`. Facts that the letter has no place for are left out.
    """
    own = audience == "staff" or template in accounts.ABOUT_THE_PARTY
    required = needs(template, audience)[0] | (set() if own else {"project"})
    if missing := sorted(name for name in required if facts.get(name) is None):
        raise FactMissing(template=template, audience=audience, missing=", ".join(missing))
    people = PEOPLE.get(str(facts.get("platform", "")), PEOPLE[""])
    known = {**facts, **people, "reader": people.get(audience, "")}
    chosen = _level(_find(template, audience), facts)
    subject = _shortened(sentence(chosen.subject, known))
    parts, footer = tuple(fill(chosen.parts, known)), sentence(_footer(template, audience), known)
    return Letter(subject, as_text(subject, parts, footer), as_html(subject, parts, footer, tone=chosen.tone))


def together(letters: Sequence[Letter], projects: Sequence[str]) -> Letter:
    """Several letters to one reader as one; `projects` are the titles that they are about. Order is kept."""
    titles = list(dict.fromkeys(line(title) for title in projects))
    about = f"“{titles[0]}”" if len(titles) == 1 else f"{len(titles)} of your projects"
    subject = _shortened(f"{len(letters)} updates about {about}")
    return Letter(
        subject,
        text_together(subject, INTRO, [(each.subject, each.text) for each in letters], TOGETHER_FOOTER),
        html_together(subject, INTRO, [(each.subject, each.html) for each in letters], TOGETHER_FOOTER),
    )


def _find(template: str, audience: str) -> Template | Levels:
    try:
        return TEMPLATES[template, audience]
    except KeyError:
        raise NoSuchLetter(template=template, audience=audience) from None


def _footer(template: str, audience: str) -> str:
    if template in accounts.ABOUT_THE_PARTY:
        return PARTY_FOOTER
    return STAFF_FOOTER if audience == "staff" else FOOTER


def _level(found: Template | Levels, facts: Mapping[str, Any]) -> Template:
    """A letter that rises in levels uses its last template for every level above."""
    if isinstance(found, Template):
        return found
    return found[min(max(int(facts["level"]), 1), len(found)) - 1]


def _shortened(subject: str) -> str:
    return subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1].rstrip() + "…"

"""What the parties are called on the page of a case. Every name on it comes from here, so it can be hidden here.

In blind mode the case itself is drawn from copies in which the parties bear the names of their roles; whatever else
was written goes through `within`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from core.letters.template import PEOPLE
from core.queries.cases import CaseView
from core.queries.evidence import EvidenceItem, MessageItem
from core.records import Party
from core.rules import name_redaction
from core.rules.name_redaction import NameRedaction

Row = TypeVar("Row")
OPEN = NameRedaction()


@dataclass(frozen=True)
class RedactedCase(CaseView):
    """The case as someone sees it who must not know yet whom it is about."""

    redaction: NameRedaction = OPEN


def redaction_of(case: CaseView) -> NameRedaction:
    return case.redaction if isinstance(case, RedactedCase) else OPEN


def shown(case: CaseView) -> bool:
    """Whether this person may read the names now."""
    return redaction_of(case).lifted


def of(case: CaseView, party: Party) -> str:
    """The party's name, or its role while names are hidden."""
    return redact(case, party.name)


def redact(case: CaseView, text: str) -> str:
    """The same text; while names are hidden, with the role wherever a name of either party stands."""
    return redaction_of(case).words(text)


def role_of(case: CaseView, party: Party) -> str:
    """What stands in the place of their name, as a sentence begins with it."""
    people = PEOPLE.get(case.context.project.platform, PEOPLE[""])
    return _begin(f"the {people[party.role.lower()]}")


def hide(case: CaseView, names: Mapping[int, str] | None = None) -> RedactedCase:
    """The case with roles for names, wherever the desk knows the names: those of the case, or others, by party."""
    context, people = case.context, PEOPLE.get(case.context.project.platform, PEOPLE[""])
    roles = {party.id: f"the {people[party.role.lower()]}" for party in case.parties}
    cover = name_redaction.redaction(
        ((names or {}).get(party.id, party.name), roles[party.id]) for party in case.parties
    )
    words = cover.words
    payer, payee = (
        copy(party, name=_begin(roles[party.id]), email="", city="", external_id="") for party in case.parties
    )
    project = copy(context.project, title=words(context.project.title), scope=words(context.project.scope))
    milestone = copy(
        context.milestone,
        title=words(context.milestone.title),
        deliverable=words(context.milestone.deliverable),
    )
    known = {item.name: getattr(case, item.name) for item in fields(CaseView)}
    known |= {
        "record": copy(case.record, details=words(case.record.details)),
        "context": replace(context, payer=payer, payee=payee, project=project, milestone=milestone),
        "tie": words(case.tie) if case.tie else None,
        "holds": tuple(replace(each, reason=words(each.reason)) for each in case.holds),
        "blocks": tuple(replace(each, sentence=words(each.sentence)) for each in case.blocks),
    }
    return RedactedCase(**known, redaction=cover)


def pieces(case: CaseView, rows: Sequence[EvidenceItem]) -> list[EvidenceItem]:
    """Evidence by whoever, under a name that tells nobody."""
    roles: dict[str, str] = {party.role: party.name for party in case.parties}
    if shown(case):
        return list(rows)
    return [
        replace(
            each,
            uploader=roles[each.uploader_role],
            caption=redact(case, each.caption),
            file_name=redact(case, each.file_name),
        )
        for each in rows
    ]


def said(case: CaseView, rows: Iterable[MessageItem]) -> list[MessageItem]:
    """Messages, with the roles of those who wrote them."""
    roles: dict[str, str] = {party.role: party.name for party in case.parties}
    if shown(case):
        return list(rows)
    return [
        replace(each, author=roles.get(each.side, each.author), body=redact(case, each.body)) for each in rows
    ]


def redacted(case: CaseView, rows: Sequence[Row]) -> list[Row]:
    """Read models of any kind, without names in any of their words."""
    if shown(case):
        return list(rows)
    return [_redacted(case, row) for row in rows]


def _redacted(case: CaseView, row: Row) -> Row:
    changed: dict[str, object] = {}
    for item in fields(row):  # type: ignore[arg-type]
        match value := getattr(row, item.name):
            case str() if type(value) is str:
                changed[item.name] = redact(case, value)
            case Mapping():
                changed[item.name] = {
                    name: redact(case, each) if isinstance(each, str) else each
                    for name, each in value.items()
                }
    return replace(row, **changed)  # type: ignore[type-var]


def copy(record: Row, **other: object) -> Row:
    """A record of its own that no session knows: changing it changes nothing."""
    kind = type(record)
    values = {column.key: getattr(record, column.key) for column in kind.__table__.columns}  # type: ignore[attr-defined]
    return kind(**{**values, **other})


def _begin(role: str) -> str:
    return role[:1].upper() + role[1:]

"""The words of today against the hashes that entries keep, and against the entries of each step.

A row whose words have no hash was put in past the desk, unless the database had it before entries kept hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from core.audit import stored_steps
from core.audit.content_hashes import PARTS, Other, Part, digest

# Rows that are about a milestone, by their table; of letters and of what a bank is told only the hashes kept are asked.
_OF_MILESTONE = "milestone_id = :milestone_id"
_OF_ITS_CASES = f"case_id in (select id from cases where {_OF_MILESTONE})"
ABOUT: Mapping[str, str] = {
    **dict.fromkeys(("messages", "evidence", "decisions", "cases", "holds", "reports"), _OF_MILESTONE),
    **dict.fromkeys(("party_requests", "offers", "handovers", "recusals"), _OF_ITS_CASES),
    "evidence_notes": f"evidence_id in (select id from evidence where {_OF_MILESTONE})",
}
# Whoever may write entries may write anything into them: what is no object has no names.
KNOWN = """
    select kept.key, kept.value, e.id
    from audit_entries e, jsonb_each_text(
        case when jsonb_typeof(e.after -> 'content') = 'object' then e.after -> 'content' else '{}' end) kept
    where e.after ? 'content' and kept.value is not null
"""
EVERYWHERE = text(f"{KNOWN} order by e.id")
OF_MILESTONE = text(f"{KNOWN} and e.milestone_id = :milestone_id order by e.id")
NUMBER = re.compile(r"[0-9]{1,18}(-[0-9]{1,18})?")
Kept = dict[str, tuple[str, int]]


def compare(session: Session) -> tuple[list[Other], int]:
    """All that is not what the log says of it; and how many words were recorded before entries kept hashes, so that
    none proves them (of letters, those sent)."""
    all_kept, found = known(_entries(session, EVERYWHERE))
    by_part, before, filled = _by_part(all_kept), _from_before(session), _filled(session)
    older = stored_steps.older(session)
    erased = erased_rows(session)
    for part, chosen in PARTS.items():
        kept = by_part.get(part, {})
        if not kept and chosen.table not in filled:
            continue
        others, unproved = _of(session, part, kept, before.get(part, set()))
        found += [each for each in others if not _by_right(each, erased)]
        older += unproved
    found += [each for each in stored_steps.others(session) if not _by_right(each, erased)]
    return found, older


def others_of_milestone(session: Session, milestone_id: int) -> Iterator[Other]:
    """What is about one milestone and not what the log says of it: before its case leaves the desk."""
    all_kept, found = known(_entries(session, OF_MILESTONE, milestone_id=milestone_id))
    by_part, erased = _by_part(all_kept), erased_rows(session)
    yield from found
    for part in PARTS:
        kept = by_part.get(part, {})
        if numbers := [*kept, *_numbers(session, part, milestone_id)]:
            before = _from_before(session, part, numbers).get(part, set())
            others = _of(session, part, kept, before, only=numbers)[0]
            yield from (each for each in others if not _by_right(each, erased))
    others_of_steps = stored_steps.others(session, milestone_id)
    yield from (each for each in others_of_steps if not _by_right(each, erased))


def erased_rows(session: Session) -> frozenset[tuple[str, str]]:
    """Table and key of the rows that say something else by right: their salts were destroyed. That each of these has
    its erasure, and that nobody altered them since, `row_comparison` finds."""
    wanted = text("select distinct relation, row_key from row_changes where salt is null")
    return frozenset((row.relation, row.row_key) for row in session.execute(wanted))


def _by_right(other: Other, erased: frozenset[tuple[str, str]]) -> bool:
    return other.how in ("altered", "derived") and (PARTS[other.part].table, other.id) in erased


def known(entries: Iterable[tuple[str, str, int]]) -> tuple[Kept, list[Other]]:
    """The hash that counts for each name: the first, and a later one must agree, unless the words may be rewritten.

    `entries`: name, hash and entry of all that was kept, in the order of the log.
    """
    kept: Kept = {}
    found = []
    for key, value, entry in entries:
        part, _, number = key.partition(":")
        if part not in PARTS or not NUMBER.fullmatch(number):
            continue
        if PARTS[part].rewritten:
            kept[key] = (value, entry)
        elif kept.setdefault(key, (value, entry))[0] != value:
            found.append(Other(part, number, "altered", kept[key][1]))
    return kept, found


def _entries(session: Session, statement: TextClause, **given: int) -> Iterator[tuple[str, str, int]]:
    return ((row.key, row.value, row.id) for row in session.execute(statement, given))


def _by_part(kept: Kept) -> Mapping[str, Kept]:
    """The hashes that count for each part, by the number of its row."""
    found: dict[str, Kept] = {}
    for key, each in kept.items():
        part, _, number = key.partition(":")
        found.setdefault(part, {})[number] = each
    return found


def _filled(session: Session) -> frozenset[str]:
    """The tables of all parts that have any row, asked at once: most are empty on a small desk."""
    tables = sorted({part.table for part in PARTS.values()})
    each = ", ".join(f"exists (select from {table})" for table in tables)
    found = session.execute(text(f"select {each}")).one()
    return frozenset(table for table, has_rows in zip(tables, found, strict=True) if has_rows)


def _of(
    session: Session, part: str, kept: Kept, before: set[str], *, only: list[str] | None = None
) -> tuple[list[Other], int]:
    """What is other than recorded, and how many rows have no hash and are from before there were any."""
    found, seen, older = [], set(), 0
    for row in _rows(session, part, only):
        number = PARTS[part].number(row)
        if number in kept:
            seen.add(number)
            recorded, entry = kept[number]
            if recorded != digest(part, row):
                found.append(Other(part, number, "altered", entry))
        elif row["said"] and number in before:
            older += 1
        elif row["said"]:
            found.append(Other(part, number, "unknown"))
    gone = sorted(kept.keys() - seen, key=lambda number: [int(each) for each in number.split("-")])
    return [*found, *(Other(part, number, "removed", kept[number][1]) for number in gone)], older


def _from_before(
    session: Session, part: str | None = None, only: list[str] | None = None
) -> Mapping[str, set[str]]:
    """By part, the rows that had these words before entries kept hashes; all of them, or these of one part."""
    wanted = "select part, row_id from unhashed_content"
    if part is not None:
        wanted += " where part = :part and row_id = any(:only)"
    found: dict[str, set[str]] = {}
    for row in session.execute(text(wanted), {"part": part, "only": only} if part is not None else {}):
        found.setdefault(row.part, set()).add(row.row_id)
    return found


def _numbers(session: Session, part: str, milestone_id: int) -> Iterable[str]:
    """Of the rows that have the words of this part and are about the milestone, where its table says so."""
    chosen = PARTS[part]
    if (about := ABOUT.get(chosen.table)) is None:
        return ()
    wanted = f"select {_number(chosen)} from {chosen.table} where {chosen.said} and {about}"
    return session.scalars(text(wanted), {"milestone_id": milestone_id})


def _number(part: Part) -> str:
    return f"concat_ws('-', {', '.join(part.key)})"


def _rows(session: Session, part: str, only: list[str] | None = None) -> Iterator[Mapping[str, Any]]:
    """By column, and whether the row has these words (`said`)."""
    chosen = PARTS[part]
    columns = [*(text(column) for column in chosen.columns), text(f"({chosen.said}) as said")]
    wanted = select(*columns).select_from(text(chosen.table)).order_by(text(", ".join(chosen.key)))
    if only is not None:
        wanted = wanted.where(text(f"{_number(chosen)} = any(:only)"))
    for row in session.execute(wanted, {} if only is None else {"only": only}).mappings():
        yield dict(row)

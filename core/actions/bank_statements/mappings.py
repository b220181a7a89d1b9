"""Mappings of a bank's CSV: saved by name, version by version, and tried on a sample before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.db import one_at_a_time
from core.errors import DeskError, NotFound
from core.gateways.bank_statements import csv_file
from core.gateways.bank_statements.parsed import Line
from core.records import CsvMapping
from core.rules import csv_mappings, permissions
from core.rules.bank_statements import CODE
from core.rules.permissions import Actor, Permission

TRIED = 20


class MappingNameUnfit(DeskError):
    """A mapping's name has lower-case characters (a–z), digits and hyphens only, at most 40: “{name}” has others."""


def save(
    session: Session, actor: Actor, *, now: datetime, name: str, definition: Mapping[str, Any]
) -> CsvMapping:
    """The next version under this name; the same definition again changes nothing.

    Raises `NotPermitted`, `MappingNameUnfit`, `MappingUnfit`.
    """
    permissions.require(actor, Permission.IMPORT_STATEMENTS)
    if not CODE.fullmatch(name):
        raise MappingNameUnfit(name=name[:40])
    kept = csv_mappings.CsvMapping.of(definition).as_dict()
    one_at_a_time(session, f"csv_mapping.{name}")
    newest = _newest(session, name)
    if newest is not None and newest.definition == kept:
        return newest
    row = CsvMapping(
        name=name,
        version=newest.version + 1 if newest else 1,
        definition=kept,
        made_by=actor.id if actor.kind == "staff" else None,
        made_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.CSV_MAPPING_SAVE.by("finance" if actor.kind == "staff" else actor.kind),
        object_kind="csv_mapping",
        object_id=row.id,
        now=now,
        after={"name": name, "version": row.version},
        contents=[row],
    )
    return row


def named(session: Session, name: str) -> CsvMapping:
    """The newest version. Raises `NotFound`."""
    found = _newest(session, name)
    if found is None:
        raise NotFound(kind="mapping", id=f"“{name[:40]}”")
    return found


def header(
    actor: Actor, *, file: str, content: bytes, delimiter: str, encoding: str, header_line: int
) -> list[str]:
    """The columns of a sample, to choose from. Raises `NotPermitted`, `StatementUnreadable`."""
    permissions.require(actor, Permission.IMPORT_STATEMENTS)
    return csv_file.header(file, content, delimiter=delimiter, encoding=encoding, header_line=header_line)


def tried(
    actor: Actor, *, definition: Mapping[str, Any], currency: str, file: str, content: bytes
) -> list[Line]:
    """What the first lines of a sample say by this mapping; nothing is kept.

    Raises `NotPermitted`, `MappingUnfit`, `StatementUnreadable`.
    """
    permissions.require(actor, Permission.IMPORT_STATEMENTS)
    mapping = csv_mappings.CsvMapping.of(definition)
    events = csv_file.read(file, content, mapping, name="tried", currency=currency)
    return list(islice((each.tidy() for each in events if isinstance(each, Line)), TRIED))


def _newest(session: Session, name: str) -> CsvMapping | None:
    wanted = select(CsvMapping).where(CsvMapping.name == name).order_by(CsvMapping.version.desc())
    return session.scalars(wanted.limit(1)).first()

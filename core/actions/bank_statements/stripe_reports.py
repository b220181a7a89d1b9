"""Stripe's itemized reports beside what its API told: a line that is known must agree, one that is missing is added."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.bank_statements import files
from core.db import one_at_a_time
from core.errors import DeskError
from core.gateways.bank_statements import recognition, stripe_report
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.rules import file_names, permissions
from core.rules.bank_statements import STRIPE, StatementFormat
from core.rules.permissions import Actor, Permission

AT_ONCE = 5_000
TABLE = """
create temporary table if not exists staged_report_lines (
    id text not null, place text not null, currency text not null, amount bigint not null, fee bigint not null,
    net bigint not null, category text not null, source text not null, created_at timestamptz not null
) on commit drop
"""
COPY = """
copy pg_temp.staged_report_lines (id, place, currency, amount, fee, net, category, source, created_at) from stdin
"""
TWICE = text(
    "select id, max(place) as place from pg_temp.staged_report_lines group by id having count(*) > 1 limit 1"
)
DIFFERS = text(
    """
    select s.id, s.place, s.net, s.currency, k.net as known, k.currency as known_in
    from pg_temp.staged_report_lines s join statement_lines k on k.id = s.id
    where (s.amount, s.fee, s.net, s.currency) is distinct from (k.amount, k.fee, k.net, k.currency)
    order by s.created_at, s.id limit 1
    """
)
COUNTS = text(
    """
    select count(*) as lines, count(k.id) as known, (
        select count(*) from statement_lines
        where created_at between min(s.created_at) and max(s.created_at)) as of_those_days
    from pg_temp.staged_report_lines s left join statement_lines k on k.id = s.id
    """
)
# A report names the accounting category; the type of the line comes with Stripe's API, which has the last word.
ADD = text(
    """
    insert into statement_lines (id, kind, reporting_category, amount, fee, net, currency, source, created_at,
        fetched_at)
    select s.id, case s.category
            when 'fee' then 'stripe_fee' when 'dispute' then 'adjustment' when 'dispute_reversal' then 'adjustment'
            when 'payout_reversal' then 'payout_failure' when 'transfer_reversal' then 'transfer_refund'
            when 'topup_reversal' then 'topup_reversal' else s.category end,
        s.category, s.amount, s.fee, s.net, s.currency, s.source, s.created_at, :now
    from pg_temp.staged_report_lines s
    on conflict (id) do nothing
    """
)


class ReportDiffers(DeskError):
    """{file}, {place}: the net of {id} is {net} in the report and {known} by Stripe's API. Nothing was imported."""


class ReportLineTwice(DeskError):
    """{file}, {place}: {id} stands in the report twice. Nothing was imported."""


class ReportOfAnother(DeskError):
    """{file}: none of its {lines} lines is known, and the desk has {known} lines of the same days: it is of another
    Stripe account. Nothing was imported."""


class NotStripes(DeskError):
    """{file} is no itemized report of Stripe's: import it with the code of the bank account that it is of."""


@dataclass(frozen=True)
class ReportImport:
    file: str
    sha256: str
    lines: int = 0
    added: int = 0
    before: datetime | None = None


def take(
    session: Session, actor: Actor, *, now: datetime, file: str, content: bytes, store: EvidenceStore | None
) -> ReportImport:
    """Without a `store` the bytes are not kept: for a dry run. Raises `NotStripes`, `NotPermitted` and the refusals
    here."""
    permissions.require(actor, Permission.IMPORT_STATEMENTS)
    name, sha256 = file_names.chosen(file), hashlib.sha256(content).hexdigest()
    one_at_a_time(session, "bank_statements.stripe")
    if (before := files.known(session, sha256, code=STRIPE)) is not None:
        return ReportImport(before.name, sha256, before=before.imported_at)
    if recognition.recognised(name, content, mapped=False) is not StatementFormat.STRIPE_REPORT:
        raise NotStripes(file=name)
    _stage(session, name, content)
    lines, known = _agree(session, name)
    row = files.store_file(
        session, actor, name, StatementFormat.STRIPE_REPORT, content, sha256, store=store, now=now
    )
    session.execute(ADD, {"now": now})
    files.record(session, actor, row, now=now, account=STRIPE, statements=(), lines=lines)
    return ReportImport(name, sha256, lines, lines - known)


def _stage(session: Session, name: str, content: bytes) -> None:
    session.execute(text(TABLE))
    session.execute(text("truncate pg_temp.staged_report_lines"))
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    lines = stripe_report.read(name, content)
    while batch := list(islice(lines, AT_ONCE)):
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for each in batch:
                numbers = (each.amount, each.fee, each.net)
                copy.write_row(
                    (each.id, each.place, each.currency, *numbers, each.category, each.source, each.created)
                )


def _agree(session: Session, name: str) -> tuple[int, int]:
    """How many lines, and how many of them were known. Raises `ReportLineTwice`, `ReportDiffers`, `ReportOfAnother`."""
    if twice := session.execute(TWICE).first():
        raise ReportLineTwice(file=name, place=twice.place, id=twice.id)
    if other := session.execute(DIFFERS).first():
        net, known = Money(other.net, other.currency), Money(other.known, other.known_in)
        raise ReportDiffers(file=name, place=other.place, id=other.id, net=net, known=known)
    counts = session.execute(COUNTS).one()
    if counts.lines and not counts.known and counts.of_those_days:
        raise ReportOfAnother(file=name, lines=counts.lines, known=counts.of_those_days)
    return counts.lines, counts.known

"""Importing a file of bank statements: all of it or nothing, the same file, statement or line once, each refusal one
sentence.

A dry run is the same in a transaction that is thrown away. What was imported is never deleted: a wrong file is answered
by the bank's next statement, or by an entry that two people book.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.bank_statements import accounts, files, mappings, one_statement
from core.actions.bank_statements.one_statement import Job, Known, Progress, Taken
from core.actions.bank_statements.staging import Staging
from core.db import one_at_a_time
from core.errors import DeskError
from core.gateways.bank_statements import bai2, camt053, csv_file, mt940, ofx, recognition
from core.gateways.bank_statements.parsed import Begin, End, Events, Line
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.records import BankAccount, CsvMapping
from core.rules import csv_mappings, file_names, permissions
from core.rules.bank_statements import StatementFormat
from core.rules.permissions import Actor, Permission

READERS = {
    StatementFormat.CAMT053: camt053.read,
    StatementFormat.MT940: mt940.read,
    StatementFormat.OFX: ofx.read,
    StatementFormat.BAI2: bai2.read,
}


class StripeReportElsewhere(DeskError):
    """{file} is a report of Stripe's and not a bank's: import it with the account “stripe”."""


@dataclass(frozen=True)
class Import:
    """`before`: when the same file was imported already, and then nothing else was done. `known`: the statements in it
    that are there already; where all are, the file is not kept."""

    file: str
    sha256: str
    format: StatementFormat
    statements: tuple[Taken, ...] = ()
    known: tuple[Known, ...] = ()
    before: datetime | None = None

    @property
    def lines(self) -> int:
        return sum(each.lines for each in self.statements) + sum(each.lines for each in self.known)

    @property
    def repeated(self) -> int:
        return sum(each.repeated for each in self.statements) + sum(each.lines for each in self.known)

    @property
    def said(self) -> tuple[str, ...]:
        of_new = (sentence for each in self.statements for sentence in each.said)
        return (*(each.sentence for each in self.known), *of_new)

    @property
    def nothing_new(self) -> bool:
        """Every statement of the file is there already."""
        return bool(self.known) and not self.statements


def take(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    code: str,
    file: str,
    content: bytes,
    store: EvidenceStore | None,
    mapping: str | None = None,
    opening: str | None = None,
    progress: Progress = lambda _: None,
) -> Import:
    """Import a bank's file on the account `code`. Without a `store` the bytes are not kept: for a dry run.

    `mapping` names how a CSV is read. `opening`: the balance before the first statement where no file states one.
    Raises `StripeReportElsewhere`, `NotPermitted`, `NotFound`, and one of the refusals here and in
    `core.gateways.bank_statements`.
    """
    permissions.require(actor, Permission.IMPORT_STATEMENTS)
    name, sha256 = file_names.chosen(file), hashlib.sha256(content).hexdigest()
    account = accounts.named(session, code)
    one_at_a_time(session, f"bank_statements.{account.id}")
    if (before := files.known(session, sha256, code=account.code)) is not None:
        return Import(before.name, sha256, before.format, before=before.imported_at)
    form = recognition.recognised(name, content, mapped=mapping is not None)
    if form is StatementFormat.STRIPE_REPORT:
        raise StripeReportElsewhere(file=name)
    chosen = mappings.named(session, mapping) if mapping is not None else None
    job = Job(
        session,
        account,
        name,
        lambda: files.store_file(
            session, actor, name, form, content, sha256, store=store, mapping=chosen, now=now
        ),
        now,
        Money.parse(opening, account.currency, negative=True).minor if opening is not None else None,
        Staging(session),
        progress,
    )
    _all(job, _events(name, content, form, chosen, account))
    if job.file is not None:
        files.record(
            session, actor, job.file, now=now, account=account.code, statements=job.rows, lines=_count(job)
        )
    return Import(name, sha256, form, tuple(job.taken), tuple(job.known))


def _events(
    name: str, content: bytes, form: StatementFormat, mapping: CsvMapping | None, account: BankAccount
) -> Events:
    if mapping is not None:
        columns = csv_mappings.CsvMapping.of(mapping.definition)
        return csv_file.read(name, content, columns, name=mapping.name, currency=account.currency)
    return READERS[form](name, content)


def _count(job: Job) -> int:
    return sum(each.lines for each in job.taken)


def _all(job: Job, events: Events) -> None:
    seen = 0
    for event in events:
        match event:
            case Begin():
                one_statement.require_ours(job, event)
                job.begin = event
                job.staging.empty()
            case Line():
                one_statement.require_day(job, event)
                job.staging.add(event.tidy())
                seen += 1
                job.progress(seen)
            case End():
                one_statement.finish(job, event)

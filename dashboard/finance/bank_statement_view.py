"""Bank statements on screen: all of them, and one with its lines as the bank wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import IO

from core.actions.bank_statements import files
from core.queries import bank_statements
from core.queries.bank_statements import Statement
from core.rules import file_names
from core.rules.bank_statements import Balances
from core.rules.permissions import Actor, Permission
from dashboard import request_context
from dashboard.ui import cards, download, header, status, tables

BALANCES: Mapping[Balances, str] = {
    Balances.STATED: "Both stated by the bank",
    Balances.CLOSING: "Closing stated; opening is that less the lines",
    Balances.CARRIED: "None stated; they go on from the statement before",
}


def counted(lines: int) -> str:
    return f"{lines:,} line{'' if lines == 1 else 's'}"


COLUMNS = [
    tables.opens("reference_number", "Statement", page="bank_statements", width=90),
    tables.money("closing", "Closing balance", width=130),
    tables.text("period", "Period", width=195),
    tables.money("opening", "Opening balance", width=130),
    tables.text("said", "To look at", width=140),
    tables.count("lines", "Lines", width=60),
    tables.text("account_name", "Bank account", width=245),
    tables.text("format", "Format", value=lambda row: row.format.words, width=100),
    tables.text("file", "File", width=210),
    tables.text("imported_by", "Imported by", width=140),
    tables.when("imported_at", "Imported", width=145),
]
LINES = [
    tables.money("amount", "Amount", width=120),
    tables.day("booked_on", "Booked", width=100),
    tables.text("counterparty", "Counterparty", width=180),
    tables.text("text", "Text", width=320),
    tables.mono("reference", "Bank reference", width=170),
    tables.text("said", "To look at", width=220),
    tables.day("value_on", "Value date", width=100),
    tables.count("number", "Line", width=60),
]


def listed(
    rows: Sequence[Statement], cursor: tables.Cursor, *, account: str | None, form: str | None
) -> None:
    tables.table(
        rows,
        COLUMNS,
        key="bank-statements",
        cursor=cursor,
        download=tables.Table(
            "bank-statements",
            lambda session: tables.every(
                lambda before, limit: bank_statements.statements(
                    session, account=account, form=form, before=before, limit=limit
                )
            ),
            filter={"account": account, "format": form},
        ),
        name="Bank statements, those imported last first",
        empty_state=("No bank statement", "Import a file of the bank's, or remove a filter."),
    )


def whole(row: Statement) -> None:
    badges = [status.Pill("A statement before it is missing", "bad")] if row.gap else []
    header.page(f"Bank statement {row.reference_number}", f"{row.account_name}, {row.period}", badges=badges)
    cards.kpis(
        [
            cards.Kpi("Opening balance", row.opening),
            cards.Kpi("Moved", row.moved, note=f"by {counted(row.lines)}"),
            cards.Kpi("Closing balance", row.closing),
        ]
    )
    cards.facts(
        {
            "Balances": BALANCES[row.balances],
            "The bank calls it": row.reference,
            "Imported before": counted(row.repeated) if row.repeated else "No line",
            "Imported": row.imported_at,
            "By": row.imported_by,
            "File": f"{row.file} ({row.size_bytes:,} bytes)",
            "Format": row.format.words + (f", {row.mapping}" if row.mapping else ""),
            "SHA-256": row.sha256,
        }
    )
    _original(row)
    window = tables.window("page")
    with request_context.reading() as session:
        rows = bank_statements.lines(session, row.id, after=window.offset, limit=window.size)
    tables.table(
        rows,
        LINES,
        key="bank-lines",
        window=window,
        total=row.lines,
        download=tables.Table(
            f"bank-statement-{row.id}",
            lambda session: tables.through(
                lambda offset, limit: bank_statements.lines(session, row.id, after=offset, limit=limit)
            ),
            filter={"statement": row.id},
        ),
        name="Lines of the statement, as the bank wrote them",
        empty_state=("No lines", "Nothing was booked in this period."),
    )


def _original(row: Statement) -> None:
    desk = request_context.desk()

    def write(actor: Actor, now: datetime, out: IO[bytes]) -> None:
        found = desk.database.run(
            lambda session: files.download(session, actor, now=now, store=desk.evidence, file_id=row.file_id)
        )
        out.write(found[1])

    if request_context.may(Permission.EXPORT_LEDGER):
        download.file(
            "Download the bank's file",
            key="bank-file",
            permission=Permission.EXPORT_LEDGER,
            name=file_names.clean(row.file),
            media_type="application/octet-stream",
            write=write,
            help="As it was imported. The audit log records who took it.",
        )

"""The lines of one statement on their way in: copied to a table of the transaction's own, and judged there in SQL.

So memory stays flat, however many lines a file has. Equal lines are told apart by their place among equals, and a line
that an earlier statement of the account has is known again by its key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.gateways.bank_statements.parsed import Line

AT_ONCE = 5_000
TABLE = """
create temporary table if not exists staged_bank_lines (
    number bigint not null, place text not null, booked_on date not null, value_on date, amount bigint not null,
    reference text not null, counterparty text not null, text text not null, odd jsonb not null
) on commit drop
"""
COPY = """
copy pg_temp.staged_bank_lines (number, place, booked_on, value_on, amount, reference, counterparty, text, odd)
from stdin
"""
BOUNDS = text(
    "select count(*), coalesce(sum(amount), 0), min(booked_on), max(booked_on) from pg_temp.staged_bank_lines"
)
# What makes two lines equal; `offset` is how many equal ones the statements have that this one goes on from.
SAME = """
l.account_id = :account and l.repeats_id is null and l.booked_on = s.booked_on and l.amount_minor = s.amount
and l.value_on is not distinct from s.value_on and l.reference = s.reference
and l.counterparty = s.counterparty and l.text = s.text
"""
KEYED = f"""
select s.*, encode(sha256(convert_to(jsonb_build_array(booked_on, value_on, amount, reference, counterparty, text,
    row_number() over (partition by booked_on, value_on, amount, reference, counterparty, text order by number)
    + case when booked_on = any(cast(:on_from as date[]))
      then (select count(*) from bank_statement_lines l where {SAME}) else 0 end)::text, 'UTF8')), 'hex') as key
from pg_temp.staged_bank_lines s
"""
INSERT = text(
    f"""
    insert into bank_statement_lines (statement_id, account_id, currency, number, booked_on, value_on, amount_minor,
        reference, counterparty, text, odd, key, repeats_id)
    select :statement, :account, :currency, k.number, k.booked_on, k.value_on, k.amount, k.reference, k.counterparty,
        k.text, k.odd, k.key, known.id
    from ({KEYED}) k
    left join bank_statement_lines known
        on known.account_id = :account and known.key = k.key and known.repeats_id is null
    order by k.number
    """
)
SHARED = text(
    f"select exists (select from pg_temp.staged_bank_lines s join bank_statement_lines l on {SAME})"
)


@dataclass(frozen=True)
class Bounds:
    count: int
    total: int
    first_on: date | None
    last_on: date | None


class Staging:
    def __init__(self, session: Session) -> None:
        self.session, self.count, self._waiting = session, 0, list[tuple[Any, ...]]()
        session.execute(text(TABLE))
        self.empty()

    def empty(self) -> None:
        self.session.execute(text("truncate pg_temp.staged_bank_lines"))
        self.count = 0
        self._waiting.clear()

    def add(self, line: Line) -> None:
        self.count += 1
        said = (line.reference, line.counterparty, line.text, json.dumps(line.odd))
        self._waiting.append((self.count, line.place, line.booked_on, line.value_on, line.amount, *said))
        if len(self._waiting) == AT_ONCE:
            self._send()

    def bounds(self) -> Bounds:
        self._send()
        if (
            self.count > AT_ONCE
        ):  # nobody else looks at a temporary table, so its plans would be made for an empty one
            self.session.execute(text("analyze pg_temp.staged_bank_lines"))
        count, total, first, last = self.session.execute(BOUNDS).one()
        return Bounds(count, int(total), first, last)

    def shared(self, account_id: int) -> bool:
        """Whether an earlier statement of the account has a line that is here."""
        return bool(self.session.scalar(SHARED, {"account": account_id}))

    def insert(
        self, statement_id: int, account_id: int, currency: str, *, goes_on_from: Sequence[date]
    ) -> None:
        """`goes_on_from`: days on which equal lines of other statements are others, as this one goes on from them."""
        self._send()
        named = {"statement": statement_id, "account": account_id, "currency": currency}
        self.session.execute(INSERT, named | {"on_from": list(goes_on_from)})

    def _send(self) -> None:
        if not self._waiting:
            return
        connection = self.session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        with connection.cursor() as cursor, cursor.copy(COPY) as copy:
            for row in self._waiting:
                copy.write_row(row)
        self._waiting.clear()

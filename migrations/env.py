"""Alembic's environment: one transaction for all pending migrations, as the owner of the tables."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool

from core.audit.migrated_rows import leave_entry
from core.db import Record, driver_url


def _metadata() -> object:
    """The tables as the code sees them, for `alembic check`; migrations themselves import nothing of it."""
    import core.records
    import core.records.audit
    import core.records.ledger  # noqa: F401 (registers every table)

    return Record.metadata


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _run_on(connection)
        return
    url = driver_url(context.config.get_main_option("sqlalchemy.url") or "")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as opened:
        _run_on(opened)
        opened.commit()
    engine.dispose()


def _run_on(connection) -> None:  # type: ignore[no-untyped-def]
    context.configure(connection=connection, target_metadata=_metadata())
    with context.begin_transaction():
        context.run_migrations()
        leave_entry(connection)


run()

"""Bring a database to the present schema, as the owner of its tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

from core.db import driver_url

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Apply the migrations that are missing, all of them or none. Nothing happens when there are none."""
    command.upgrade(_config(owner_url), revision)


def pending(url: str) -> list[str]:
    """The revisions that the database lacks, oldest first."""
    engine = create_engine(driver_url(url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    script = ScriptDirectory.from_config(_config(url))
    missing = script.iterate_revisions("head", current or "base")
    return [revision.revision for revision in missing][::-1]


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config

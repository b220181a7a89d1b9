"""What docs/scaling.md says that another engine must have is what the desk uses, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

import procrastinate

ROOT = Path(__file__).resolve().parent.parent
USED = {
    "advisory locks": r"pg_(try_)?advisory",
    "`xid8`": r"\bxid8\b",
    "triggers": r"create trigger",
    "deferred constraints": r"deferrable initially deferred|initially deferred",
    "`SECURITY DEFINER`": r"security definer",
    "transition tables": r"referencing new table",
    "`skip locked`": r"skip locked|skip_locked",
    "`LISTEN`": r"\blisten \{|pg_notify",
    "trigram indexes": r"gin_trgm_ops",
    "unlogged tables": r"create unlogged table|set unlogged",
    "temporary tables": r"create temporary table",
    "`pg_control_system`": r"pg_control_system",
    "`COPY`": r"\bcopy \w+ ?\(|\bcopy \(|copy \{",
    "repeatable read": r"repeatable read",
    "exclusion constraints": r"exclude using",
    "row-level security": r"row level security|create policy",
    "event triggers": r"create event trigger",
    "materialized views": r"create materialized view",
    "partitions": r"partition of\b|partition by range",
    "large objects": r"lo_(create|import|export)",
    "foreign tables": r"create foreign table",
}


def source() -> str:
    """What the desk has run, and its queue."""
    folders = (ROOT / "migrations", ROOT / "core", Path(procrastinate.__file__).parent)
    files = (path for folder in folders for kind in ("*.py", "*.sql") for path in sorted(folder.rglob(kind)))
    return "\n".join(path.read_text(encoding="utf-8") for path in files).lower()


def test_the_list_of_what_an_engine_must_have_is_whole_and_has_nothing_else() -> None:
    text = source()
    used = {name for name, pattern in USED.items() if re.search(pattern, text)}
    page = (
        (ROOT / "docs" / "scaling.md")
        .read_text(encoding="utf-8")
        .split("## Another engine than PostgreSQL")[1]
    )
    told = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")}
    assert told - {"feature", "---"} == used

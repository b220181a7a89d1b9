"""`escrow-desk audit`: seal, verify, export."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.audit.filters import LOGS, AuditFilter
from core.cli.answers import LARGEST_ID, NUMBER, Json, console, opened, require_new, say, tell
from core.errors import DeskError
from core.rules.permissions import SYSTEM

if TYPE_CHECKING:
    from core.exports import Manifest

app = typer.Typer(no_args_is_help=True, help="The audit log: prove it, export it.")


class PeriodEmpty(DeskError):
    """There is nothing between {since} and {until}: --until is not included, and must be later than --since."""


# What one may say on the command line; the same words as in the filter and in the manifest.
Log = StrEnum("Log", {name: name for name in LOGS})  # type: ignore[misc]
FileFormat = StrEnum("FileFormat", {"csv": "csv", "jsonl": "jsonl"})


@app.command()
def seal(
    adopt: Annotated[bool, typer.Option(help="Sign a history that has no checkpoints, knowing why.")] = False,
    as_json: Json = False,
) -> None:
    """Seal and sign all that is closed; the worker does this each second."""
    from core import audit

    with opened() as desk:
        home = desk.settings.home
        done = audit.seal(
            desk.database, audit.signer(home), home / "checkpoints", now=desk.clock(), adopt=adopt
        )
    data = {"last_seal": done.last_seal, "rows": done.rows, "signed": done.signed}
    words = f"Seal {done.last_seal}: {done.rows} rows sealed, {done.signed} seals signed."
    say(data, as_json=as_json, words=tell(words))


@app.command()
def verify(as_json: Json = False) -> None:
    """Prove that nobody altered the log or the ledger; names the first thing that is off (exit code 1)."""
    from core import audit

    with opened() as desk, console.status("Verifying …") as status:

        def progress(done: int, total: int) -> None:
            status.update(f"Verifying … {done:,} of {total:,} rows")

        report = audit.verify(desk.auditor, desk.settings.home / "checkpoints", progress=progress)
    say(report.facts(), as_json=as_json, words=tell(report.text))
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The file to write; its manifest is written beside it.")],
    format: Annotated[FileFormat, typer.Option(help="The form of the file.")] = FileFormat.csv,
    since: Annotated[datetime | None, typer.Option(help="From this moment (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this moment (UTC).")] = None,
    action: Annotated[str | None, typer.Option(help="Actions that begin like this.")] = None,
    log: Annotated[Log | None, typer.Option(help="One of the logs that are asked for.")] = None,
    ticket: Annotated[
        int | None, typer.Option(help="About this case.", min=1, max=LARGEST_ID, metavar=NUMBER)
    ] = None,
    as_json: Json = False,
) -> None:
    """Export audit entries with a manifest; the export is itself recorded."""
    chosen = AuditFilter(
        since=_utc(since), until=_utc(until), action=action, log=log and log.value, ticket_id=ticket
    )
    if chosen.since and chosen.until and chosen.since >= chosen.until:
        raise PeriodEmpty(since=chosen.since, until=chosen.until)
    manifest = _write(out, chosen, format.value)
    beside = _beside(out)
    data = {"file": str(out), "manifest": str(beside), "rows": manifest.rows, "sha256": manifest.sha256}
    words = f"{manifest.rows} entries in {out} (SHA-256 {manifest.sha256}), manifest {beside}."
    say(data, as_json=as_json, words=tell(words))


def _write(out: Path, chosen: AuditFilter, format: str) -> Manifest:
    """Both files, or neither: what is half written is no export."""
    from core.exports import Format, export_audit

    beside = _beside(out)
    require_new(out)
    require_new(beside)
    with opened() as desk:
        try:
            with out.open("xb") as file:
                out.chmod(0o600)
                manifest: Any = export_audit(
                    desk.auditor,
                    chosen,
                    Format(format),
                    file,
                    desk=desk.database,
                    actor=SYSTEM,
                    now=desk.clock(),
                )
            beside.write_bytes(manifest.json())
        except BaseException:
            out.unlink(missing_ok=True)
            raise
    written: Manifest = manifest
    return written


def _beside(out: Path) -> Path:
    return out.with_name(out.name + ".manifest.json")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None

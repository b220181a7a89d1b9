"""`escrow-desk audit`: seal, verify, export. Keys are in `signing.py`, proofs in `audit_proofs.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.audit.filters import LOGS, AuditFilter
from core.cli import audit_proofs, operator, signing
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, console, opened, require_new, say, tell, whole_file
from core.cli.signing import Key
from core.errors import DeskError, NotFound
from core.rules.permissions import Permission, require

if TYPE_CHECKING:
    from core.audit_export import Exported
    from core.desk import Desk

app = typer.Typer(no_args_is_help=True, help="The audit log: prove it, export it.")
app.command("rotate-key")(signing.rotate_key)
app.command("trust-key")(signing.trust_key)
app.command("prove")(audit_proofs.prove)
app.command("prove-growth")(audit_proofs.prove_growth)
app.command("checkpoint")(audit_proofs.checkpoint)
app.command("verify-proof")(audit_proofs.verify_proof)


class PeriodEmpty(DeskError):
    """There is nothing between {since} and {until}: --until is not included, and must be later than --since."""


# What one may say on the command line; the same words as in the filter and in the manifest.
Log = StrEnum("Log", {name: name for name in LOGS})  # type: ignore[misc]
FileFormat = StrEnum("FileFormat", {"csv": "csv", "jsonl": "jsonl", "parquet": "parquet", "bundle": "bundle"})


@app.command()
def seal(
    adopt: Annotated[bool, typer.Option(help="Sign a history that has no checkpoints, knowing why.")] = False,
    reason: Annotated[str, typer.Option(help="With --adopt: why there are none; it stands in the log.")] = "",
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Seal and sign all that is closed; the worker does this each second."""
    from core import audit
    from core.audit import adoption

    with opened() as desk:
        home, now = desk.settings.home, desk.clock()
        signer = audit.desk_signer(desk.database, home, now=now)
        if adopt:
            actor = operator.actor(desk, as_)
            desk.database.run(lambda session: adoption.note(session, actor, now=now, reason=reason))
        done = audit.seal(desk.database, signer, home / "checkpoints", now=now, adopt=adopt)
    data = {"last_seal": done.last_seal, "rows": done.rows, "signed": done.signed}
    words = f"Seal {done.last_seal}: {done.rows} rows sealed, {done.signed} seals signed."
    say(data, as_json=as_json, words=tell(words))


@app.command()
def verify(
    key: Key = None,
    files: Annotated[
        bool, typer.Option("--files", help="Also read every evidence file and compare it with its hash.")
    ] = False,
    checkpoints: Annotated[
        Path | None, typer.Option(help="The folder of the checkpoints to believe, such as the one outside.")
    ] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Prove that nobody altered the log or the ledger; names the first thing that is off (exit code 1).

    Signatures must go back to the key that --key names, or that this account remembers, or that lies in this home. The
    first time the pinned key is taken as it is found, and remembered.
    """
    from core import audit
    from core.audit import outside_places

    with opened() as desk, console.status("Verifying …") as status:

        def progress(done: int, total: int) -> None:
            status.update(f"Verifying … {done:,} of {total:,} rows")

        require(operator.actor(desk, as_), Permission.VERIFY_AUDIT)
        trust = signing.trust(desk, key)
        report = audit.verify(
            desk.auditor,
            checkpoints or desk.settings.home / "checkpoints",
            trust=trust,
            progress=progress,
            files=desk.evidence.get if files else None,
            outside=outside_places.readable(desk.settings),
            authority=outside_places.authority(desk.settings),
        )
        remembered = signing.remembered(desk, report)
    words = "\n".join([report.text, *([remembered] if remembered else [])])
    say(report.facts(), as_json=as_json, words=tell(words))
    raise typer.Exit(0 if report.ok else 1)


@app.command("verify-export")
def verify_export(
    file: Annotated[Path, typer.Argument(help="The file from `audit export`.")],
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="Its manifest. Default: FILE.manifest.json, beside it; in a bundle, the one in it."
        ),
    ] = None,
    key: Key = None,
    authority: Annotated[
        Path | None,
        typer.Option(help="PEM with the root of the timestamp authority to believe, in a bundle."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold an export against its signed manifest; needs no database and no configuration.

    Names every row that was altered, inserted or put elsewhere, and every one that is missing (exit code 1). In a
    bundle every entry must also stand in the log that was signed. A key that is not known here proves nothing (also 1).
    """
    from core.audit import bundle_proof, export_proof
    from core.audit.timestamps import Authority

    if not file.is_file():  # before its manifest is looked for beside it
        raise export_proof.NoExport(path=file)
    if manifest is None and bundle_proof.is_bundle(file):
        wanted = signing.for_export(bundle_proof.ledger_of(file), key)
        proof = bundle_proof.verify(file, key=wanted, authority=Authority(authority) if authority else None)
    else:
        beside = manifest or _manifest_path(file)
        wanted = signing.for_export(export_proof.ledger_of(beside), key)
        proof = export_proof.verify(file, manifest=beside, key=wanted)
    stamped = proof.stamped
    at = stamped.at.isoformat() if stamped and stamped.at else None
    data = {"ok": proof.known, **vars(proof), "stamped": stamped and {"count": stamped.count, "at": at}}
    say(data, as_json=as_json, words=tell(proof.text()))
    raise typer.Exit(0 if proof.known else 1)


@app.command()
def export(
    out: Annotated[
        Path, typer.Option(help="The file to write; its manifest is written beside it, or into a bundle.")
    ],
    format: Annotated[FileFormat, typer.Option(help="The form of the file.")] = FileFormat.csv,
    since: Annotated[datetime | None, typer.Option(help="From this moment (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this moment (UTC).")] = None,
    action: Annotated[str | None, typer.Option(help="Actions that begin like this.")] = None,
    log: Annotated[Log | None, typer.Option(help="One of the logs that are asked for.")] = None,
    case: Annotated[
        int | None, typer.Option(help="About this case.", min=1, max=LARGEST_ID, metavar=NUMBER)
    ] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Export audit entries with a signed manifest; the export is itself recorded."""
    chosen = AuditFilter(
        since=_utc(since), until=_utc(until), action=action, log=log and log.value, ticket_id=case
    )
    if chosen.since and chosen.until and chosen.since >= chosen.until:
        raise PeriodEmpty(since=chosen.since, until=chosen.until)
    made = _write(out, chosen, format.value, as_)
    manifest = made.manifest
    data = {"file": str(out), "rows": manifest.rows, "sha256": made.sha256, "key": made.fingerprint}
    words = f"{manifest.rows} entries in {out} (SHA-256 {made.sha256}), "
    if manifest.format.value == "bundle":
        words += f"with their proof, signed by key {made.fingerprint}."
    else:
        data["manifest"] = str(_manifest_path(out))
        words += f"signed manifest {_manifest_path(out)}."
    say(data, as_json=as_json, words=tell(words))


def _write(out: Path, chosen: AuditFilter, format: str, as_: str | None) -> Exported:
    """Both files, or neither: what is half written is no export."""
    from core import audit
    from core.audit.export_manifest import Format
    from core.audit_export import export_audit

    beside = None if format == Format.BUNDLE else _manifest_path(out)
    require_new(out)
    if beside:
        require_new(beside)
    with opened() as desk:
        _require_known(desk, chosen)
        home, actor, now = desk.settings.home, operator.actor(desk, as_), desk.clock()
        signer = audit.desk_signer(desk.database, home, now=now)
        with whole_file(out) as file:
            made = export_audit(
                desk.auditor,
                chosen,
                Format(format),
                file,
                desk=desk.database,
                actor=actor,
                now=now,
                signer=signer,
                folder=home / "checkpoints",
            )
            if beside:
                beside.write_bytes(made.manifest.json())
    return made


def _require_known(desk: Desk, chosen: AuditFilter) -> None:
    """A mistyped number would become a signed proof of nothing."""
    from core.records import Case

    if chosen.ticket_id is None:
        return
    with desk.database.reading() as session:
        if session.get(Case, chosen.ticket_id) is None:
            raise NotFound(kind="case", id=chosen.ticket_id)


def _manifest_path(out: Path) -> Path:
    return out.with_name(out.name + ".manifest.json")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None

"""`escrow-desk`: everything an operator does from a terminal. `--json` where a program may read the answer.

Exit codes: 0 done and well, 1 done and something is wrong (a check, a verification, a reconciliation), 2 not done.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError

from core.config import Settings
from core.errors import DeskError
from core.rules.permissions import Role

Result = TypeVar("Result")
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Escrow Desk."
)
audit_app = typer.Typer(no_args_is_help=True, help="The audit log: prove it, export it.")
app.add_typer(audit_app, name="audit")
key_app = typer.Typer(no_args_is_help=True, help="Keys with which a platform comes in at /api/v1.")
app.add_typer(key_app, name="api-key")
endpoint_app = typer.Typer(no_args_is_help=True, help="Where a platform is told what happened.")
app.add_typer(endpoint_app, name="webhook-endpoint")
case_app = typer.Typer(no_args_is_help=True, help="Case files: list, export, verify offline.")
app.add_typer(case_app, name="case")
staff_app = typer.Typer(no_args_is_help=True, help="Who works at the desk.")
app.add_typer(staff_app, name="staff")

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
console, trouble = Console(), Console(stderr=True)


def main() -> None:
    """The entry point: a refusal is one sentence and exit code 2, never a traceback."""
    _log(logging.ERROR)
    try:
        app()
    except DeskError as refusal:
        trouble.print(f"[red]✗[/red] {refusal.message}", highlight=False, soft_wrap=True)
        raise SystemExit(2) from None
    except OperationalError as problem:
        reason = str(problem.orig or problem).strip().splitlines()[0]
        trouble.print(
            f"[red]✗[/red] The database cannot be reached: {reason}", highlight=False, soft_wrap=True
        )
        raise SystemExit(2) from None


def _log(level: int) -> None:
    """Lines from `level` up; LOG_LEVEL overrides it."""
    named = logging.getLevelNamesMapping().get(os.environ.get("LOG_LEVEL", "").upper(), level)
    # Plain tracebacks: the pretty ones print local variables, and those hold personal data.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper("iso", utc=True),
            structlog.processors.add_log_level,
            plain,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(named),
    )


def settings() -> Settings:
    """The environment; where it names no database, the demo that runs (or ran) in ESCROW_DESK_HOME."""
    found = Settings()
    if found.database_url:
        return found
    from core.demo.place import running

    return running(found)


@contextmanager
def opened() -> Iterator[Any]:
    from core.desk import Desk

    desk = Desk.open(settings())
    try:
        yield desk
    finally:
        desk.close()


def say(data: Any, *, as_json: bool, words: Callable[[], None]) -> None:
    if as_json:
        print(json.dumps(data, default=str, ensure_ascii=False))
    else:
        words()


@app.command()
def demo(
    port: Annotated[int, typer.Option(envvar="PORT", help="The dashboard's port.")] = 8501,
    home: Annotated[Path, typer.Option(envvar="ESCROW_DESK_HOME", help="Where all data lies.")] = Path(
        ".escrow-desk"
    ),
    reset: Annotated[bool, typer.Option(help="Throw the demo's data away and begin anew.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed tells the same stories.")] = 7,
    scale: Annotated[float, typer.Option(help="How many stories: 0.1 is a tenth, 1 is all.", min=0.0)] = 1.0,
) -> None:
    """Everything on this machine: PostgreSQL, sandbox, worker and dashboard, with three months of data."""
    from core.demo.run import Demo

    Demo(home, port, reset=reset, seed=seed, scale=scale, console=console).run()


@app.command()
def bench(
    seconds: Annotated[int, typer.Option(help="How long each measurement of the ledger lasts.")] = 6,
) -> None:
    """Measure against the design's targets: ratios in one run. Needs a checkout, and nothing running."""
    command = [sys.executable, "-m", "bench", "--seconds", str(seconds)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Default: PORT, else 8501.")] = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Without pages and sign-in.")] = False,
) -> None:
    """The dashboard, health checks, webhooks and the marketplace's door (/api/v1)."""
    arguments = [sys.executable, "-m", "dashboard.server", *(["--port", str(port)] if port else [])]
    os.execv(sys.executable, [*arguments, *(["--api-only"] if api_only else [])])


@app.command()
def worker() -> None:
    """Sends operations, applies webhooks, runs timers, delivers letters, seals the log. Run as many as you like."""
    from core.worker import run

    _log(logging.INFO)
    with opened() as desk:
        run(desk)


@app.command()
def migrate(
    name: Annotated[str, typer.Option(help="This desk's name, in front of every key sent to Stripe.")] = "",
) -> None:
    """Bring the database to the present schema; mark an empty one as this desk's."""
    from core.actions import install
    from core.db import Database
    from core.errors import DeskError as Refused
    from core.migrate import upgrade

    found = settings()
    upgrade(found.owner_url)
    database = Database(found.database_url)
    try:
        chosen = name or f"ed-{secrets.token_hex(3)}"
        database.run(lambda session: install.install(session, now=datetime.now(UTC), name=chosen))
        console.print(f"Installed as {chosen}.")
    except Refused as already:
        console.print(f"Schema is up to date. {already.message}")
    finally:
        database.dispose()


@app.command()
def check(as_json: Json = False) -> None:
    """Every invariant of the ledger and the desk; prints the offending rows and exits with 1 if there are any."""
    from core.queries import checks

    with opened() as desk, desk.database.reading() as session:
        results = checks.run(session)
    data = [{"invariant": each.name, "law": each.law, "rows": each.rows} for each in results]

    def words() -> None:
        table = Table("Invariant", "Law", "Offending rows", box=None)
        for each in results:
            verdict = f"[red]{len(each.rows)}[/red]" if each.rows else "[green]none[/green]"
            table.add_row(each.name, each.law, verdict)
        console.print(table)
        for each in results:
            for row in each.rows[:20]:
                console.print(f"  [red]{each.name}[/red] {json.dumps(row, default=str)}", highlight=False)

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if any(each.rows for each in results) else 0)


@app.command()
def reconcile(as_json: Json = False) -> None:
    """Fetch the provider's statement and match it with the ledger; exit code 1 when a line does not match."""
    from core.actions import reconcile as action
    from core.queries import reconciliation
    from core.rules.permissions import SYSTEM

    with opened() as desk:
        run_id = action.run(desk, SYSTEM)
        with desk.database.reading() as session:
            run = reconciliation.run(session, run_id)
    data = {
        "run": run.id,
        "status": run.status,
        "lines": run.lines,
        "matched": run.matched,
        "breaks": run.breaks,
    }

    def words() -> None:
        console.print(f"Run {run.id}: {run.status.lower()}, {run.matched} of {run.lines} lines match.")

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if run.breaks else 0)


@staff_app.command("add")
def staff_add(
    name: Annotated[str, typer.Option(help="As colleagues see it.")],
    email: Annotated[str, typer.Option(help="Where the desk writes to them.")],
    issuer: Annotated[str, typer.Option(help="The sign-in provider, as its tokens name it (iss).")],
    subject: Annotated[str, typer.Option(help="Who they are there (sub).")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    title: Annotated[str, typer.Option(help="What they do.")] = "",
) -> None:
    """Someone joins the desk, known by (issuer, subject) and never by e-mail."""
    from core.actions import install
    from core.rules.permissions import SYSTEM

    with opened() as desk:
        added = desk.database.run(
            lambda session: install.add_staff(
                session,
                SYSTEM,
                now=desk.clock(),
                issuer=issuer,
                subject=subject,
                name=name,
                email=email,
                roles=tuple(dict.fromkeys(role)),
                title=title,
            )
        )
    console.print(f"{name} is member of staff {added.id}: {', '.join(dict.fromkeys(role))}.")


@audit_app.command("seal")
def audit_seal(
    adopt: Annotated[bool, typer.Option(help="Sign a history that has no checkpoints, knowing why.")] = False,
) -> None:
    """Seal and sign all that is closed; the worker does this each second."""
    from core import audit

    with opened() as desk:
        home = desk.settings.home
        done = audit.seal(
            desk.database, audit.signer(home), home / "checkpoints", now=desk.clock(), adopt=adopt
        )
    console.print(f"Seal {done.last_seal}: {done.rows} rows sealed, {done.signed} seals signed.")


@audit_app.command("verify")
def audit_verify(as_json: Json = False) -> None:
    """Prove that nobody altered the log or the ledger; names the first thing that is off (exit code 1)."""
    from core import audit

    with opened() as desk, console.status("Verifying …") as status:

        def progress(done: int, total: int) -> None:
            status.update(f"Verifying … {done:,} of {total:,} rows")

        report = audit.verify(desk.auditor, desk.settings.home / "checkpoints", progress=progress)
    data = {
        "ok": report.ok,
        "rows": report.rows,
        "seals": report.seals,
        "open_rows": report.open_rows,
        "findings": [each.text for each in report.findings],
    }

    def words() -> None:
        console.print(report.text)

    say(data, as_json=as_json, words=words)
    raise typer.Exit(0 if report.ok else 1)


@audit_app.command("export")
def audit_export(
    out: Annotated[Path, typer.Option(help="The file to write; its manifest is written beside it.")],
    format: Annotated[str, typer.Option(help="csv or jsonl.")] = "csv",
    since: Annotated[datetime | None, typer.Option(help="From this moment (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this moment (UTC).")] = None,
    action: Annotated[str | None, typer.Option(help="Actions that begin like this.")] = None,
    ticket: Annotated[int | None, typer.Option(help="About this case.")] = None,
    as_json: Json = False,
) -> None:
    """Export audit entries with a manifest; the export is itself recorded."""
    from core.audit.filters import AuditFilter
    from core.exports import Format, export_audit
    from core.rules.permissions import SYSTEM

    def utc(moment: datetime | None) -> datetime | None:
        return moment.replace(tzinfo=UTC) if moment else None

    chosen = AuditFilter(since=utc(since), until=utc(until), action=action, ticket_id=ticket)
    with opened() as desk, out.open("wb") as file:
        manifest = export_audit(
            desk.auditor, chosen, Format(format), file, desk=desk.database, actor=SYSTEM, now=desk.clock()
        )
    beside = out.with_name(out.name + ".manifest.json")
    beside.write_bytes(manifest.json())
    data = {"file": str(out), "manifest": str(beside), "rows": manifest.rows, "sha256": manifest.sha256}
    say(
        data,
        as_json=as_json,
        words=lambda: console.print(f"{manifest.rows} entries in {out}, manifest {beside}."),
    )


Platform = Annotated[str, typer.Option(help="home_services or legal_services.")]


@key_app.command("create")
def api_key_create(
    platform: Platform,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="May read and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """A new key and its signing secret, shown this once."""
    from core.door import keys

    with opened() as desk:
        master, now = keys.master_key(desk.settings), desk.clock()
        made = desk.database.run(
            lambda session: keys.create(
                session, now=now, platform=platform, label=label, master=master, may_write=not read_only
            )
        )
    data = {"api_key": made.api_key, "signing_secret": made.signing_secret}
    say(data, as_json=as_json, words=lambda: _show_once(data))


@key_app.command("revoke")
def api_key_revoke(prefix: Annotated[str, typer.Argument(help="The key's first part: edk_3fa9c1…")]) -> None:
    """From now on this key opens nothing."""
    from core.door import keys

    with opened() as desk:
        prefix = "_".join(prefix.split("_")[:2])
        desk.database.run(lambda session: keys.revoke(session, now=desk.clock(), prefix=prefix))
    console.print(f"{prefix} is revoked.")


@endpoint_app.command("add")
def webhook_endpoint_add(
    platform: Platform,
    url: Annotated[str, typer.Option(help="An https address of the platform.")],
    as_json: Json = False,
) -> None:
    """Tell this address from now on; the secret that signs is shown this once."""
    from core.door import keys, outgoing

    with opened() as desk:
        master, now = keys.master_key(desk.settings), desk.clock()
        endpoint, secret = desk.database.run(
            lambda session: outgoing.add_endpoint(session, now=now, platform=platform, url=url, master=master)
        )
    data = {"id": endpoint.id, "url": endpoint.url, "signing_secret": secret}
    say(data, as_json=as_json, words=lambda: _show_once(data))


@endpoint_app.command("remove")
def webhook_endpoint_remove(number: Annotated[int, typer.Argument(help="The endpoint's id.")]) -> None:
    """Tell this address nothing more; what waits for it is dropped."""
    from core.door import outgoing

    with opened() as desk:
        desk.database.run(
            lambda session: outgoing.remove_endpoint(session, now=desk.clock(), endpoint_id=number)
        )
    console.print(f"Endpoint {number} is removed.")


def _show_once(data: dict[str, Any]) -> None:
    for name, value in data.items():
        console.print(f"{name.replace('_', ' '):>15}  {value}", highlight=False, soft_wrap=True, markup=False)
    console.print("Keep it now: it is not shown again.")


@case_app.command("list")
def case_list(
    decided: Annotated[bool, typer.Option(help="Only cases that were decided and carried out.")] = False,
    as_json: Json = False,
) -> None:
    """The cases of the desk, oldest first."""
    from core.case_file.listing import cases

    with opened() as desk, desk.database.reading() as session:
        rows = cases(session, decided=decided)

    def words() -> None:
        table = Table("Case", "Status", "Outcome", "Amount", "Milestone", box=None)
        for row in rows:
            table.add_row(
                f"D-{row['id']}", row["status"], row["outcome"] or "—", row["amount"], row["milestone"]
            )
        console.print(table)

    say(rows, as_json=as_json, words=words)


@case_app.command("export")
def case_export(
    case: Annotated[int, typer.Argument(help="The number of the case: 42 for D-42.")],
    out: Annotated[Path, typer.Option(help="The zip to write.")],
    as_json: Json = False,
) -> None:
    """Everything a decision stands on, as one zip that can be verified without the desk."""
    from core import case_file
    from core.rules.permissions import SYSTEM

    with opened() as desk:
        packed = desk.database.run(
            lambda session: case_file.export(
                session, SYSTEM, now=desk.clock(), store=desk.evidence, ticket_id=case
            )
        )
    out.write_bytes(packed.content)
    data = {"file": str(out), "sha256": packed.sha256, "files": packed.files}
    say(
        data, as_json=as_json, words=lambda: console.print(f"{packed.files} files in {out}, {packed.sha256}.")
    )


@case_app.command("verify")
def case_verify(
    file: Annotated[Path, typer.Argument(help="A zip from `case export`.")], as_json: Json = False
) -> None:
    """Compute every amount and hash of a case file again; needs no database and no configuration."""
    from core.case_file import proof

    found = proof.verify(file)
    data = {"ok": found.ok, "case": found.case, "checked": found.checked, "wrong": found.wrong}

    def words() -> None:
        for line in proof.lines(found):
            console.print(line, highlight=False, soft_wrap=True, markup=False)

    say(data, as_json=as_json, words=words)
    raise typer.Exit(0 if found.ok else 1)


@app.command()
def receipt(
    number: Annotated[int, typer.Argument(help="Its id: 17 for R-2026-000017.")],
    out: Annotated[Path, typer.Option(help="The PDF to write.")],
    as_json: Json = False,
) -> None:
    """A receipt, invoice or credit note as PDF."""
    from core.actions import receipts
    from core.rules.permissions import SYSTEM

    with opened() as desk:
        name, content = desk.database.run(
            lambda session: receipts.download(session, SYSTEM, now=desk.clock(), receipt_id=number)
        )
    out.write_bytes(content)
    data = {"file": str(out), "number": name.removesuffix(".pdf"), "bytes": len(content)}
    say(data, as_json=as_json, words=lambda: console.print(f"{data['number']} in {out}."))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Is everything in place? Database, schema, roles, keys, sandbox or Stripe, folders."""
    from core.doctor import examine

    findings = examine(settings())

    def words() -> None:
        for each in findings:
            mark = "[green]✓[/green]" if each.ok else "[red]✗[/red]"
            console.print(f"{mark} {each.what}: {each.words}", highlight=False, soft_wrap=True)

    say([vars(each) for each in findings], as_json=as_json, words=words)
    raise typer.Exit(0 if all(each.ok for each in findings) else 1)


if __name__ == "__main__":
    main()

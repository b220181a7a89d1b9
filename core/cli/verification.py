"""Is everything as it should be? check, reconcile, doctor. What is not is exit code 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.table import Table

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, environment, opened, say, settings, tell
from core.rules import status_labels
from core.rules.reconciliation import RunStatus, RunView

if TYPE_CHECKING:
    from core.rules.check_runs import CheckPart

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    for command in (check, reconcile, doctor):
        app.command()(command)


All = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Also the record against its seals, every evidence file and the case file of every decided case, as each "
        "night.",
    ),
]


def check(all_: All = False, as_: As = None, as_json: Json = False) -> None:
    """Run every check of the ledger and the desk; print the failing rows, and exit with 1 if there are any."""
    from core.queries import invariants

    if all_:
        _check_all(as_, as_json=as_json)
    with opened() as desk, desk.database.reading() as session:
        results = invariants.run(session)
    data = [
        {"invariant": each.name, "law": each.law, "count": each.count, "rows": each.rows} for each in results
    ]

    def words() -> None:
        table = Table("Check", "What must be true", "Failing rows", box=None)
        for each in results:
            verdict = f"[red]{each.count}[/red]" if each.rows else "[green]none[/green]"
            table.add_row(each.name, each.law, verdict)
        console.print(table)
        for each in results:
            for row in each.rows[:SHOWN]:
                tell(f"  {each.name} {json.dumps(row, default=str, ensure_ascii=False)}")()
            if each.count > SHOWN:
                tell(f"  {each.name}: these are {SHOWN} of {each.count}")()

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if any(each.rows for each in results) else 0)


def _check_all(as_: str | None, *, as_json: bool) -> NoReturn:
    """What the night checks, now; the page Checks has the result too. Exit code 2 while a worker is at a run."""
    from core.processes import check_runs
    from core.queries import check_runs as runs
    from core.rules.check_runs import PART_WORDS, CheckRunUnderWay

    with opened() as desk, console.status("Checking …") as status:

        def told(part: CheckPart, done: int, total: int) -> None:
            how_far = f", {done:,} of {total:,}" if total else ""
            status.update(f"Checking … {PART_WORDS[part].lower()}{how_far}")

        run_id = check_runs.run_now(desk, operator.actor(desk, as_), told)
        with desk.database.reading() as session:
            last = runs.standing(session, now=desk.clock()).last
    if last is None or last.id != run_id:
        raise CheckRunUnderWay(run=run_id)
    results = [
        {"part": each.part, "checked": each.checked, "wrong": each.wrong, "first": each.first}
        for each in last.results
    ]
    data = {"run": run_id, "wrong": last.wrong, "results": results}

    def words() -> None:
        for each in last.results:
            tell(
                f"{PART_WORDS[each.part]}: {each.checked:,} checked, {each.wrong:,} not as they should be."
            )()
            for sentence in each.first:
                tell(f"  {sentence}")()

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if last.wrong else 0)


Dry = Annotated[bool, typer.Option("--dry-run", help="Show what would match, and keep nothing.")]


def reconcile(dry_run: Dry = False, as_: As = None, as_json: Json = False) -> None:
    """Compare Stripe's statement, and our banks', with the ledger; exit code 1 unless every line is what it is booked
    as."""
    from core.processes import reconciliation as action
    from core.queries import reconciliation

    if dry_run:
        _dry_run(as_, as_json=as_json)
    with opened() as desk:
        run_id = action.run(desk, operator.actor(desk, as_))
        with desk.database.reading() as session:
            run = reconciliation.run(session, run_id)
    data = {
        "run": run.id,
        "status": run.status,
        "lines": run.lines,
        "matched": run.matched,
        "in_suspense": run.in_suspense,
        "unmatched": run.unmatched,
        "breaks": run.breaks,
    }
    words = (
        f"Run {run.id}: {run.state.lower().replace('_', ' ')}. Of {run.lines} lines of Stripe's {run.matched} match. "
        f"On every statement {run.in_suspense} amounts are in suspense, and {run.unmatched} lines do not match."
    )
    off = f" {run.breaks} breaks: see the page Reconciliation." if run.breaks else ""
    say(data, as_json=as_json, words=tell(words + off))
    raise typer.Exit(0 if run.state in (RunStatus.CLEAN, RunView.EMPTY) else 1)


def _dry_run(as_: str | None, *, as_json: bool) -> NoReturn:
    from core.processes import reconciliation as action

    with opened() as desk:
        found = action.dry_run(desk, operator.actor(desk, as_))
    run = found.run
    counts = {name: getattr(run, name) for name in ("status", "lines", "matched", "in_suspense", "unmatched")}
    data = counts | {
        "breaks": [{"reference": each.reference if each.first_run_id != run.id else None, "class": each.class_,
                    "sentence": each.sentence} for each in found.breaks],
        "bank_matches": [
            {"rule": each.rule, "lines": each.lines, "postings": each.postings, "amount": each.amount}
            for each in found.matches
        ],
    }  # fmt: skip

    def words() -> None:
        tell(
            f"Of {run.lines} lines of Stripe's {run.matched} would match. On every statement {run.in_suspense} amounts "
            f"would be in suspense, and {run.unmatched} lines would not match. "
            f"{len(found.matches)} matches with our bank would be made, and {len(found.breaks)} breaks would be open. "
            "Nothing was kept."
        )()
        for match in found.matches:
            tell(f"  {match.rule}: {match.lines} lines, {match.postings} postings, {match.amount.text()}")()
        for each in found.breaks:
            number = f"{each.reference}, " if each.first_run_id != run.id else ""
            tell(f"  {number}{status_labels.words('break class', each.class_)}: {each.sentence}")()

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if found.breaks else 0)


def doctor(as_json: Json = False) -> None:
    """Is everything in place? Home, keys, database, schema, roles, clock, sandbox or Stripe, webhooks, mail."""
    from core.demo.settings_file import NoDatabase
    from core.doctor import examine

    try:
        found = settings()
    except NoDatabase:
        found = environment()  # everything else is looked at all the same
    findings = examine(found)

    def words() -> None:
        for each in findings:
            console.print("[green]✓[/green] " if each.ok else "[red]✗[/red] ", end="")
            tell(f"{each.what}: {each.words}")()

    say([vars(each) for each in findings], as_json=as_json, words=words)
    raise typer.Exit(0 if all(each.ok for each in findings) else 1)

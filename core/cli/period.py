"""`escrow-desk close`, `reopen` and `period`: days, months and fiscal years, closed, reopened by two, and verified."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, say, tell
from core.errors import DeskError
from core.rules.periods import PeriodKind

app = typer.Typer(no_args_is_help=True, help="Closed days, months and fiscal years.")


class NotADay(DeskError):
    """“{given}” is no day. Write it as 2026-11-30; of a month or year, any of its days, or 2026-11."""


class SummaryUnreadable(DeskError):
    """{path} cannot be read as the summary of a period: {why}."""


def add_to(commands: typer.Typer) -> None:
    commands.command()(close)
    commands.command()(reopen)
    commands.add_typer(app, name="period")


def _kind(given: str) -> PeriodKind:
    if given.upper() not in list(PeriodKind):
        raise typer.BadParameter("it is day, month or year")
    return PeriodKind(given.upper())


Which = Annotated[
    PeriodKind, typer.Argument(help="day, month or fiscal year.", parser=_kind, metavar="day|month|year")
]
Day = Annotated[
    str, typer.Argument(help="The day, or a day of the month or year: 2026-11-30.", metavar="DATE")
]


def close(
    kind: Which,
    day: Day,
    explanation: Annotated[
        str, typer.Option(help="Why it is closed although a break, or something in suspense, is open.")
    ] = "",
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Close a day, a month or a fiscal year: what is missing is named, what is closed is locked and signed."""
    from core import audit
    from core.actions.periods import closing
    from core.rules import periods as rules

    chosen = day_of(day)
    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        begins = desk.settings.fiscal_year_begins
        wanted = rules.span(kind, chosen, year_begins=begins)
        signer = audit.desk_signer(desk.database, desk.settings.home, now=now)
        row = desk.database.run(
            lambda session: closing.close(
                session,
                actor,
                now=now,
                kind=kind,
                day=chosen,
                signer=signer,
                explanation=explanation,
                year_begins=begins,
            )
        )
    digest = audit.period_summary.digest(row.summary)
    data = {"period": row.id, "kind": kind, "first": wanted.first, "last": wanted.last, "sha256": digest}
    say(
        data,
        as_json=as_json,
        words=tell(f"{wanted.words} is closed. SHA-256 of its signed summary: {digest}."),
    )


def reopen(
    kind: Which,
    day: Day,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Ask for a closed period to be reopened; when somebody else has asked already, agree to it.

    Agreeing needs the owner's login (DATABASE_OWNER_URL)."""
    from core.actions.periods import reopening
    from core.queries import periods as queries
    from core.rules import periods as rules
    from core.rules.permissions import Permission, require_one

    chosen = day_of(day)
    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        require_one(actor, Permission.REOPEN_PERIOD, Permission.CONFIRM_REOPENING)
        wanted = rules.span(kind, chosen, year_begins=desk.settings.fiscal_year_begins)
        with desk.database.reading() as session:
            row = queries.closed(session, wanted)
        if row is None:
            raise rules.PeriodNotClosed(period=wanted.words)
        waits = row.waits_id if row.waits_by != actor.id else None
        if waits is not None:
            approve = partial(reopening.approve, actor=actor, now=now, reopening_id=waits, reason=reason)
            with operator.with_owner(desk, "Periods") as owned:
                periods = [reopening.words(each) for each in owned.database.run(approve)]
        else:
            propose = partial(reopening.propose, actor=actor, now=now, period_id=row.id, reason=reason)
            desk.database.run(propose)
            periods = [row.words]
    done = waits is not None
    words = (
        f"Reopened: {', '.join(periods)}."
        if done
        else f"Submitted: {periods[0]} is reopened when somebody else agrees: on the page Periods, or with the same"
        " command and the owner's login."
    )
    say({"reopened": done, "periods": periods}, as_json=as_json, words=tell(words))


@app.command("list")
def list_periods(as_json: Json = False) -> None:
    """What was closed, newest first, and from which day the books are open."""
    from core.queries import periods as queries

    with opened() as desk, desk.database.reading() as session:
        since, found = queries.open_from(session), queries.rows(session, limit=1_000)
    data = {
        "open_from": since,
        "periods": [
            {
                "id": each.id,
                "kind": each.kind,
                "first": each.first_day,
                "last": each.last_day,
                "status": each.status,
                "closed_at": each.closed_at,
                "closed_by": each.closed_by,
            }
            for each in found
        ],
    }

    def words() -> None:
        table = Table("Period", "Status", "Closed at (UTC)", "Closed by", box=None)
        for each in found:
            said = (each.words, each.status.capitalize(), f"{each.closed_at:%Y-%m-%d %H:%M}", each.closed_by)
            table.add_row(*(Text(one) for one in said))
        console.print(table)
        tell(f"Open from {since:%-d %b %Y}, UTC." if since else "Nothing was ever closed.")()

    say(data, as_json=as_json, words=words)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A summary as JSON, from the page Periods.")],
    key: Annotated[
        str | None, typer.Option(help="The fingerprint, or the public key in a file, it must bear.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove the signature of a period's summary, with no database; exit code 1 where it does not fit."""
    from core.audit import period_summary
    from core.case_file.signing import named_key

    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        period = f"{summary['first']} to {summary['last']}"
    except OSError as problem:
        raise SummaryUnreadable(path=file, why=(problem.strerror or "it cannot be opened").lower()) from None
    except ValueError:
        raise SummaryUnreadable(path=file, why="it is no JSON") from None
    except (KeyError, TypeError):
        raise SummaryUnreadable(path=file, why="it names no first and last day") from None
    public = period_summary.signer_of(summary)
    wanted = named_key(key) if key else None
    good = public is not None and wanted in (None, public.fingerprint)
    data = {"ok": good, "period": period, "key": public.fingerprint if public else None}
    if public is None:
        words = f"The signature does not fit: the summary of {period} was changed, or was never signed."
    elif not good:
        words = f"The summary of {period} is signed, but by another key: {public.fingerprint}."
    else:
        known = "as named" if wanted else "compare it with the desk's own"
        words = f"The summary of {period} is as it was signed, by key {public.fingerprint} ({known})."
    say(data, as_json=as_json, words=tell(words))
    raise typer.Exit(0 if good else 1)


def day_of(given: str) -> date:
    """`2026-11-30`, or `2026-11` as its first day. Raises `NotADay`."""
    for form in ("%Y-%m-%d", "%Y-%m"):
        try:
            return datetime.strptime(given.strip(), form).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    raise NotADay(given=given)

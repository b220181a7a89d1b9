"""`escrow-desk retention`: whom the policy keeps no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, say

if TYPE_CHECKING:
    from core.queries.retention import PersonDue

app = typer.Typer(no_args_is_help=True, help="Whom the policy keeps no longer.")


@app.callback()
def only_run() -> None:
    """So that `run` is named."""


@app.command()
def run(
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say who is due and what keeps whom; nothing is proposed.")
    ] = False,
    approve: Annotated[
        bool,
        typer.Option(
            "--approve",
            help="Erase the people of the run that waits, as another than who proposed it; for good.",
        ),
    ] = False,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Propose to erase those whom the policy keeps no longer. Needs --as.

    Another person carries it out, with --approve and the owner's login (DATABASE_OWNER_URL), or on the page Personal
    data: each person in a transaction of their own, so a run that is broken off goes on where it stopped, and nobody
    is erased twice. Exit code 1 where somebody who is due was not proposed or erased, because something is in the
    way: each is said."""
    from core.actions.privacy import retention as action
    from core.processes import retention_run as carried_out
    from core.queries import retention
    from core.rules.permissions import Permission, require

    done: list[str] = []
    proposed: list[int] = []
    refused: dict[str, str] = {}
    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        require(actor, Permission.READ_PERSONAL_DATA)
        if approve and not dry_run:
            with desk.database.reading() as session:
                waiting = retention.waiting(session)
            with operator.with_owner(desk, "Personal data") as owned:
                done, refused = carried_out.carry_out(owned, actor, waiting, now=now, reason=reason)
        elif not dry_run:
            proposed = [
                row.id
                for row in desk.database.run(
                    lambda session: action.propose(session, actor, now=now, reason=reason)
                )
            ]
        with desk.database.reading() as session:
            due = retention.looked_at(session, retention.due(session, now=now))
    data = {
        "due": [_told(each) for each in due],
        "proposed": proposed,
        "erased": done,
        "refused": [{"person": who, "why": why} for who, why in refused.items()],
    }

    def words() -> None:
        for each in due:
            _print(f"{each.external_id}: {each.state}")
        for who, why in refused.items():
            _print(f"{who} was not erased: {why}")
        if proposed:
            left = sum(each.erasure_id is None for each in due)
            _print(
                f"Proposed: {len(proposed)}, left out: {left}. Another person carries it out, with --approve."
            )
        elif done or refused:
            _print(f"Erased: {len(done)}.")
        elif not due:
            _print("Nobody is due.")

    say(data, as_json=as_json, words=words)
    raise typer.Exit(1 if refused or any(each.blocks for each in due) else 0)


def _print(words: str) -> None:
    console.print(words, highlight=False, soft_wrap=True, markup=False)


def _told(each: PersonDue) -> dict[str, object]:
    return {
        "person": each.external_id,
        "party": each.id,
        "marketplace": each.platform,
        "since": each.since,
        "due_at": each.due_at,
        "legal_hold": {"placed_by": each.held_by, "placed_at": each.held_since} if each.held_by else None,
        "proposal": each.erasure_id,
        "blocks": [{"code": block.code, "sentence": block.sentence} for block in each.blocks],
    }

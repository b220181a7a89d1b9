"""`escrow-desk person`: what is kept about one person, and whether it may be erased."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, opened, say, tell
from core.policy import Platform

app = typer.Typer(no_args_is_help=True, help="What is kept about one person.")

Person = Annotated[
    str, typer.Argument(help="What the marketplace calls them: their external id.", metavar="EXTERNAL_ID")
]
Marketplace = Annotated[
    Platform | None, typer.Option(help="Whose party it is, where both marketplaces have one of that name.")
]


@app.command()
def hold(
    external_id: Person,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    lift: Annotated[bool, typer.Option("--lift", help="Lift the legal hold that stands.")] = False,
    marketplace: Marketplace = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Place a legal hold on a person: nothing about them is erased until it is lifted. Needs --as."""
    from core.actions.privacy import legal_holds
    from core.queries import personal_data

    act = legal_holds.lift if lift else legal_holds.place
    with opened() as desk:
        actor = operator.actor(desk, as_)
        now = desk.clock()
        row = desk.database.run(
            lambda session: act(
                session,
                actor,
                now=now,
                party_id=personal_data.named(session, external_id, marketplace),
                reason=reason,
            )
        )
    state = "is lifted" if lift else "stands: nothing about them is erased until it is lifted"
    data = {"person": external_id, "party": row.party_id, "legal_hold": row.id, "stands": not lift}
    say(data, as_json=as_json, words=tell(f"Legal hold {row.id} on {external_id} {state}."))

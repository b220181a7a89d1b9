"""`escrow-desk settlement`: in which currencies the platform's Stripe account settles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, opened, say, tell
from core.rules.settlement_currency import KnownFrom

app = typer.Typer(no_args_is_help=True, help="In which currencies the platform's Stripe account settles.")
FROM: Mapping[str, str] = {
    KnownFrom.STRIPE: "read from Stripe",
    KnownFrom.LINE: "a charge was converted",
    KnownFrom.PERSON: "confirmed",
}


@app.callback()
def group() -> None:
    """In which currencies the platform's Stripe account settles."""


@app.command()
def show(as_json: Json = False) -> None:
    """What is known, of which source and from when. Payments are accepted in settled currencies only."""
    from core.actions.funding import settlement_currency

    with opened() as desk, desk.database.reading() as session:
        rows = [
            {"currency": row.currency, "settles": row.settles, "known_from": row.known_from, "at": row.at}
            for row in settlement_currency.known(session)
        ]
    lines = [
        f"{row['currency']}: {'settled' if row['settles'] else 'not settled'}, {FROM[str(row['known_from'])]}, "
        f"{row['at']:%d %B %Y at %H:%M} UTC."
        for row in rows
    ]
    nothing = ["Nothing is known yet: the worker reads it from Stripe within a minute."]
    say(rows, as_json=as_json, words=tell("\n".join(lines or nothing)))


@app.command()
def confirm(
    currency: Annotated[str, typer.Argument(help="EUR, for example.")],
    converted: Annotated[bool, typer.Option(help="It is converted: accept no payment in it.")] = False,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Say, after a look at the account's settings at Stripe, that a currency is settled in (or not)."""
    from core.actions.funding import settlement_currency

    code = currency.strip().upper()
    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(
            lambda session: settlement_currency.confirm(
                session, actor, now=desk.clock(), currency=code, settles=not converted
            )
        )
    words = f"{code} is {'not ' if converted else ''}settled in."
    say({"currency": code, "settles": not converted}, as_json=as_json, words=tell(words))

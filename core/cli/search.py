"""`escrow-desk search`: a number, an id of Stripe's, an amount or a name."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, print_whole, say
from core.queries.search import Hit
from core.rules import documents
from core.rules.search import MOST_CHARACTERS, SHORTEST, Found, NothingToLookFor, meaning


def _kind(hit: Hit) -> str:
    return documents.title_of(hit.reference) if hit.kind is Found.RECEIPT else hit.kind.capitalize()


def search(
    words: Annotated[
        str,
        typer.Argument(help=f"What to look for, at most {MOST_CHARACTERS} characters: D-42, pi_…, 1,043.56."),
    ],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """What bears this number, Stripe id, amount or name, as far as you may see it. Code 1: nothing does."""
    from core.queries import search as queries

    if meaning(words).is_none:
        raise NothingToLookFor(shortest=SHORTEST)

    with opened() as desk:
        actor = operator.actor(desk, as_)
        with desk.database.reading() as session:
            found = queries.search(session, actor, words, now=desk.clock())

    def as_data(hit: Hit) -> dict[str, Any]:
        return {
            "kind": hit.kind,
            "id": hit.id,
            "reference": hit.reference,
            "title": hit.title,
            "detail": hit.detail,
            "amount": hit.amount,
            "status": hit.status,
            "status_words": hit.status_words or None,
        }

    def table() -> None:
        if not found.hits:
            console.print("Nothing that you may see bears this number, id, amount or name.")
            return
        rows = Table("Kind", "Reference", "Title", "Detail", "Amount", "Found by", "Status", box=None)
        for hit in found.hits:
            said = (
                _kind(hit),
                hit.reference,
                hit.title,
                hit.detail,
                str(hit.amount or ""),
                f"{hit.matched} {hit.matched_as}" if hit.matched else "",
                hit.status_words,
            )
            rows.add_row(*map(Text, said))  # names and titles come from outside and are no markup
        print_whole(rows)

    data = {"hits": [as_data(each) for each in found.hits], "more": sorted(found.more)}
    say(data, as_json=as_json, words=table)
    if not found.hits:
        raise typer.Exit(1)

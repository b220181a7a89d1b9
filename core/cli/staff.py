"""`escrow-desk staff`: who works at the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.answers import Json, opened, say, tell
from core.errors import DeskError
from core.rules.permissions import SYSTEM, Role

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.records import Staff

app = typer.Typer(no_args_is_help=True, help="Who works at the desk.")


class StaffIncomplete(DeskError):
    """A member of staff needs a name, an address, and the issuer and subject of their sign-in. Empty: {missing}."""


@app.callback()
def group() -> None:
    """Who works at the desk."""


@app.command()
def add(
    name: Annotated[str, typer.Option(help="As colleagues see it.")],
    email: Annotated[str, typer.Option(help="Where the desk writes to them.")],
    issuer: Annotated[str, typer.Option(help="The sign-in provider, as its tokens name it (iss).")],
    subject: Annotated[str, typer.Option(help="Who they are there (sub).")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    title: Annotated[str, typer.Option(help="What they do.")] = "",
    as_json: Json = False,
) -> None:
    """Someone joins the desk, known by (issuer, subject) and never by e-mail."""
    from core.actions import install

    name, email, issuer, subject = (given.strip() for given in (name, email, issuer, subject))
    needed = {"the name": name, "the address": email, "the issuer": issuer, "the subject": subject}
    if missing := [what for what, given in needed.items() if not given]:
        raise StaffIncomplete(missing=" and ".join(missing))
    roles = tuple(dict.fromkeys(role))

    def join(session: Session) -> Staff:
        return install.add_staff(
            session,
            SYSTEM,
            now=desk.clock(),
            issuer=issuer,
            subject=subject,
            name=name,
            email=email,
            roles=roles,
            title=title,
        )

    with opened() as desk:
        added = desk.database.run(join)
    data = {"id": added.id, "name": added.name, "roles": [each.value for each in roles]}
    words = f"{added.name} is member of staff {added.id}: {', '.join(roles)}."
    say(data, as_json=as_json, words=tell(words))

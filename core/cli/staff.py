"""`escrow-desk staff`: who works at the desk, as what; who joins, and who leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, console, opened, say, tell
from core.errors import DeskError
from core.rules.permissions import Role
from core.rules.references import reference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.records import Staff

PASSED_ON = "The worker gives each to another mediator, or back to the queue."

app = typer.Typer(no_args_is_help=True, help="Who works at the desk.")


class StaffIncomplete(DeskError):
    """A member of staff needs a name, an address, and the issuer and subject of their sign-in. Empty: {missing}."""


@app.command()
def add(
    name: Annotated[str, typer.Option(help="As colleagues see it.")],
    email: Annotated[str, typer.Option(help="Where the desk writes to them.")],
    issuer: Annotated[str, typer.Option(help="The sign-in provider, as its tokens name it (iss).")],
    subject: Annotated[str, typer.Option(help="Who they are there (sub).")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    title: Annotated[str, typer.Option(help="What they do.")] = "",
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Someone joins the desk, known by (issuer, subject) and never by e-mail."""
    from core.actions.staff import install

    name, email, issuer, subject = (given.strip() for given in (name, email, issuer, subject))
    needed = {"the name": name, "the address": email, "the issuer": issuer, "the subject": subject}
    if missing := [what for what, given in needed.items() if not given]:
        raise StaffIncomplete(missing=" and ".join(missing))
    roles = tuple(dict.fromkeys(role))

    def join(session: Session) -> Staff:
        return install.add_staff(
            session,
            actor,
            now=desk.clock(),
            issuer=issuer,
            subject=subject,
            name=name,
            email=email,
            roles=roles,
            title=title,
        )

    with opened() as desk:
        actor = operator.actor(desk, as_)
        added = desk.database.run(join)
    data = {"id": added.id, "name": added.name, "roles": [each.value for each in roles]}
    words = f"{added.name} is member of staff {added.id}: {', '.join(roles)}."
    say(data, as_json=as_json, words=tell(words))


Member = Annotated[int, typer.Argument(help="Their number.", min=1, max=LARGEST_ID, metavar=NUMBER)]
Why = Annotated[str, typer.Option(help="Why; it stands in the audit log.")]


@app.command("list")
def list_staff(as_json: Json = False) -> None:
    """Everyone who works here, and who has left: number, name, roles, open cases."""
    from core.queries import people

    with opened() as desk, desk.database.reading() as session:
        found = people.staff(session, now=desk.clock())
    data = [
        {
            "id": each.id,
            "name": each.name,
            "roles": [role.value for role in each.roles],
            "active": each.active,
            "open_cases": each.cases,
        }
        for each in found
    ]

    def words() -> None:
        table = Table("Number", "Name", "Roles", "Open cases", "State", box=None)
        for each in found:
            state = "works here" if each.active else "left"
            roles = ", ".join(map(str, each.roles)) or "—"
            said = (each.id, each.name, roles, each.cases, state)
            table.add_row(*(Text(str(one)) for one in said))  # a name is no markup
        console.print(table)

    say(data, as_json=as_json, words=words)


@app.command("set-roles")
def set_roles(
    number: Member,
    role: Annotated[list[Role], typer.Option(help="May be given several times; these and no others.")],
    reason: Why,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Give someone other roles, at once and in every session that is open."""
    from core.actions.staff import members

    roles = tuple(dict.fromkeys(role))
    with opened() as desk:
        actor = operator.actor(desk, as_)
        changed = desk.database.run(
            lambda session: members.set_roles(
                session, actor, now=desk.clock(), staff_id=number, roles=roles, reason=reason
            )
        )
    data = {"id": changed.id, "name": changed.name, "roles": [each.value for each in roles]}
    say(data, as_json=as_json, words=tell(f"{changed.name} is now: {', '.join(roles)}."))


@app.command()
def leave(number: Member, reason: Why, as_: As = None, as_json: Json = False) -> None:
    """Someone leaves the desk: their sessions end at once, and they cannot sign in again."""
    _set_active(number, False, reason, as_, as_json)


@app.command("come-back")
def come_back(number: Member, reason: Why, as_: As = None, as_json: Json = False) -> None:
    """Someone who had left works here again, with the roles they had."""
    _set_active(number, True, reason, as_, as_json)


@app.command()
def tie(
    number: Member,
    party: Annotated[int, typer.Argument(help="The party's number.", min=1, max=LARGEST_ID, metavar=NUMBER)],
    reason: Why,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Someone is tied to a party: its cases are not given to them, and they decide none of them."""
    from core.actions.staff import install
    from core.queries import people

    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(
            lambda session: install.declare_tie(
                session, actor, now=desk.clock(), staff_id=number, party_id=party, reason=reason
            )
        )
        with desk.database.reading() as session:
            touched = people.touched_by_tie(session, staff_id=number, party_id=party)
    data = {"id": number, "party": party, "reason": reason, **vars(touched)}
    told = [f"Member of staff {number} is tied to party {party}."]
    if touched.open_cases:
        named = ", ".join(reference("case", each) for each in touched.open_cases)
        told.append(f"Open cases still assigned to them: {named}. {PASSED_ON}")
    if touched.undone_decisions:
        named = ", ".join(reference("case", each) for each in touched.undone_decisions)
        told.append(
            f"Their part in decisions that are not executed does not stand, so these return: {named}."
        )
    say(data, as_json=as_json, words=tell(" ".join(told)))


def _set_active(number: int, active: bool, reason: str, as_: str | None, as_json: bool) -> None:
    from core.actions.staff import members

    with opened() as desk:
        actor = operator.actor(desk, as_)

        def change(session: Session) -> tuple[Staff, int]:
            changed = members.set_active(
                session, actor, now=desk.clock(), staff_id=number, active=active, reason=reason
            )
            return changed, members.open_cases(session, number)

        changed, cases = desk.database.run(change)
    data = {"id": changed.id, "name": changed.name, "active": active, "open_cases": cases}
    state = "works here again" if active else "has left; every session of theirs has ended"
    waiting = f" They have {cases} open cases. {PASSED_ON}" if cases and not active else ""
    say(data, as_json=as_json, words=tell(f"{changed.name} {state}.{waiting}"))

"""`escrow-desk staff`: who works at the desk, as what; who joins, and who leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator, staff_emergency, staff_groups
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, console, opened, say, tell
from core.errors import DeskError
from core.rules.permissions import Role
from core.rules.references import reference
from core.rules.templates import ProjectType

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.records import Staff

PASSED_ON = "The worker gives each to another mediator, or back to the queue."

app = typer.Typer(no_args_is_help=True, help="Who works at the desk.")
app.command("emergency")(staff_emergency.give)
app.command("review")(staff_emergency.review)
app.command("group")(staff_groups.group)
app.command("groups")(staff_groups.groups)


class NoRoleNamed(DeskError):
    """Name a role to give or to take, as in --give finance or --take mediator. Nothing was changed."""


class HandOverUnreadable(DeskError):
    """“{given}” names no case and mediator. Write it as 17=4, or 17=queue. Nothing was changed."""


class StaffIncomplete(DeskError):
    """A member of staff needs a name, an address, and the issuer and subject of their sign-in. Empty: {missing}."""


@app.command()
def add(
    name: Annotated[str, typer.Option(help="As colleagues see it.")],
    email: Annotated[str, typer.Option(help="Where the desk writes to them.")],
    issuer: Annotated[str, typer.Option(help="The sign-in provider, as its tokens name it (iss).")],
    subject: Annotated[str, typer.Option(help="Who they are there (sub).")],
    role: Annotated[
        list[Role] | None,
        typer.Option(
            help="May be given several times. Given at once while fewer than two administrators work here, else "
            "proposed: --as names the administrator who does."
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="What they do.")] = "",
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Someone joins the desk, known by (issuer, subject) and never by e-mail."""
    from core.actions.staff import install, role_grants

    name, email, issuer, subject = (given.strip() for given in (name, email, issuer, subject))
    needed = {"the name": name, "the address": email, "the issuer": issuer, "the subject": subject}
    if missing := [what for what, given in needed.items() if not given]:
        raise StaffIncomplete(missing=" and ".join(missing))
    roles = tuple(dict.fromkeys(role or ()))

    def join(session: Session) -> tuple[Staff, int | None]:
        now, alone = desk.clock(), actor.kind != "staff"
        row = install.add_staff(
            session,
            actor,
            now=now,
            issuer=issuer,
            subject=subject,
            name=name,
            email=email,
            roles=roles if alone else (),
            title=title,
        )
        if alone or not roles:
            return row, None
        proposed = role_grants.propose(
            session, actor, now=now, staff_id=row.id, roles=roles, reason="On joining the desk."
        )
        return row, proposed.id

    with opened() as desk:
        actor = operator.actor(desk, as_)
        added, proposal = desk.database.run(join)
    data = {
        "id": added.id,
        "name": added.name,
        "roles": [] if proposal else [each.value for each in roles],
        "proposal": proposal,
        "proposed": [each.value for each in roles] if proposal else [],
    }
    words = f"{added.name} is member of staff {added.id}: {', '.join(roles) or 'without a role'}."
    if proposal:
        words = (
            f"{added.name} is member of staff {added.id}, without a role. Proposed: {', '.join(roles)}. Another "
            "administrator approves it on the page People."
        )
    say(data, as_json=as_json, words=tell(words))


Member = Annotated[int, typer.Argument(help="Their number.", min=1, max=LARGEST_ID, metavar=NUMBER)]
Why = Annotated[str, typer.Option(help="Why; it stands in the audit log.")]


@app.command("list")
def list_staff(as_: As = None, as_json: Json = False) -> None:
    """Everyone who works here, and who has left: number, name, roles, open cases."""
    from core.queries import people
    from core.rules.permissions import Permission, require

    with opened() as desk:
        if as_ is not None:
            require(operator.actor(desk, as_), Permission.READ_PEOPLE)
        with desk.database.reading() as session:
            found = people.staff(session, now=desk.clock())
    data = [
        {
            "id": each.id,
            "name": each.name,
            "roles": [role.value for role in each.roles],
            "active": each.active,
            "open_cases": each.cases,
            "title": each.title,
            "skills": each.skills,
            "ties": each.ties,
            "last_sign_in": each.signed_in_at.isoformat() if each.signed_in_at else None,
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


ANOTHER = "Another administrator approves it on the page People."
NOBODY_ELSE = (
    "Nobody can approve it, because no other administrator works here. While that is so, the same command without --as "
    "gives it alone, and every administrator and compliance are told."
)


@app.command()
def role(
    number: Member,
    reason: Why,
    give: Annotated[
        list[Role] | None, typer.Option(help="A role to give; may be given several times.")
    ] = None,
    take: Annotated[list[Role] | None, typer.Option(help="A role to take away, at once.")] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Give roles, which takes two administrators, or take them away, which takes one.

    With `--as` an administrator proposes, and another approves on the page People. While fewer than two administrators
    work here nobody could: then the account of this machine gives roles alone, and everybody who watches is told.
    """
    from core.actions.staff import members, role_grants

    given, taken = tuple(dict.fromkeys(give or ())), tuple(dict.fromkeys(take or ()))
    if not given and not taken:
        raise NoRoleNamed()

    def change(session: Session) -> tuple[Staff, int | None]:
        now, proposal = desk.clock(), None
        if taken:
            members.take_roles(session, actor, now=now, staff_id=number, roles=taken, reason=reason)
        if given and actor.kind == "operator":
            role_grants.give_alone(session, actor, now=now, staff_id=number, roles=given, reason=reason)
        elif given:
            row = role_grants.propose(session, actor, now=now, staff_id=number, roles=given, reason=reason)
            proposal = row.id
        return session.get_one(StaffRow, number), proposal

    from core.queries import people, team
    from core.records import Staff as StaffRow

    with opened() as desk:
        actor = operator.actor(desk, as_)
        changed, proposal = desk.database.run(change)
        with desk.database.reading() as session:
            held = people.person(session, changed.id, now=desk.clock()).roles
            alone = team.administrators(session) < 2
    data = {
        "id": changed.id,
        "name": changed.name,
        "roles": [each.value for each in held],
        "proposal": proposal,
        "proposed": [each.value for each in given] if proposal else [],
    }
    told = [f"{changed.name} is now: {', '.join(held) or 'without a role'}."]
    if proposal:
        told.append(f"Proposed: {', '.join(given)}. {NOBODY_ELSE if alone else ANOTHER}")
    elif given:
        told.append(
            "Given by you alone, because fewer than two administrators worked here; colleagues are told."
        )
    say(data, as_json=as_json, words=tell(" ".join(told)))


@app.command()
def skills(
    number: Member,
    reason: Why,
    has: Annotated[
        list[ProjectType] | None,
        typer.Option(help="A kind of project that they know; may be given several times. Without any: none."),
    ] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Say which kinds of projects someone knows, these and no others: cases of these are given to them first."""
    from core.actions.staff import skills as action

    wanted = list(dict.fromkeys(has or ()))
    with opened() as desk:
        actor = operator.actor(desk, as_)
        changed = desk.database.run(
            lambda session: action.change(
                session, actor, now=desk.clock(), staff_id=number, skills=wanted, reason=reason
            )
        )
    data = {"id": changed.id, "name": changed.name, "skills": [each.value for each in wanted]}
    named = ", ".join(each.label for each in wanted) or "none"
    say(data, as_json=as_json, words=tell(f"{changed.name} has these skills now: {named}."))


@app.command()
def deactivate(
    number: Member,
    reason: Why,
    hand_over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE=WHO",
            help="An open case of theirs and the number of the mediator who gets it, as in 17=4, or 17=queue. Those "
            "that are not named go back to the queue. Needs --as. Without any, the worker passes each on.",
        ),
    ] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Someone leaves the desk: their sessions end at once, their roles are taken, and they cannot sign in again."""
    _set_active(number, False, reason, as_, as_json, _read_hand_over(hand_over) if hand_over else None)


@app.command()
def reactivate(number: Member, reason: Why, as_: As = None, as_json: Json = False) -> None:
    """Someone who had left works here again, without a role until two administrators give one."""
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
    from core.actions.staff import ties
    from core.queries import people

    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(
            lambda session: ties.declare_tie(
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


def _read_hand_over(given: list[str]) -> dict[int, int | None]:
    found: dict[int, int | None] = {}
    for each in given:
        case, _, who = each.partition("=")
        case = case.removeprefix("D-")
        if not (case.isascii() and case.isdigit() and (who == "queue" or (who.isascii() and who.isdigit()))):
            raise HandOverUnreadable(given=each)
        found[int(case)] = None if who == "queue" else int(who)
    return found


def _set_active(
    number: int,
    active: bool,
    reason: str,
    as_: str | None,
    as_json: bool,
    hand_over: dict[int, int | None] | None = None,
) -> None:
    from core.actions.staff import members

    with opened() as desk:
        actor = operator.actor(desk, as_)

        def change(session: Session) -> tuple[Staff, int]:
            to = None
            if hand_over is not None:
                to = dict.fromkeys(members.open_cases(session, number)) | hand_over
            changed = members.set_active(
                session,
                actor,
                now=desk.clock(),
                staff_id=number,
                active=active,
                reason=reason,
                hand_over=to,
            )
            return changed, len(members.open_cases(session, number))

        changed, cases = desk.database.run(change)
    data = {"id": changed.id, "name": changed.name, "active": active, "open_cases": cases}
    state = "works here again, without a role" if active else "has left; every session of theirs has ended"
    waiting = f" They have {cases} open cases. {PASSED_ON}" if cases and not active else ""
    say(data, as_json=as_json, words=tell(f"{changed.name} {state}.{waiting}"))

"""`escrow-desk staff group`, `staff groups`: which groups of the sign-in provider give which roles."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.output import Json, console, opened, say, settings, tell
from core.rules.permissions import Role


def group(
    name: Annotated[str, typer.Argument(help="The group, as the sign-in provider's token names it.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    gives: Annotated[Role | None, typer.Option("--gives", help="Its members have this role.")] = None,
    ends: Annotated[Role | None, typer.Option("--ends", help="They have it by this group no longer.")] = None,
    as_json: Json = False,
) -> None:
    """Let a group of the sign-in provider give a role, or end that. Needs the owner's login (DATABASE_OWNER_URL).

    Roles follow at the next sign-in or confirmation of each colleague. Who decides who is in the group then decides
    who has the role, without a second administrator here: weigh that, most of all for administrators.
    """
    from core.actions.staff import group_roles
    from core.db import Database

    role = gives or ends
    if role is None or (gives and ends):
        raise typer.BadParameter("Say one of --gives and --ends.")
    change = group_roles.name if gives else group_roles.end
    with opened() as desk:
        actor = operator.actor(desk, None)
        owner = Database(settings().owner_url, pool_size=1)
        try:
            row = owner.run(
                lambda session: change(
                    session, actor, group=name.strip(), role=role, now=desk.clock(), reason=reason
                )
            )
        finally:
            owner.dispose()
    data = {"group": row.group_name, "role": row.role.value, "gives": row.ended_at is None}
    verb = "gives" if gives else "no longer gives"
    words = (
        f"The group {row.group_name} {verb} the role {row.role.value}, from each member's next sign-in on."
    )
    say(data, as_json=as_json, words=tell(words))


def groups(as_json: Json = False) -> None:
    """The groups that give roles."""
    from core.actions.staff import group_roles

    with opened() as desk, desk.database.reading() as session:
        found = group_roles.named(session)
    data = [{"group": each.group_name, "role": each.role.value} for each in found]

    def words() -> None:
        if not found:
            console.print("No group gives a role: two administrators do.")
            return
        table = Table("Group", "Role", "Since", box=None)
        for each in found:
            table.add_row(Text(each.group_name), each.role.value, f"{each.added_at:%Y-%m-%d}")
        console.print(table)

    say(data, as_json=as_json, words=words)

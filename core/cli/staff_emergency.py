"""`escrow-desk staff emergency`, `staff review`: a role given by one administrator alone, and its review by another."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, opened, say, tell
from core.rules.permissions import Role

Why = Annotated[str, typer.Option(help="Why; it stands in the audit log.")]


def give(
    number: Annotated[int, typer.Argument(help="Their number.", min=1, max=LARGEST_ID, metavar=NUMBER)],
    role: Annotated[Role, typer.Option("--give", help="The role; never that of an administrator.")],
    reason: Why,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Give a role alone and at once, in an emergency. Every administrator and compliance are told. Needs --as and the
    owner's login (DATABASE_OWNER_URL).

    Another administrator reviews it within a day (`staff review`, or the page People); otherwise it ends by itself."""
    from core.actions.staff import emergency

    with opened() as desk:
        actor = operator.actor(desk, as_)
        with operator.with_owner(desk, "People") as owned:
            row = owned.database.run(
                lambda session: emergency.give(
                    session, actor, now=desk.clock(), staff_id=number, role=role, reason=reason
                )
            )
    data = {"id": row.id, "staff": row.staff_id, "role": role.value, "review_by": row.review_by}
    words = (
        f"Member of staff {row.staff_id} is {role.value} now. Another administrator reviews it as {row.id} until "
        f"{row.review_by:%Y-%m-%d %H:%M} UTC; otherwise the role ends."
    )
    say(data, as_json=as_json, words=tell(words))


def review(
    grant: Annotated[
        int, typer.Argument(help="Which, as `staff emergency` said.", min=1, max=LARGEST_ID, metavar=NUMBER)
    ],
    keep: Annotated[bool, typer.Option("--keep/--take", help="Whether the role stays or is taken at once.")],
    reason: Why,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Keep or take a role that was given in an emergency by another administrator. Needs --as and the owner's login
    (DATABASE_OWNER_URL)."""
    from core.actions.staff import emergency

    with opened() as desk:
        actor = operator.actor(desk, as_)
        with operator.with_owner(desk, "People") as owned:
            row = owned.database.run(
                lambda session: emergency.review(
                    session, actor, now=desk.clock(), grant_id=grant, stands=keep, reason=reason
                )
            )
    data = {"id": row.id, "staff": row.staff_id, "role": row.role, "stands": keep}
    words = f"Member of staff {row.staff_id} {'stays' if keep else 'is no longer'} {row.role}."
    say(data, as_json=as_json, words=tell(words))

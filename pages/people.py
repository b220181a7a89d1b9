"""The staff: roles, ties, open cases, and who is signed in."""

from __future__ import annotations

from core.queries import people
from core.rules.permissions import TABLE, Permission, Role
from dashboard import request_context
from dashboard.compliance import staff_panel, style, team_emergency, team_invitations, team_roles, team_table
from dashboard.ui import cards, filters, header, tables
from dashboard.ui.master_detail import side_by_side
from dashboard.ui.status import in_words

request_context.require(Permission.READ_PEOPLE)
now = request_context.now()
style.apply()
with header.page("People", "Staff, their roles, and the parties whose cases they must not handle."):
    team_invitations.button()
team_invitations.shown_once()
with request_context.reading() as session:
    everyone = people.staff(session, now=now)

team_roles.alone_alarm()
team_emergency.alarm()
team_emergency.waiting()
team_roles.waiting()
team_table.figures(everyone)
with filters.bar():
    role = filters.choice(
        "Role", {each.value: in_words(each.value) for each in Role}, key="as", everything="Everyone"
    )
    state = filters.choice("State", {"active": "Works here", "left": "Left"}, key="state")
    words = filters.search("Name or title", key="name", width=200).casefold()
rows = [
    each
    for each in everyone
    if (not role or role in each.roles)
    and (not state or each.active == (state == "active"))
    and words in f"{each.name} {each.title}".casefold()
]
columns = team_table.columns(now)


def staff(narrow: bool) -> int | None:
    chosen: int | None = tables.table(
        rows,
        columns[:4] if narrow else columns,
        key="staff",
        select=True,
        download=tables.Table(
            "staff",
            lambda session: rows,
            permission=Permission.EXPORT_AUDIT,
            filter={"role": role, "state": state, "words": words},
            columns=columns,
        ),
        name="Staff",
        empty_state=("Nobody is found", "Choose another role or state, or empty the search."),
    )
    return chosen


side_by_side("staff", [each.id for each in rows], staff, staff_panel.show)
team_invitations.panel()
if not rows or role:
    held = [permission.words for permission, roles in TABLE.items() if role and Role(role) in roles]
    if held:
        cards.note(f"A {role} may: {', '.join(held)}.")

"""The staff: roles, ties, open cases, and who is signed in."""

from __future__ import annotations

from core.queries import people
from core.rules.permissions import TABLE, Permission, Role
from dashboard import request_context
from dashboard.compliance import staff_panel, style, team_invitations, team_roles
from dashboard.ui import cards, deadlines, filters, header, tables
from dashboard.ui.cards import Kpi
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
team_roles.waiting()
with_cases = [each for each in everyone if each.cases]
cards.kpis(
    [
        Kpi(
            "Staff",
            sum(each.active for each in everyone),
            f"{sum(not each.active for each in everyone)} left",
        ),
        Kpi(
            "Signed in now",
            sum(bool(each.live) for each in everyone),
            f"{sum(each.live for each in everyone)} sessions",
        ),
        Kpi("Open cases", sum(each.cases for each in everyone), f"with {len(with_cases)} of the staff"),
        Kpi("Ties declared", sum(each.ties for each in everyone), "kept away from those parties' cases"),
    ]
)
with filters.bar():
    role = filters.choice(
        "Role", {each.value: in_words(each.value) for each in Role}, key="as", everything="Everyone"
    )
    words = filters.search("Name or title", key="name", width=200).casefold()
rows = [
    each
    for each in everyone
    if (not role or role in each.roles) and words in f"{each.name} {each.title}".casefold()
]
columns = [
    tables.text("name", "Name", width=150),
    tables.text(
        "roles",
        "Roles",
        value=lambda row: ", ".join(in_words(each.value) for each in row.roles) or "None",
        width=150,
    ),
    tables.text(
        "seen",
        "Last seen",
        value=lambda row: deadlines.ago(row.last_seen_at, now),
        width=120,
        filed=("Last seen", lambda row: row.last_seen_at),
    ),
    tables.count("cases", "Open cases", width=90),
    tables.text("title", "Title", width=190),
    tables.count("live", "Sessions", width=80, help="Browsers that are signed in now."),
    tables.count("ties", "Ties", width=60),
    tables.text("skills", "Skills", value=lambda row: ", ".join(map(in_words, row.skills)), width=230),
    tables.text("active", "State", value=lambda row: "Active" if row.active else "Left", width=80),
]


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
            filter={"role": role, "words": words},
            columns=columns,
        ),
        name="Staff",
    )
    return chosen


side_by_side("staff", [each.id for each in rows], staff, staff_panel.show)
team_invitations.panel()
if not rows or role:
    held = [permission.words for permission, roles in TABLE.items() if role and Role(role) in roles]
    if held:
        cards.note(f"A {role} may: {', '.join(held)}.")

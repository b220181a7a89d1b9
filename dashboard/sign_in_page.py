"""The sign-in page as text: no script, no foreign resource, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import text

from core.desk import Desk
from core.rules.permissions import Role
from dashboard.ui.safe import html

NO_DEMO = "Picking a name works in the demo only, from this computer."
UNKNOWN = "That person cannot sign in."
DUTIES = {
    Role.MEDIATOR: "Review disputes and decide them",
    Role.FINANCE: "Audit the ledger, reconcile, watch fees and payouts",
    Role.COMPLIANCE: "Holds, risk and the audit log",
    Role.ADMINISTRATOR: "Escalations, people and policy",
}


@dataclass(frozen=True)
class Person:
    """Someone who may be picked in the demo."""

    id: int
    name: str
    title: str
    role: Role


_PEOPLE = text(
    """
    select s.id, s.name, s.title, r.role
      from staff s join staff_roles r on r.staff_id = s.id
     where s.active order by s.name, s.id
    """
)


def people(desk: Desk) -> list[Person]:
    """Active staff, once for each role, in the order of the roles."""
    with desk.database.reading() as session:
        found = [Person(row.id, row.name, row.title, Role(row.role)) for row in session.execute(_PEOPLE)]
    return sorted(found, key=lambda person: list(Role).index(person.role))


@dataclass(frozen=True)
class Invited:
    """Someone who opened the link of an invitation that is good."""

    name: str
    token: str


def render(
    people: Sequence[Person],
    *,
    wanted: str,
    provider: bool,
    demo: bool,
    problem: str = "",
    invited: Invited | None = None,
) -> str:
    """The whole page. `wanted` is where to go afterwards; it has been checked to be a path of ours."""
    if invited:
        return _joining(invited, provider=provider, demo=demo)
    alert = f'<p class="problem" role="alert">{html(problem)}</p>' if problem else ""
    ways = (_demo(people, wanted) if demo else "") + (_provider(wanted) if provider else "")
    return PAGE.format(
        alert=alert, ways=ways or NO_WAY, hint=DEMO_HINT if demo else HINT, mark=MARK if demo else ""
    )


def _demo(people: Sequence[Person], wanted: str) -> str:
    groups = "".join(_group(role, [person for person in people if person.role is role]) for role in Role)
    back = f'<input type="hidden" name="next" value="{html(wanted)}">'
    return f'<form method="post" action="/sign-in">{back}{groups}</form>'


def _group(role: Role, members: Sequence[Person]) -> str:
    if not members:
        return ""
    buttons = "".join(_button(person) for person in members)
    return (
        f'<section><h2>{html(role.value.capitalize())}</h2><p class="duty">{html(DUTIES[role])}</p>'
        f'<div class="people">{buttons}</div></section>'
    )


def _button(person: Person) -> str:
    first, *rest = person.name.split() or ["?"]
    initials = (first[0] + (rest[-1][0] if rest else "")).upper()
    return (
        f'<button name="staff" value="{person.id}"><i aria-hidden="true">{html(initials)}</i>'
        f"<b>{html(person.name)}</b><span>{html(person.title)}</span></button>"
    )


def _joining(invited: Invited, *, provider: bool, demo: bool) -> str:
    token, name = html(invited.token), html(invited.name)
    ways = ""
    if demo:
        ways += (
            f'<form method="post" action="/sign-in"><input type="hidden" name="invitation" value="{token}">'
            f'<button class="primary" type="submit">Join as {name}</button></form>'
        )
    if provider:
        ways += f'<a class="primary" href="/sign-in/start?invitation={token}">Sign in and join</a>'
    hint = JOINING.format(name=name)
    return PAGE.format(alert="", ways=ways or NO_WAY, hint=hint, mark=MARK if demo else "")


def _provider(wanted: str) -> str:
    # A link, not a form: `form-action 'self'` also forbids the redirect to the provider that would follow.
    return f'<a class="primary" href="/sign-in/start?next={quote(wanted, safe="/")}">Continue with single sign-on</a>'


def signed_out(elsewhere: str) -> str:
    """Signed out here, and on the way to the provider, to sign out there."""
    onward = f'<a class="primary" href="{html(elsewhere)}">Sign out there too</a>'
    page = PAGE.format(alert="", ways=onward, hint=SIGNED_OUT, mark="")
    return page.replace("</head>", f'<meta http-equiv="refresh" content="0;url={html(elsewhere)}">\n</head>')


SIGNED_OUT = "You are signed out of Escrow Desk. Your sign-in provider is asked to sign you out as well."
MARK = '<span class="mark">Demo · Stripe sandbox</span>'
DEMO_HINT = "Choose who you are today. Everything is made up, and no real money can move."
HINT = "For people who work here. Your roles come from the desk, not from your e-mail address."
JOINING = "{name}, you are invited to work here. Your roles are given by two administrators once you have signed in."
INVITATION_OVER = (
    "This invitation has been used, called off or has expired. Ask an administrator for another."
)
NO_WAY = (
    '<p class="problem">No way to sign in is set up. See <code>.streamlit/secrets.toml.example</code>.</p>'
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">
<title>Sign in · Escrow Desk</title>
<link rel="icon" href="/app/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/app/static/sign-in.css">
</head>
<body>
<main>
<header><img src="/app/static/icon.svg" alt="" width="40" height="40"><div><h1>Escrow Desk</h1>{mark}</div></header>
<p class="hint">{hint}</p>
{alert}{ways}
</main>
</body>
</html>
"""

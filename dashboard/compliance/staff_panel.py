"""One member of staff: roles, ties by party number, and sessions, which an administrator can revoke."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.actions.staff import sessions
from core.errors import NotFound
from core.queries import emergency, people, team
from core.queries.emergency import EmergencyRole
from core.queries.people import Person, Visit
from core.queries.team import Step
from core.rules.permissions import Permission, Role
from core.rules.references import reference
from dashboard import navigation, request_context
from dashboard.compliance import team_emergency, team_leaving, team_roles, team_skills, team_ties
from dashboard.ui import cards, confirm, deadlines, reasons, status, tables, text_fields
from dashboard.ui.master_detail import close
from dashboard.ui.safe import plain, words_of
from dashboard.ui.status import Pill, in_words

STATES = {
    "LIVE": Pill("Signed in", "good"),
    "REVOKED": Pill("Revoked", "bad", None, "Signed out, or revoked by staff."),
    "ENDED": Pill("Ended", "quiet", None, "Expired by inactivity or age."),
}


def show(staff_id: int) -> None:
    now = request_context.now()
    try:
        with request_context.reading() as session:
            person = people.person(session, staff_id, now=now)
            ties = people.ties(session, staff_id)
            visits = people.visits(session, staff_id, now=now) if _may_see_sessions(staff_id) else None
            steps = team.history(session, staff_id) if request_context.may(Permission.READ_AUDIT) else None
            cases, by_groups = team.open_cases(session, staff_id), team.by_groups(session, staff_id)
            urgent = emergency.of(session, staff_id)
    except NotFound:
        st.text(f"There is no member of staff {staff_id}.")
        st.button("Close", on_click=close, args=("staff",))
        return
    _head(person, urgent)
    for role, group in by_groups.items():
        cards.note(
            f"{in_words(role.value)} by the group {group} of the sign-in provider, as of the last sign-in."
        )
    with st.container(horizontal=True, gap="small"):
        team_roles.ways(person)
        team_emergency.way(person)
        team_skills.way(person)
        team_leaving.ways(person)
        team_ties.way(person)
    team_ties.found(person)
    if cases:
        st.markdown("**Open cases**")
        with st.container(horizontal=True, gap="small"):
            for number, title in cases:
                navigation.link("case", f"{reference('case', number)} · {title}", id=number)
    if ties:
        st.markdown("**Ties to parties**")
        tables.small(
            ties,
            [
                tables.text("party", "Party"),
                tables.text("reason", "Reason"),
                tables.when("declared_at", "Declared"),
            ],
        )
    if visits is not None:
        _visits(person, visits)
    if steps is not None:
        _history(steps)
    _ways(person)


def _may_see_sessions(staff_id: int) -> bool:
    """One's own, and everyone's for who manages staff or reads the audit log, where they stand anyway."""
    return (
        staff_id == request_context.actor().id
        or request_context.may(Permission.MANAGE_STAFF)
        or request_context.may(Permission.READ_AUDIT)
    )


def _head(person: Person, urgent: Mapping[Role, EmergencyRole]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(plain(person.name), anchor=False, width="content")
        for role in person.roles:
            if role in urgent:
                until = deadlines.exact(urgent[role].review_by)
                status.show(
                    Pill(f"{in_words(role.value)} until {until}", "wait", ":material/e911_emergency:")
                )
            else:
                status.show(Pill(in_words(role.value), "info"))
        if not person.active:
            status.show(Pill("Left", "quiet"))
    for role, each in urgent.items():
        cards.note(
            f"{in_words(role.value)} in an emergency, given by {each.by} alone: {words_of(each.reason)} It ends on "
            f"{deadlines.exact(each.review_by)}, unless another administrator keeps it."
        )
    cards.facts(
        {
            "Title": person.title,
            "Since": f"{person.since:%-d %b %Y}",
            "Open cases": person.cases,
            "Last seen": deadlines.ago(person.last_seen_at, request_context.now()),
            "Last sign-in": deadlines.brief(person.signed_in_at) if person.signed_in_at else "Never",
            "E-mail": person.email,
            "Skills": ", ".join(map(in_words, person.skills)),
            "Signs in through": person.issuer,
        },
        columns=2,
    )


def _visits(person: Person, visits: list[Visit]) -> None:
    st.markdown("**Sessions**")
    if not visits:
        cards.note("Has not signed in yet.")
    for visit in visits:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            status.show(STATES[visit.state])
            st.caption(plain(_span(visit)), width="content")
            if visit.live and request_context.may(Permission.MANAGE_STAFF):
                st.button(
                    "Revoke",
                    key=f"revoke-{visit.id}",
                    icon=":material/logout:",
                    on_click=confirm.open_drawer,
                    args=("revoke",),
                    kwargs={"session_id": visit.id, "person": person.name},
                )
    if facts := confirm.drawer("revoke"):
        _revoke(**facts)


def _history(steps: list[Step]) -> None:
    st.markdown("**History**")
    if not steps:
        cards.note("Nothing was done about this person yet.")
        return
    for step in steps:
        why = f": {words_of(step.reason)}" if step.reason else ""
        st.caption(plain(f"{deadlines.brief(step.at)} · {step.title}, by {step.by}{why}"))


def _span(visit: Visit) -> str:
    begun = deadlines.brief(visit.created_at)
    place = f" · {visit.place}" if visit.place else ""
    if visit.live:
        return f"{begun}, seen {deadlines.ago(visit.last_seen_at, request_context.now())}{place}"
    return f"{begun} to {deadlines.brief(visit.ended_at)}{place}"


@st.dialog("Revoke a session", position="right", on_dismiss=confirm.close_drawer)
def _revoke(session_id: int, person: str) -> None:
    own = session_id == request_context.person().session_id
    st.caption(plain(f"{person} is signed out at once, in every open tab. What was confirmed is not lost."))
    if own:
        st.warning("This is your own session: you will be signed out.", icon=":material/warning:")
    place = text_fields.named("session", session_id, "revoke")
    reason = reasons.area(place, "Reason", key="revoke-reason", placeholder="For the audit log")
    intent = confirm.pressed("Revoke session", key="revoke", icon=":material/logout:", money=True)

    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: sessions.revoke(
                session, session_id=session_id, actor=actor, now=now, reason=reason
            ),
            done=f"Session {session_id} is revoked.",
            sent=[place],
        )


def _ways(person: Person) -> None:
    if request_context.may(Permission.READ_AUDIT):
        navigation.link("audit", "What they did", icon=":material/verified_user:", who=person.name)

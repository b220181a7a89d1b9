"""The parts of the page on which administrators see to the marketplaces' keys and endpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.api.http import api_keys
from core.api.http.api_keys import Issued, KeyState, Listed
from core.api.webhooks import endpoints
from core.api.webhooks.endpoints import Delivery, EndpointStatus
from core.policy import Platform
from dashboard import request_context
from dashboard.ui import confirm, header, tables
from dashboard.ui.status import in_words

SECRET = "desk:shown-once"
STATES = {
    KeyState.OPEN: "Active",
    KeyState.REPLACED: "Replaced, works until",
    KeyState.ENDED: "Replaced",
    KeyState.REVOKED: "Revoked",
}
MARKETPLACES = {each.value: in_words(each.value) for each in Platform}


def shown_once() -> None:
    """What was made by the press before this drawing. It is in no row and is not drawn again."""
    for label, value in st.session_state.pop(SECRET, {}).items():
        st.warning(f"{label}: keep it now, it is not shown again.", icon=":material/key:")
        st.code(value, language=None, wrap_lines=True)


def _keep(shown: dict[str, str]) -> None:
    st.session_state[SECRET] = shown
    st.rerun()


def _issued(made: Issued) -> None:
    _keep({"API key": made.api_key, "Signing secret": made.signing_secret})


def keys_of(known: Sequence[Listed], *, may_change: bool) -> None:
    """Every key; the selected one is replaced or revoked."""
    header.section("Keys", "a key that is replaced works for another day")
    chosen: int | None = tables.table(
        known,
        [
            tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform), width=150),
            tables.mono("prefix", "Key", width=170),
            tables.text("label", "Used for"),
            tables.text(
                "rights", "Rights", value=lambda row: "Reads and changes" if row.may_write else "Reads"
            ),
            tables.when("created_at", "Created", width=150),
            tables.text("state", "Status", value=lambda row: STATES[row.state], width=170),
            tables.when("until", "Until", width=150),
        ],
        key="keys",
        select=True,
        download=None,  # an operator lists them on the command line
        empty_state=("No keys yet", "Create one for a marketplace's program."),
        name="API keys",
    )
    key = next((each for each in known if each.id == chosen), None)
    if not may_change:
        return
    if key is not None and key.state == KeyState.OPEN:
        _ways_of(key)
    _new_key()


def _new_key() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        platform = st.selectbox(
            "Marketplace", list(MARKETPLACES), format_func=MARKETPLACES.__getitem__, key="key-for", width=190
        )
        label = st.text_input("Used for", key="key-label", max_chars=100, width=260)
        reads = st.checkbox("Reads only", key="key-reads")
        intent = confirm.pressed("Create key", key="key-create", icon=":material/add:", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: api_keys.create(
                session,
                actor,
                now=now,
                platform=platform,
                label=label.strip(),
                master=_master(),
                may_write=not reads,
            ),
            done="The key is created.",
            then=_issued,
        )


def _ways_of(key: Listed) -> None:
    with st.container(horizontal=True, gap="small"):
        replace = confirm.pressed("Replace key", key="key-rotate", icon=":material/autorenew:", money=True)
        with confirm.kept_if_cut_short(replace):
            revoke = confirm.pressed(
                "Revoke key", key="key-revoke", icon=":material/block:", money=True, type="secondary"
            )
    if replace:
        confirm.carry_out(
            replace,
            lambda session, actor, now: api_keys.rotate(
                session, actor, now=now, prefix=key.prefix, master=_master()
            ),
            done=f"{key.prefix} is replaced, and works for another day.",
            then=_issued,
        )
    if revoke:
        confirm.carry_out(
            revoke,
            lambda session, actor, now: api_keys.revoke(session, actor, now=now, prefix=key.prefix),
            done=f"{key.prefix} is revoked.",
        )


def _master() -> bytes:
    return api_keys.master_key(request_context.desk().settings)


def endpoints_of(told: Sequence[EndpointStatus], *, may_change: bool) -> EndpointStatus | None:
    """Every endpoint; returns the selected one, which is tried, told again, replaced or removed."""
    header.section("Webhook endpoints", "select one to see its deliveries")
    chosen: int | None = tables.table(
        told,
        [
            tables.text("platform", "Marketplace", value=lambda row: in_words(row.platform), width=150),
            tables.text("url", "Address"),
            tables.count("last_sequence", "Last event", width=100),
            tables.count("waiting", "Waiting", width=90),
            tables.count("failed", "Given up", width=90),
        ],
        key="endpoints",
        select=True,
        download=None,  # an operator lists them on the command line
        empty_state=("No endpoints yet", "Add an address that hears what happens."),
        name="Webhook endpoints",
    )
    if may_change:
        _new_endpoint()
    return next((each for each in told if each.id == chosen), None)


def _new_endpoint() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        platform = st.selectbox(
            "Marketplace", list(MARKETPLACES), format_func=MARKETPLACES.__getitem__, key="end-for", width=190
        )
        url = st.text_input("Address", key="end-url", placeholder="https://…", max_chars=2_000, width=360)
        intent = confirm.pressed("Add endpoint", key="end-add", icon=":material/add:", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: endpoints.add_endpoint(
                session,
                actor,
                now=now,
                platform=platform,
                url=url.strip(),
                master=_master(),
                allowed=request_context.desk().settings.private_networks,
            ),
            done="The endpoint is added.",
            then=_secret,
        )


def _secret(made: tuple[Any, str]) -> None:
    _keep({"Signing secret": made[1]})


def deliveries_of(endpoint: EndpointStatus, *, may_change: bool) -> None:
    """What was told to this endpoint, how it answered, and what can be done."""
    if may_change:
        _ways_to(endpoint)
    with request_context.reading() as session:
        tries = endpoints.deliveries(session, endpoint.id)
    header.section("Deliveries", f"the latest 50 to endpoint {endpoint.id}")
    chosen: int | None = tables.table(
        tries,
        [
            tables.when("at", "At", width=170),
            tables.mono("event", "Event", width=110),
            tables.text("kind", "Kind", width=220),
            tables.count("answered", "Answer", width=80),
            tables.text("error", "Problem", value=lambda row: row.error or "—"),
            tables.count("took_ms", "ms", width=70),
        ],
        key="deliveries",
        select=True,
        download=None,  # the API lists them all
        empty_state=("Nothing was sent yet", "Send a test event."),
        name="Deliveries",
    )
    if tried := next((each for each in tries if each.id == chosen), None):
        _what_was_said(tried)


def _what_was_said(tried: Delivery) -> None:
    """What was sent and what came back, as text: it is the words of outsiders."""
    sent, answered = st.columns(2)
    with sent:
        st.caption("Sent")
        st.code(
            json.dumps(json.loads(tried.body), indent=2, ensure_ascii=False), language="json", wrap_lines=True
        )
    with answered:
        st.caption("No answer" if tried.answered is None else f"Answered {tried.answered}")
        st.code(tried.answer or "Nothing more than this was read.", language=None, wrap_lines=True)


def _ways_to(endpoint: EndpointStatus) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        test = confirm.pressed("Send test event", key="end-test", icon=":material/send:", money=True)
        with confirm.kept_if_cut_short(test):
            rotate = confirm.pressed("Replace secret", key="end-rotate", money=True, type="secondary")
        with confirm.kept_if_cut_short(test or rotate):
            after = int(st.number_input("After event", min_value=0, step=1, key="end-after", width=120))
            replay = confirm.pressed("Send again", key="end-replay", money=True, type="secondary")
        with confirm.kept_if_cut_short(test or rotate or replay):
            remove = confirm.pressed("Remove", key="end-remove", money=True, type="secondary")
    if test:
        confirm.carry_out(
            test,
            lambda session, actor, now: endpoints.send_test(session, actor, now=now, endpoint_id=endpoint.id),
            done=lambda number: f"Event evt_{number} is on its way.",
        )
    if rotate:
        confirm.carry_out(
            rotate,
            lambda session, actor, now: endpoints.rotate_secret(
                session, actor, now=now, endpoint_id=endpoint.id, master=_master()
            ),
            done="Events are signed with both secrets for another day.",
            then=_secret,
        )
    if replay:
        confirm.carry_out(
            replay,
            lambda session, actor, now: endpoints.replay(
                session, actor, now=now, endpoint_id=endpoint.id, after=after
            ),
            done=lambda count: f"{count} events will be sent again.",
        )
    if remove:
        confirm.carry_out(
            remove,
            lambda session, actor, now: endpoints.remove_endpoint(
                session, actor, now=now, endpoint_id=endpoint.id
            ),
            done="The endpoint is removed.",
        )

"""What the marketplaces are told, on screen: each event with its body and its tries, and another try."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st

from core.actions.operations import marketplace_event_retry
from core.api.models.events import KINDS
from core.policy import Platform
from core.queries import marketplace_events as queries
from core.queries.marketplace_events import EventFilter, MarketplaceEvent, Try
from core.rules.permissions import Permission
from core.rules.webhooks import EventStatus
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, filters, header, json_text, reasons, status, tables, text_fields
from dashboard.ui.master_detail import Listing
from dashboard.ui.safe import words_of
from dashboard.ui.status import in_words

PLATFORMS = {each.value: in_words(each) for each in Platform}
KEY = "marketplace-events"
COLUMNS = [
    tables.mono("event", "Event", width=100),
    tables.text("kind", "Kind", width=210),
    tables.status("status", "Status", axis="marketplace_event", width=96),
    tables.text("platform", "Marketplace", width=130, value=lambda row: in_words(row.platform)),
    tables.count("tries", "Tries", width=60),
    tables.when("tried_at", "Last try", width=138),
    tables.count("answered", "Answer", width=70, help="The HTTP status of the last try."),
    tables.when("next_try", "Next try", width=138),
    tables.when("created_at", "Written", width=138),
    tables.text("error", "Reason"),
]
FILE = [
    *COLUMNS,
    tables.count("sequence", "Number"),
    tables.mono("milestone_id", "Milestone"),
    tables.text("url", "Address"),
    tables.when("sent_at", "Delivered"),
]
TRIES = [
    tables.when("at", "At", width=150, seconds=True),
    tables.count("answered", "Answer", width=70),
    tables.text("error", "Problem", value=lambda row: row.error or "—"),
    tables.count("took_ms", "ms", width=60),
]
NONE = (
    "No events to marketplaces",
    "They are written as things happen, once a marketplace has an endpoint; administrators add one on API access.",
)


def tab() -> None:
    """The tab: filters, the list, and the event that the address asks for or that was picked."""
    with filters.bar():
        words = filters.search("Event or milestone number", key="told", width=230)
        state = filters.one_of("Every status", status.labels("marketplace_event"), key="delivery")
        platform = filters.one_of("Every marketplace", PLATFORMS, key="marketplace", width=180)
        kind = filters.one_of("Every kind", {each: each for each in KINDS}, key="event-kind", width=230)
    wanted = EventFilter(status=state, platform=platform, kind=kind, words=words)
    cursor = tables.cursor("written", size=50)
    with request_context.reading() as session:
        rows = queries.page(session, wanted, before=cursor.before, limit=cursor.limit)
    Listing(
        key=KEY,
        name="Events to marketplaces, newest first",
        columns=COLUMNS,
        first=3,
        page=lambda session, *, before, limit: queries.page(session, wanted, before=before, limit=limit),
        file=FILE,
        empty_state=None if any(asdict(wanted).values()) else NONE,
        param="event",
        filter=asdict(wanted),
    ).show(rows, cursor, queries.event, _event)


def _event(row: MarketplaceEvent) -> None:
    """One event: how it stands, its body, each try with what was answered, and another."""
    header.section(row.event, row.kind)
    cards.facts(
        {
            "Status": status.pill("marketplace_event", row.status),
            "Marketplace": in_words(row.platform),
            "Number": row.sequence,
            "Address": f"{row.url} (removed)" if row.endpoint_removed else row.url,
            "Written": row.created_at,
            "Delivered": row.sent_at,
            "Next try": row.next_try,
            "Tries": row.tries,
        },
        columns=2,
    )
    if row.error:
        cards.note(row.error)
    _ways(row)
    json_text.body(
        {
            "id": row.event,
            "kind": row.kind,
            "sequence": row.sequence,
            "created_at": row.created_at.isoformat(),
            "data": dict(row.data),
        }
    )
    with request_context.reading() as session:
        _tries(queries.tries(session, row.id))


def _tries(tries: Sequence[Try]) -> None:
    st.caption("Tries, the latest first")
    if not tries:
        cards.note("It was not tried yet.")
        return
    tables.small(tries, TRIES, name="Tries")
    last = tries[0]
    st.caption("No answer to the last" if last.answered is None else f"The last was answered {last.answered}")
    if last.answer is None:
        cards.note("Nothing more than this was read.")
    elif (document := _json(last.answer)) is not None:
        json_text.masked(document)
    elif request_context.may(Permission.MANAGE_PLATFORM_KEYS):
        st.code(words_of(last.answer), language=None, wrap_lines=True)
    else:
        cards.note("It answered in words of its own; administrators see them.")


def _json(answer: str) -> object | None:
    try:
        found: object = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, (dict, list)) else None


def _ways(row: MarketplaceEvent) -> None:
    if row.milestone_id is not None:
        navigation.link(
            "operations",
            "Events of its milestone",
            icon=":material/filter_alt:",
            told=row.milestone_id,
            **{"operations-tab": "Events to marketplaces"},
        )
    if row.repeatable:
        _send_again(row)
    elif row.status == EventStatus.QUEUED:
        cards.note("No action is needed: a worker sends it at the time above.")
    elif row.endpoint_removed:
        cards.note("Its endpoint was removed, so it cannot be sent again.")


def _send_again(row: MarketplaceEvent) -> None:
    if not request_context.may(Permission.RETRY_OPERATION):
        cards.note("Finance or an administrator can send it again.")
        return
    cards.note("It goes out again with the same id and number, so that the marketplace recognises it.")
    if not confirm.step_up("event-form"):
        return
    place = text_fields.named("event", row.id, "retry")
    reason = reasons.line(place, key="event-reason")
    intent = confirm.pressed("Send again", key="event-retry", icon=":material/replay:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: marketplace_event_retry.send_again(
                session, actor, now=now, event_id=row.id, reason=reason
            ),
            done=f"{row.event} is queued again. The worker sends it within seconds.",
            sent=[place],
        )

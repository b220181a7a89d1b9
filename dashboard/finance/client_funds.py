"""Client funds on screen: a red line on every finance page where Stripe holds too little, and how payouts go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.actions.platform import client_funds
from core.queries import client_funds as queries
from core.queries.client_funds import Funds, Released
from core.rules.client_funds import Cover
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, tables, text_fields
from dashboard.ui.safe import plain

COVERS = {Cover.COVERED: "Covered", Cover.SHORT: "Short", Cover.UNKNOWN: "Not known"}


def banner() -> None:
    """On every finance page, above everything: what is missing where, why as far as known, and what has stopped."""
    if not request_context.may(Permission.READ_PAYOUTS):
        return
    now = request_context.now()
    with request_context.reading() as session:
        alarming = queries.alarming(session, now=now)
    for each in alarming:
        if each.cover is Cover.SHORT:
            _short(each, now)
        elif each.stop is not None:
            st.warning(
                f"**Payouts in {each.currency} have stopped** since {deadlines.exact(each.stop.opened_at)}: "
                f"{plain(each.stop.short.text())} was missing at Stripe. {_release_words()}",
                icon=":material/front_hand:",
            )
    if alarming:
        navigation.link("overview", "Client funds by currency", icon=":material/account_balance:")


def _short(each: Funds, now: datetime) -> None:
    look = each.look
    assert look is not None
    causes = "; ".join(client_funds.cause(suspect) for suspect in each.suspects)
    stopped = f" Payouts in {each.currency} have stopped. {_release_words()}" if each.stop else ""
    st.error(
        f"**Client funds are short by {plain(look.short.text())}.** Stripe held {plain(look.at_stripe.text())} "
        f"{deadlines.ago(look.at, now)}; {plain(look.owed.text())} is owed to payers and payees. "
        f"Possible cause: {plain(causes or client_funds.NO_CAUSE)}.{stopped}",
        icon=":material/error:",
    )


def _release_words() -> str:
    return "They go on when finance or an administrator has looked and releases them."


def panel(now: datetime) -> None:
    """Each currency: Stripe's figure with its time, what is owed, and the stop with its release."""
    with request_context.reading() as session:
        rows, over = queries.funds(session, now=now), queries.released(session)
    header.section(
        "Client funds by currency",
        "What Stripe itself says it holds, read every five minutes, beside what the ledger says it must hold for "
        "others: all that is owed, less what payers' banks hold of it in open chargebacks.",
    )
    tables.table(
        rows,
        _columns(now),
        key="client-funds",
        id="currency",
        name="Client funds",
        download=tables.Table("client-funds", lambda session: queries.funds(session, now=now)),
        empty_state=("Nothing is owed and nothing was read", "The first payment that is held shows here."),
    )
    for each in rows:
        if each.stop is not None:
            _stop(each)
    _history(over)


def _columns(now: datetime) -> list[tables.Column]:
    return [
        tables.text("currency", "Currency", width=72),
        tables.text("cover", "Cover", value=lambda row: COVERS[row.cover], width=80),
        tables.money(
            "at_stripe", "At Stripe, by Stripe", value=lambda row: row.look and row.look.at_stripe, width=122
        ),
        tables.money("owed", "To be held then", value=lambda row: row.look and row.look.owed, width=106),
        tables.money(
            "on_its_way", "Not answered yet", value=lambda row: row.look and row.look.on_its_way, width=112
        ),
        tables.money("short", "Missing", value=lambda row: row.look and row.look.short, width=90),
        tables.when("read_at", "Read", value=lambda row: row.look and row.look.at, width=145),
        tables.money(
            "owed_in_all", "Total owed now", value=lambda row: row.owed_now + row.at_banks, width=106
        ),
        tables.money("at_banks", "With payers' banks", width=124),
        tables.money("owed_now", "To be held now", width=106),
    ]


def _stop(each: Funds) -> None:
    stop = each.stop
    assert stop is not None
    with cards.panel(f"payout-stop-{stop.id}"):
        st.markdown(f"**Payouts in {each.currency} have stopped** since {deadlines.exact(stop.opened_at)}.")
        cards.note(
            f"{stop.short.text()} was missing. Transfers to payees wait; refunds, and money that is already on a "
            "payee's account, go on. Releasing lets this shortage pass: payouts stop again only if more is missing."
        )
        if not request_context.may(Permission.REVIEW_PAYOUT):
            cards.note("Finance or an administrator can release them.")
            return
        place = text_fields.named("stop", stop.id, "release")
        reason = reasons.line(place, "What you have found, for the audit log", key=f"stop-{stop.id}-reason")
        intent = confirm.pressed(
            f"Release payouts in {each.currency}",
            key=f"stop-{stop.id}-release",
            money=True,
            icon=":material/play_arrow:",
        )
        if intent:
            confirm.carry_out(
                intent,
                lambda session, actor, now: client_funds.release(
                    session, actor, now=now, stop_id=stop.id, reason=reason
                ),
                done=f"Payouts in {each.currency} go on.",
                sent=[place],
            )


def _history(over: Sequence[Released]) -> None:
    if over:
        header.section("Stops that are over")
        tables.table(
            over,
            [
                tables.money("short", "Missing", width=120),
                tables.when("opened_at", "Stopped"),
                tables.when("released_at", "Released"),
                tables.text("released_by", "By", width=160),
                tables.text("reason", "What was found"),
            ],
            key="payout-stops",
            name="Payout stops",
            download=tables.Table("payout-stops", lambda session: queries.released(session, limit=None)),
        )

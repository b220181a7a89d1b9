"""What each side would have in the end, while the mediator is still choosing."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import DeskError
from core.money import Money
from core.queries.cases import CaseView
from core.rules.grounds import DecisionOutcome
from core.rules.splits import PartialIsFull, PartialIsNothing
from dashboard.case.decision import decision_input as sketches
from dashboard.case.decision.decision_input import DecisionInput
from dashboard.ui import cards, money
from dashboard.ui.safe import html, plain

Part = Callable[[str], Money]


def show(case: CaseView, sketch: DecisionInput) -> None:
    """Four nets and one bar; a sentence instead when the amount cannot be."""
    try:
        amounts = sketches.amounts(case, sketch)
    except DeskError as error:
        if sketch.by == "items" and not isinstance(error, PartialIsFull | PartialIsNothing):
            return  # said beside the items
        st.markdown(f":red[:material/error:] {plain(error.message)}")
        return
    if amounts is None:
        wanted = "the share" if sketch.outcome is DecisionOutcome.PARTIAL_RELEASE else "an outcome"
        st.caption(f"Choose {wanted} to see what both sides would have.")
        return

    def part(name: str) -> Money:
        return Money(amounts.get(name, 0), amounts["currency"])

    payer, payee = case.context.payer.name, case.context.payee.name
    st.html(
        '<div class="ed-nets">'
        + _net(
            "Payee receives",
            payee,
            part("payee_net"),
            _withdrawal(part("withdrawal_fee"), amounts["withdrawal_method"]),
        )
        + _net(
            "Payer gets back", payer, part("refund_total"), _refund(part("fee_returned"), part("concession"))
        )
        + _net("Platform keeps", "", _platform(part), _platform_words(part))
        + _net("Processor keeps", "", _processor(part), f"its fee, {bearer(part('concession'))}")
        + "</div>"
    )
    if "kept_back" in amounts:
        cards.note(f"{part('kept_back')} of the release are set off against what the payee owes.")
    money.split(
        [
            ("Released", part("release"), "good"),
            ("Refunded", part("refund"), "info"),
        ],
        caption=f"Net cost to the payer: {part('payer_net_cost')}, fees included.",
    )


def _platform(part: Part) -> Money:
    return part("fee_kept") + part("withdrawal_fee") - part("concession")


def _platform_words(part: Part) -> str:
    words = [f"{part('fee_kept')} fee kept, {part('fee_returned')} returned"]
    words += [f"{part('withdrawal_fee')} for the withdrawal"] if part("withdrawal_fee").minor else []
    words += [f"{part('concession')} absorbed"] if part("concession").minor else []
    return "; ".join(words)


def _processor(part: Part) -> Money:
    """Whatever the payer paid beyond the milestone and the platform's fee."""
    return part("charged") - part("held") - part("fee_kept") - part("fee_returned")


def bearer(concession: Money) -> str:
    """Who pays the processor's fee in the end."""
    return "absorbed by the platform" if concession.is_positive else "paid by the payer"


def _withdrawal(fee: Money, method: str | None) -> str:
    if method is None:
        return "nothing is released"
    return f"after {fee} for {method} withdrawal" if fee.minor else f"{method} withdrawal, free"


def _refund(fee: Money, concession: Money) -> str:
    parts = [f"{fee} platform fee"] if fee.minor else []
    parts += [f"{concession} processing fee"] if concession.minor else []
    return f"with {' and '.join(parts)}" if parts else "no fee returned"


def _net(label: str, who: str, amount: Money, note: str) -> str:
    words = f"{who}: {note}" if who else note
    return f"<div><span>{html(label)}</span><b>{html(amount)}</b><small>{html(words)}</small></div>"

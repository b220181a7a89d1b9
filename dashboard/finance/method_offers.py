"""Other methods offered to a payee whose payout failed (milestone-payment-flow, Error Handling 2)."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.actions.payouts import method_offers
from core.policy import OFFERED, WithdrawalMethod
from core.queries.payouts import MethodOffer, PayoutRow
from core.rules.payouts import PayoutOfferStatus
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, reasons, text_fields
from dashboard.ui.safe import plain
from dashboard.ui.status import in_words

METHODS = {each.value: in_words(each.value) for each in WithdrawalMethod}


def panel(row: PayoutRow, offers: Sequence[MethodOffer]) -> None:
    """What was offered, or the form to offer something."""
    history(offers)
    with cards.panel("payout-offer"):
        if any(each.status == PayoutOfferStatus.OPEN for each in offers):
            st.markdown(
                "**The payee chooses how the payout is sent.** To send it yourself, withdraw the offer first."
            )
            _withdraw(row)
        else:
            st.markdown(
                "**Or let the payee choose another method.** They receive an e-mail; the payout is sent by the "
                "method they choose."
            )
            _form(row)


def _withdraw(row: PayoutRow) -> None:
    if not confirm.step_up("offering-withdraw"):
        return
    place = text_fields.named("payout", row.id, "offer")
    reason = reasons.line(place, key="offer-reason")
    intent = confirm.pressed(
        "Withdraw the offer",
        key="payout-offer-withdraw",
        money=True,
        type="secondary",
        icon=":material/undo:",
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: method_offers.withdraw(
                session, actor, now=now, payout_id=row.id, reason=reason
            ),
            done="Withdrawn. An e-mail tells the payee; you decide how the payout is sent.",
            sent=[place],
        )


def history(offers: Sequence[MethodOffer]) -> None:
    for each in offers:
        ways = ", ".join(METHODS.get(method, method) for method in each.methods)
        ends = {
            "OPEN": "the payee has not chosen yet",
            "CHOSEN": f"the payee chose {METHODS.get(each.chosen_method or '', '')} "
            f"on {deadlines.exact(each.settled_at)}",
            "OVERTAKEN": "the payout left review before the payee chose",
            "WITHDRAWN": f"withdrawn on {deadlines.exact(each.settled_at)}",
        }
        cards.note(
            f"{plain(each.offered_by)} offered {ways} on {deadlines.exact(each.offered_at)}"
            f"{', without its fee' if each.fee_waived else ''}: {ends[each.status]}."
        )


def _form(row: PayoutRow) -> None:
    if not confirm.step_up("offering-form"):
        return
    others = [each.value for each in OFFERED if each != row.method]
    chosen = st.pills(
        "Offer",
        others,
        selection_mode="multi",
        default=others,
        format_func=METHODS.__getitem__,
        key="offer-methods",
    )
    waived = request_context.may(Permission.WAIVE_FEE) and st.checkbox(
        "Waive the fee of the method that the payee chooses, under your name", key=f"offer-waive-{row.id}"
    )
    place = text_fields.named("payout", row.id, "offer")
    reason = reasons.line(place, key="offer-reason")
    intent = confirm.pressed(
        "Offer these to the payee",
        key="payout-offer-send",
        money=True,
        type="secondary",
        icon=":material/forward_to_inbox:",
        disabled=not chosen,
    )
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: method_offers.offer(
                session,
                actor,
                now=now,
                payout_id=row.id,
                methods=[WithdrawalMethod(each) for each in chosen],
                reason=reason,
                waive_fee=waived,
            ),
            done="Offered. An e-mail asks the payee to choose on the marketplace.",
            sent=[place],
        )

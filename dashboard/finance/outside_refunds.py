"""A refund that came back, sent from our bank: one person says so, another confirms."""

from __future__ import annotations

import streamlit as st

from core.actions.refunds import outside_refunds
from core.queries import operations
from core.queries.operations import Operation, Returned
from core.rules.operations import OperationKind
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.ui import cards, confirm, reasons, second_person, text_fields
from dashboard.ui.safe import plain
from dashboard.ui.second_person import Answer


def panel(row: Operation) -> None:
    """Nothing unless this call is a refund that came back."""
    found = _found(row)
    if found is None:
        return
    with cards.panel("refund-returned"):
        _head(found)
        if found.id is None:
            _say(found)
        else:
            _confirm(found)


def taken(row: Operation) -> bool:
    """Somebody has recorded that it left our bank, and nobody has confirmed or withdrawn that."""
    found = _found(row)
    return found is not None and found.id is not None


def _found(row: Operation) -> Returned | None:
    if row.kind != OperationKind.REFUND:
        return None
    with request_context.reading() as session:
        return operations.returned_refund(session, row.id)


def _head(found: Returned) -> None:
    amount, payer = plain(found.amount.text()), plain(found.payer)
    if not found.back:
        st.markdown(f"**{amount} to {payer} was also recorded as sent from our bank.**")
        cards.note(
            f"The refund itself is {found.status.lower()}. If nothing left our bank, withdraw the record; "
            "if it did, the payer may have it twice."
        )
        return
    st.markdown(f"**{amount} is owed to {payer}: the refund came back.**")
    if found.id is None:
        cards.note(
            "Send it again above, or send it from our bank and record that here. The debt stays open until one is done."
        )


def _say(found: Returned) -> None:
    if not request_context.may(Permission.PROPOSE_RETURN):
        cards.note("Finance or an administrator decides what happens next.")
        return
    ways = outside_refunds.WAYS
    way = st.segmented_control(
        "Sent by",
        list(ways),
        default="BANK_TRANSFER",
        format_func=ways.__getitem__,
        key="return-way",
        required=True,
    )
    places = [
        text_fields.named("operation", found.refund_id, f"sent-{name}") for name in ("reference", "reason")
    ]
    reference = text_fields.line(places[0], "The bank's reference", key="return-reference", most=100)
    reason = reasons.line(places[1], key="return-reason")
    intent = confirm.pressed("Record external refund", key=f"return-say-{found.refund_id}", type="secondary")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: outside_refunds.propose(
                session,
                actor,
                now=now,
                refund_id=found.refund_id,
                way=way or "BANK_TRANSFER",
                reference=reference,
                reason=reason,
            ),
            done="Kept. The debt ends when someone else confirms it.",
            sent=places,
        )


def _confirm(found: Returned) -> None:
    number = found.id or 0
    way = outside_refunds.WAYS[found.way or "BANK_TRANSFER"].lower()
    st.text(f"{found.proposed_by}: sent by {way}, reference {found.reference}. {found.reason}")
    agreed = None
    if found.back and second_person.may_confirm(
        Permission.CONFIRM_SUSPENSE, lambda session: outside_refunds.waiting_of(session, number)
    ):
        agreed = Answer(
            "Confirm payment",
            lambda session, actor, now, reason: outside_refunds.approve(
                session, actor, now=now, return_id=number, reason=reason
            ),
            done="Booked: nothing is owed to the payer any more.",
            icon=":material/done_all:",
        )
    if request_context.may(Permission.PROPOSE_RETURN) or request_context.may(Permission.CONFIRM_SUSPENSE):
        second_person.answers(
            text_fields.named("operation", found.refund_id, "sent-answer"),
            f"return-{number}",
            own=found.proposed_by_id == request_context.actor().id,
            yes=agreed,
            no=Answer(
                "It was not sent",
                lambda session, actor, now, reason: outside_refunds.reject(
                    session, actor, now=now, return_id=number, reason=reason
                ),
                done="The debt stays open.",
            ),
        )

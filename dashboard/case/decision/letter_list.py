"""Every letter that a decision sends: when, to whom, and its text where it is known to the word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import streamlit as st

from core.letters import Letter
from core.letters.frame import framed
from core.letters.rendering import unwrapped
from core.queries import letters_ahead
from core.queries.letters_ahead import Ahead, Letters
from core.records import Decision
from core.rules.approvals import DecisionStatus
from core.rules.decision_letters import Moment
from dashboard import request_context
from dashboard.letters import FRAME
from dashboard.ui import cards, deadlines, status
from dashboard.ui.safe import html

OTHERWISE = (
    "These e-mails are sent if {what} goes ahead as planned. If the case changes, a bank refuses a payment or the "
    "money is put on hold, some are not sent and others may be."
)
LATER = "The text is written at that time, because some of its facts are not known yet."


class Times:
    """When each letter goes, in words. `second`: somebody else must approve first; `wait`: the cooling-off."""

    def __init__(
        self,
        found: Letters,
        *,
        second: bool,
        wait: timedelta,
        decision: Decision | None,
        now: datetime,
        agreement: bool = False,
    ) -> None:
        self.found, self.second, self.decision, self.agreement = found, second, decision, agreement
        self.wait, self.now = wait, now

    def of(self, each: Ahead) -> str:
        if each.written is not None:
            return f"Written {deadlines.exact(each.written)}"
        match each.moment:
            case Moment.CONFIRMED:
                return "When you confirm"
            case Moment.DECIDED:
                return self._decided()
            case Moment.CARRIED_OUT:
                return self._carried_out()
            case Moment.REFUND_SENT:
                return "When the refund has been sent"
            case Moment.PAYOUT_SENT:
                return f"When the payout has been sent{self._account()}"
        return self._over(each)

    def _decided(self) -> str:
        if self.decision is not None:
            waiting = self.decision.status == DecisionStatus.AWAITING_APPROVAL
            return "When it is approved" if waiting else "When nothing stops it any more"
        return "When a second person has approved" if self.second else "When you confirm"

    def _carried_out(self) -> str:
        if self.agreement:
            return "When the other side accepts"
        if not self.found.cools_off:
            return self._decided()
        if self.found.not_before is not None:
            return f"After the cooling-off, not before {deadlines.exact(self.found.not_before)}"
        if self.second or self.decision is not None:
            return f"After the cooling-off, not before {deadlines.span(self.wait)} after the approval"
        at = deadlines.exact(self.now + self.wait)
        return f"After the cooling-off, not before {at} if you confirm now"

    def _over(self, each: Ahead) -> str:
        about = (
            f", about the next milestone “{each.about}”" if each.about else ", as the project is over then"
        )
        if self.found.refund and self.found.payout:
            return f"When the refund and the payout have been sent{self._account()}{about}"
        if self.found.refund:
            return f"When the refund has been sent{about}"
        if self.found.payout:
            return f"When the payout has been sent{self._account()}{about}"
        return f"{self._carried_out()}{about}"

    def _account(self) -> str:
        if not self.found.account:
            return ", once the payee has an account at Stripe"
        return "" if self.found.able else ", once the payee can be paid"


def read(
    plan: dict[str, Any],
    papers: Mapping[str, Letter],
    *,
    second: bool,
    wait: timedelta,
    decision: Decision | None = None,
) -> list[tuple[str, Ahead]]:
    """Each letter of this plan with its moment in words."""
    with request_context.reading() as session:
        found = letters_ahead.foreseen(
            session, plan, papers, settings=request_context.desk().settings, decision=decision
        )
    times = Times(found, second=second, wait=wait, decision=decision, now=request_context.now())
    return [(times.of(each), each) for each in found.all]


def of_settlement_proposal(proposal_id: int) -> list[tuple[str, Ahead]]:
    """Each letter of a settlement proposal between the parties. Raises what accepting it would say."""
    with request_context.reading() as session:
        found = letters_ahead.of_settlement_proposal(
            session, proposal_id, settings=request_context.desk().settings
        )
    now = request_context.now()
    times = Times(found, second=False, wait=timedelta(), decision=None, now=now, agreement=True)
    return [(times.of(each), each) for each in found.all]


def show(
    letters: list[tuple[str, Ahead]],
    people: Mapping[str, str],
    *,
    key: str,
    words: Callable[[str], str],
    what: str = "this decision",
) -> None:
    if any(each.written is None for _, each in letters):
        cards.note(OTHERWISE.format(what=what))
    cards.note(FRAME)
    look = st.segmented_control(
        "Look",
        ["Plain text", "As e-mail"],
        default="Plain text",
        required=True,
        key=f"{key}-look",
        label_visibility="collapsed",
    )
    for when, group in groupby(letters, key=lambda each: each[0]):
        st.html(f'<div class="ed-when">{html(words(when))}</div>')
        for number, (_, each) in enumerate(group):
            if number % 2 == 0:
                columns = st.columns(2, gap="small")
            with columns[number % 2]:
                _one(each, people, as_mail=look == "As e-mail", words=words)


def _one(each: Ahead, people: Mapping[str, str], *, as_mail: bool, words: Callable[[str], str]) -> None:
    to = "the mediator whose case it is" if each.audience == "staff" else ""
    to = to or f"{people.get(each.audience, each.audience)}, {each.audience}"
    mark = status.pill("letter", "EDITED" if each.edited else "GENERATED")
    st.html(
        f'<div class="ed-addressed"><span>{html(each.name)} · to {html(to)}</span>'
        f'<span class="ed-pill ed-{mark.tone}" title="{html(mark.meaning or "")}">{html(mark.label)}</span></div>'
    )
    if each.muted:
        st.caption("Muted by its reader: written for the record, and not sent.")
    if each.letter is None:
        st.caption(LATER)
        return
    text, sheet = framed(each.letter.text, each.letter.html, replace(each.frame, name=words(each.frame.name)))
    if as_mail and each.letter.html:
        st.iframe(words(sheet), height=360)
    else:
        text = "\n".join(html(line) for line in unwrapped(words(text)).splitlines())
        st.html(f'<div class="ed-letter">{text}</div>')

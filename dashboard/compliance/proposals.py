"""A change of the rules, in two steps by two administrators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.actions import policy_change
from core.policy import PerCurrency, Platform, Tariff
from core.queries import rulebook as queries
from core.queries.policy import Version
from core.queries.rulebook import Proposal
from core.rules import policy_values
from core.rules.permissions import Permission
from dashboard import current
from dashboard.compliance import rulebook
from dashboard.ui import cards, confirm, header, words
from dashboard.ui.safe import plain
from dashboard.ui.status import in_words


def button() -> None:
    if current.may(Permission.CHANGE_POLICY):
        st.button(
            "Propose a change",
            key="open-propose",
            icon=":material/edit_note:",
            on_click=confirm.open_drawer,
            args=("propose-change",),
        )


def panel(newest: Mapping[Platform, Version], currency: str) -> None:
    """What waits for the second person; nothing where nothing does."""
    with current.reading() as session:
        waiting = queries.proposals(session)
    if waiting:
        header.section("Proposed changes", "another administrator publishes them")
    for each in waiting:
        with cards.panel():
            _proposal(each, currency)
    if confirm.drawer("propose-change") is not None:
        _propose(newest, currency)
    elif facts := confirm.drawer("settle-proposal"):
        _settle(**facts)


def _proposal(each: Proposal, currency: str) -> None:
    st.markdown(f"**{in_words(each.platform.value)}, version {each.version}**")
    for change in each.changes:
        before, after = (
            rulebook.words(change.name, value, currency) for value in (change.before, change.after)
        )
        st.text(f"{change.label}: {before} → {after}")
    cards.note(f"{each.proposed_by}: {each.reason}")
    if current.may(Permission.APPROVE_POLICY):
        own = each.proposed_by_id == current.actor().id
        st.button(
            "Withdraw" if own else "Decide",
            key=f"open-proposal-{each.id}",
            on_click=confirm.open_drawer,
            args=("settle-proposal",),
            kwargs={"proposal_id": each.id, "own": own},
        )


def _value(name: str, before: Any, currency: str) -> str:
    amount = isinstance(before, PerCurrency)
    return st.text_input(
        f"New value, in {currency}" if amount else "New value",
        key="change-value",
        placeholder=before.of(currency).major() if amount else rulebook.words(name, before, currency),
        max_chars=40,
    )


def _tariff(before: Tariff, currency: str) -> str:
    """Three parts, typed each for itself; empty where nothing was changed."""
    shown = (
        rulebook.percent(before.bps).removesuffix(" %"),
        before.minimum.of(currency).major(),
        before.fixed.of(currency).major(),
    )
    labels = ("Percent", f"At least, in {currency}", f"Plus, in {currency}")
    with st.container(horizontal=True):
        parts = [
            st.text_input(label, value, key=f"change-tariff-{place}-{currency}", max_chars=12).strip() or "0"
            for place, (label, value) in enumerate(zip(labels, shown, strict=True))
        ]
    if tuple(parts) == shown:
        return ""
    return f"{parts[0]} %, at least {parts[1]}, plus {parts[2]}"


@st.dialog("Propose a change", position="right", on_dismiss=confirm.close_drawer)
def _propose(newest: Mapping[Platform, Version], currency: str) -> None:
    platform = st.selectbox(
        "Profile", list(newest), format_func=lambda each: in_words(each.value), key="change-profile"
    )
    profile = newest[platform].profile
    rules = {name: (label, value) for name, label, value, _ in profile.lines()}
    name = st.selectbox("Rule", list(rules), format_func=lambda each: rules[each][0], key="change-rule")
    before = rules[name][1]
    st.text(f"Now: {rulebook.words(name, before, currency)}")
    typed = _tariff(before, currency) if isinstance(before, Tariff) else _value(name, before, currency)
    place = words.named("policy", 0, "change")
    reason = words.area(place, "Why", height=100, most=2_000, key="change-reason")
    intent = confirm.pressed("Propose", key="propose-change", disabled=not typed)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: policy_change.propose(
                session,
                actor,
                now=now,
                platform=platform,
                changes={name: policy_values.read(name, before, typed or "", currency)},
                reason=reason,
            ),
            done="Proposed. Another administrator decides.",
            sent=[place],
        )


@st.dialog("A proposed change", position="right", on_dismiss=confirm.close_drawer)
def _settle(proposal_id: int, own: bool) -> None:
    with current.reading() as session:
        found = {each.id: each for each in queries.proposals(session)}
    if proposal_id not in found:
        st.text("This proposal was settled meanwhile.")
        return
    st.text(plain(found[proposal_id].reason))
    place = words.named("policy", proposal_id, "note")
    note = words.area(place, "Note", height=100, most=2_000, key="proposal-note")
    with st.container(horizontal=True, gap="small"):
        publish = None if own else confirm.pressed("Publish", key="publish-proposal", money=True)
        refuse = confirm.pressed("Withdraw" if own else "Reject", key="reject-proposal", type="secondary")
    if publish:
        confirm.carry_out(
            publish,
            lambda session, actor, now: policy_change.approve(
                session, actor, now=now, proposal_id=proposal_id, note=note
            ),
            done="Published: projects that begin from now on live under it.",
            sent=[place],
        )
    elif refuse:
        confirm.carry_out(
            refuse,
            lambda session, actor, now: policy_change.reject(
                session, actor, now=now, proposal_id=proposal_id, note=note
            ),
            done="The proposal is settled.",
            sent=[place],
        )

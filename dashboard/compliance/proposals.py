"""A change of the rules, in two steps by two administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.actions.staff import policy_change
from core.errors import DeskError
from core.money import percent
from core.policy import PerCurrency, Platform, Profile, Tariff, reach, wording
from core.queries import policy, retention
from core.queries import policy_proposals as queries
from core.queries.policy import Change, Version
from core.queries.policy_proposals import Proposal
from core.rules import policy_values
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.compliance import policy_table
from dashboard.ui import cards, confirm, errors, header, reasons, second_person, text_fields
from dashboard.ui.safe import plain, words_of
from dashboard.ui.status import in_words


def button() -> None:
    if request_context.may(Permission.CHANGE_POLICY):
        st.button(
            "Propose a change",
            key="open-propose",
            icon=":material/edit_note:",
            on_click=confirm.open_drawer,
            args=("propose-change",),
        )


def panel(newest: Mapping[Platform, Version], every: Sequence[Version], currency: str) -> None:
    """What waits for the second person; nothing where nothing does."""
    with request_context.reading() as session:
        waiting = queries.proposals(session)
    if waiting:
        header.section("Proposed changes", "another administrator publishes them")
    for each in waiting:
        with cards.panel():
            _proposal(each, currency)
    if confirm.drawer("propose-change") is not None:
        _propose(newest, every, currency)
    elif facts := confirm.drawer("settle-proposal"):
        _settle(**facts)


def _proposal(each: Proposal, currency: str) -> None:
    st.markdown(f"**{in_words(each.platform.value)}, version {each.version}**")
    _difference(each.profile, each.changes, each.warnings, currency)
    cards.note(f"{each.proposed_by}: {each.reason}")
    if each.stale:
        cards.note(
            "Another version was published since: this proposal can only be rejected and proposed again."
        )
    if request_context.may(Permission.APPROVE_POLICY):
        own = each.proposed_by_id == request_context.actor().id
        st.button(
            "Withdraw" if own else "Decide",
            key=f"open-proposal-{each.id}",
            on_click=confirm.open_drawer,
            args=("settle-proposal",),
            kwargs={"proposal_id": each.id, "own": own, "currency": currency},
        )


def _difference(after: Profile, changes: Sequence[Change], warnings: Sequence[str], currency: str) -> None:
    """Every changed number, old → new, where the old one comes from, for whom the new ones hold, and what the linter
    says of them."""
    for change in changes:
        st.text(f"{change.label}: {', '.join(policy_table.difference(change, currency))}")
        st.caption(plain(f"Until now: {change.source}"))
    changed = {change.name for change in changes}
    st.text(" ".join(reach.sentences(changed)))
    if changed & {"person_kept", "newcomer_kept"}:
        st.warning(plain(_due(after)), icon=":material/person_remove:")
    for sentence in warnings:
        st.warning(plain(sentence), icon=":material/warning:")


def _due(after: Profile) -> str:
    """How many people the next retention run would find, by this profile and by the one in force."""
    now = request_context.now()
    with request_context.reading() as session:
        here = sum(each.platform == after.platform for each in retention.due(session, now=now))
        then = len(retention.due_by(session, after, now=now))
    return (
        f"People of {in_words(after.platform.value)} who are due for erasure today: {then:,} by this proposal, {here:,}"
        " by the version in force. Nobody is erased by the change itself: a retention run takes two people."
    )


def _confirmed(warnings: Sequence[str], key: str) -> tuple[str, ...]:
    """The warnings, once a person has said that they are meant."""
    if warnings and not st.checkbox("I have read the warnings, and this is meant", key=key):
        return ()
    return tuple(warnings)


def _value(name: str, before: Any, currency: str) -> str:
    amount, words = isinstance(before, PerCurrency), isinstance(before, str)
    return st.text_input(
        f"New value, in {currency}" if amount else "New value",
        key=f"change-value-{name}",
        placeholder=before.of(currency).major() if amount else wording.in_words(name, before, currency),
        max_chars=200 if words else 40,
        help="None, if it is to be empty." if words else None,
    )


def _tariff(name: str, before: Tariff, currency: str) -> str:
    """Three parts, typed each for itself; empty where nothing was changed."""
    shown = (
        percent(before.bps).removesuffix(" %"),
        before.minimum.of(currency).major(),
        before.fixed.of(currency).major(),
    )
    labels = ("Percent", f"At least, in {currency}", f"Plus, in {currency}")
    with st.container(horizontal=True):
        parts = [
            st.text_input(label, value, key=f"change-tariff-{name}-{place}-{currency}", max_chars=12).strip()
            or "0"
            for place, (label, value) in enumerate(zip(labels, shown, strict=True))
        ]
    if tuple(parts) == shown:
        return ""
    return f"{parts[0]} %, at least {parts[1]}, plus {parts[2]}"


@st.dialog("Propose a change", position="right", on_dismiss=confirm.close_drawer)
def _propose(newest: Mapping[Platform, Version], every: Sequence[Version], currency: str) -> None:
    """Rules are put together one after another; the whole difference is read before it is proposed."""
    platform = st.selectbox(
        "Profile", list(newest), format_func=lambda each: in_words(each.value), key="change-profile"
    )
    profile = newest[platform].profile
    together: dict[str, Any] = st.session_state.setdefault(f"proposal-rules-{platform.value}", {})
    rules = {name: (label, value) for name, label, value, _ in profile.lines()}
    name = st.selectbox("Rule", list(rules), format_func=lambda each: rules[each][0], key="change-rule")
    before = together.get(name, rules[name][1])
    st.text(f"Now: {wording.in_words(name, rules[name][1], currency)}")
    typed = _tariff(name, before, currency) if isinstance(before, Tariff) else _value(name, before, currency)
    if typed:
        try:
            together[name] = policy_values.read(name, before, typed, currency)
        except DeskError as unreadable:
            errors.show(unreadable)
            return
    warnings = _read_through(every, profile, together, currency)
    seen = _confirmed(warnings or (), "proposal-seen-by-maker")
    place = text_fields.named("policy", 0, "change")
    reason = reasons.area(place, "Why", key="change-reason")
    with st.container(horizontal=True, gap="small"):
        unread = warnings is None or len(seen) < len(warnings)
        intent = confirm.pressed("Propose", key="propose-change", disabled=unread)
        with confirm.kept_if_cut_short(intent):
            st.button(
                "Start over",
                key="clear-change",
                on_click=_start_over,
                args=(together,),
                disabled=not together,
            )
    if intent:
        changes = dict(together)
        confirm.carry_out(
            intent,
            lambda session, actor, now: policy_change.propose(
                session, actor, now=now, platform=platform, changes=changes, reason=reason, seen=seen
            ),
            done="Proposed. Another administrator decides.",
            then=lambda _: _proposed(together),
            sent=[place],
        )


def _read_through(
    every: Sequence[Version], profile: Profile, together: Mapping[str, Any], currency: str
) -> tuple[str, ...] | None:
    """Show the whole difference; its new warnings, or None where there is nothing that can be proposed."""
    if not together:
        st.caption("Type a new value. Several rules can be changed in one proposal: choose the next one.")
        return None
    try:
        after = policy_change.revised(profile, together)
        warnings = policy_change.new_warnings(profile, after)
    except DeskError as refused:
        errors.show(refused)
        return None
    origins = policy.sources(list(every), profile)
    changes = [replace(each, source=origins[each.name]) for each in policy.changes_between(profile, after)]
    header.section("The whole proposal", f"{len(changes)} rule{'' if len(changes) == 1 else 's'}")
    _difference(after, changes, warnings, currency)
    return warnings


def _start_over(together: dict[str, Any]) -> None:
    together.clear()
    for key in [
        each for each in st.session_state if str(each).startswith(("change-value-", "change-tariff-"))
    ]:
        del st.session_state[key]


def _proposed(together: dict[str, Any]) -> None:
    _start_over(together)
    st.rerun()


@st.dialog("A proposed change", position="right", on_dismiss=confirm.close_drawer)
def _settle(proposal_id: int, own: bool, currency: str) -> None:
    if not confirm.step_up("proposals-settle"):
        return
    with request_context.reading() as session:
        found = {each.id: each for each in queries.proposals(session)}
    if proposal_id not in found:
        confirm.changed_meanwhile("This proposal has already been settled.")
        return
    row = found[proposal_id]
    st.text(f"{in_words(row.platform.value)}, version {row.version}, proposed by {row.proposed_by}")
    _difference(row.profile, row.changes, row.warnings, currency)
    st.text(words_of(row.reason))
    seen = () if own else _confirmed(row.warnings, "proposal-seen-by-checker")
    if row.stale:
        st.warning("Another version was published since: it can only be rejected.", icon=":material/warning:")
    unread = row.stale or len(seen) < len(row.warnings)
    may = second_person.may_confirm(
        Permission.APPROVE_POLICY, lambda session: policy_change.waiting_of(session, proposal_id)
    )
    place = text_fields.named("policy", proposal_id, "note")
    note = reasons.area(place, "Note", key="proposal-note")
    with st.container(horizontal=True, gap="small"):
        publish = (
            confirm.pressed("Publish", key="publish-proposal", money=True, disabled=unread) if may else None
        )
        with confirm.kept_if_cut_short(publish):
            refuse = confirm.pressed(
                "Withdraw" if own else "Reject", key="reject-proposal", type="secondary", money=True
            )
    if publish:
        confirm.carry_out(
            publish,
            lambda session, actor, now: policy_change.approve(
                session, actor, now=now, proposal_id=proposal_id, note=note, seen=seen
            ),
            done=f"Published. {' '.join(reach.sentences([each.name for each in row.changes]))}",
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

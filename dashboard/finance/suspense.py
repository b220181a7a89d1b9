"""Unexplained money on screen: one person says what it was, another agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

import streamlit as st

from core.actions.reconciliation import suspense
from core.ledger.accounts import CHART
from core.money import Money
from core.queries import suspense as queries
from core.queries.bounded_list import Listed
from core.queries.suspense import EntryLeg, SuspenseRow
from core.rules import suspense as rules
from core.rules.permissions import Permission
from core.rules.references import reference
from core.rules.suspense import TARGETS, SettledAs, fitting
from dashboard import payee_choice, request_context
from dashboard.ui import cards, confirm, deadlines, header, reasons, second_person, tables, text_fields
from dashboard.ui.safe import plain
from dashboard.ui.second_person import Answer


def said(value: str | None, *items: SuspenseRow) -> str:
    return rules.words(SettledAs(value), [each.amount for each in items]) if value else ""


AMOUNT = tables.leads(
    "label",
    "Amount",
    to=lambda row: ("journal", {"id": row.journal_id}),
    width=140,
)
LINE = [
    tables.mono("transaction_id", "Balance transaction", width=200),
    tables.mono("source", "Source", width=120),
    tables.when("found_at", "Found", width=138),
]
SETTLED = [
    AMOUNT,
    tables.text("settled_as", "It was", value=lambda row: said(row.settled_as, row), width=190),
    tables.text("proposed_by", "Proposed by", value=lambda row: row.proposed_by or "", width=115),
    tables.text("settled_by", "Approved by", width=115),
    tables.text("reason", "Reason", width=200),
    *LINE,
]
LEGS = [
    tables.mono("code", "Code"),
    tables.text("title", "Account"),
    tables.money("debit", "Debit"),
    tables.money("credit", "Credit"),
]
FEW = 3
OWED_AGAIN = (
    "The whole refund is owed to the payer again, and its milestone follows. What came back short of it is a bank "
    "charge."
)
EACH = [
    tables.text("reference", "Item"),
    tables.money("amount", "Amount"),
    tables.text("proposed_reason", "Reason"),
]
ALONE = [
    tables.text("reference", "Item"),
    tables.money("amount", "Amount"),
    tables.count("journal_id", "Journal"),
]
WHOLE_SETTLED = [*ALONE, *SETTLED[1:], tables.when("settled_at", "Approved at")]


def show(items: Listed[SuspenseRow]) -> None:
    """What waits for a second person, and a way to explain several amounts together; the amounts themselves are among
    the breaks. Nothing at all when everything is explained."""
    if not items:
        return
    proposed = sorted((each for each in items if each.proposed_as), key=_together)
    unsaid = [each for each in items if not each.proposed_as]
    may = request_context.may(Permission.SETTLE_SUSPENSE)
    if not proposed and not (unsaid and may):
        return
    header.section(
        "Explanations of amounts in suspense", "One person proposes what each was; another approves."
    )
    if items.note:
        cards.note(items.note)
    for _, together in groupby(proposed, key=_together):
        proposal(list(together))
    if unsaid and may:
        with cards.panel("suspense-panel"):
            _say(unsaid)


def history(items: Sequence[SuspenseRow], cursor: tables.Cursor) -> None:
    """What was explained before; nothing where nothing was."""
    if items:
        header.section("Cleared items", "What it was, and who proposed and approved it.")
        tables.table(
            items,
            SETTLED,
            key="explained",
            cursor=cursor,
            download=tables.Table(
                "explained-money",
                lambda session: tables.every(
                    lambda before, limit: queries.settled(session, before=before, limit=limit)
                ),
                columns=WHOLE_SETTLED,
            ),
            name="Explained money",
        )


def _together(item: SuspenseRow) -> tuple[int, datetime]:
    """What one person said at one time waits as one."""
    assert item.proposed_by_id is not None
    assert item.proposed_at is not None
    return item.proposed_by_id, item.proposed_at


def proposal(items: list[SuspenseRow]) -> None:
    """What was said of these amounts: someone else agrees or rejects it, whoever said it may withdraw it."""
    first = items[0]
    with cards.panel(f"agree-{first.id}"):
        labels = f"{len(items)} amounts" if len(items) > FEW else ", ".join(each.label for each in items)
        st.markdown(f"**{plain(labels)}**: {said(first.proposed_as, *items)}{_about(first)}")
        _reasons(items)
        chosen = _chosen(items)
        if first.proposed_as and chosen:
            entry(chosen, SettledAs(first.proposed_as), first.target_id)
        if chosen:
            _answer(chosen)


def _chosen(items: list[SuspenseRow]) -> list[SuspenseRow]:
    """Those that are answered now: what is left out waits on. What offsets each other is answered as one."""
    if len(items) < 2 or items[0].proposed_as == SettledAs.EACH_OTHER:
        return items
    named = {each.id: each.label for each in items}
    left_out = st.multiselect(
        "Leave out",
        list(named),
        format_func=named.__getitem__,
        placeholder="None: all of them are answered together",
        key=f"agree-{items[0].id}-left-out",
        help="What you leave out waits on, and can be approved or rejected by itself.",
    )
    return [each for each in items if each.id not in left_out]


def _about(item: SuspenseRow) -> str:
    """Whom or what it is about, by name."""
    if not item.proposed_as or not item.target_id:
        return ""
    settled_as = SettledAs(item.proposed_as)
    with request_context.reading() as session:
        name = queries.target_name(session, settled_as, item.target_id)
    number = "" if TARGETS[settled_as] == "milestone" else f" {item.target_id}"
    return f" ({plain(f'{TARGETS[settled_as]}{number}: {name}')})"


def _reasons(items: Sequence[SuspenseRow]) -> None:
    """Why; where each of several amounts has a reason of its own, beside its amount."""
    first = items[0]
    made = f"{first.proposed_by} on {deadlines.exact(first.proposed_at)}"
    if len({each.proposed_reason for each in items}) == 1:
        st.text(f"{made}: {first.proposed_reason}")
        if len(items) <= FEW:
            return
    else:
        st.text(made)
    tables.small(items, EACH, name="Proposed together")


def _answer(items: list[SuspenseRow]) -> None:
    first, numbers = items[0], [each.id for each in items]
    own = first.proposed_by_id == request_context.actor().id
    agreed = None
    if second_person.may_confirm(
        Permission.CONFIRM_SUSPENSE, lambda session: suspense.waiting_of(session, numbers)
    ):
        agreed = Answer(
            "Approve and post",
            lambda session, actor, now, reason: suspense.approve(
                session, actor, now=now, item_ids=numbers, reason=reason
            ),
            done="Booked: nothing is left unexplained about it.",
            icon=":material/done_all:",
        )
    if own or request_context.may(Permission.CONFIRM_SUSPENSE):
        second_person.answers(
            text_fields.named("suspense", first.id, "agree"),
            f"suspense-{first.id}",
            own=own,
            yes=agreed,
            no=Answer(
                "Reject",
                lambda session, actor, now, reason: suspense.reject(
                    session, actor, now=now, item_ids=numbers, reason=reason
                ),
                done="It is unexplained again.",
            ),
        )


def entry(items: Sequence[SuspenseRow], settled_as: SettledAs, target_id: int | None) -> None:
    """What is booked when another agrees, as debit and credit."""
    legs = [
        leg
        for each in items
        for leg in queries.entry(each.amount, settled_as, target_id, restated=each.restated)
    ]
    if legs:
        tables.small(_summed(legs) if len(items) > FEW else legs, LEGS, name="Proposed entry")
        cards.note("It is posted with the day of the approval.")
    elif settled_as is SettledAs.EACH_OTHER:
        cards.note("Nothing is booked: the amounts offset each other within suspense.")
    elif settled_as is SettledAs.REFUND_CAME_BACK and target_id:
        cards.note(OWED_AGAIN)
    elif settled_as is SettledAs.REFUND_OWED and target_id:
        cards.note(
            f"Booked against the refund that is owed for {reference('milestone', target_id)}; the milestone follows."
        )


def _summed(legs: Sequence[EntryLeg]) -> list[EntryLeg]:
    """One line an account, side and currency; debits first."""
    sums: dict[tuple[bool, str, str, str], Money] = {}
    for leg in legs:
        for credit, amount in ((False, leg.debit), (True, leg.credit)):
            if amount is not None:
                key = (credit, leg.code, leg.title, amount.currency)
                sums[key] = sums[key] + amount if key in sums else amount
    return [
        EntryLeg(code, title, None if credit else amount, amount if credit else None)
        for (credit, code, title, _), amount in sorted(sums.items(), key=lambda each: each[0][0])
    ]


def at_once(amount: Money) -> None:
    """Said before the press: what does not wait for anybody."""
    cards.note(
        f"Submitting books {amount.text()} to suspense at once. Its explanation takes effect when someone else "
        "approves it; if that is rejected or withdrawn, the amount stays in suspense until it is explained."
    )


def preview(
    source: str, amount: Money, settled_as: SettledAs, target_id: int | None, *, restated: bool = False
) -> None:
    """Of what is not booked yet: what it comes to in the end, from the account `source` by way of suspense."""
    legs = queries.entry(amount, settled_as, target_id, restated=restated)
    if legs:
        tables.small(
            [
                replace(leg, code=source, title=CHART[source].title) if leg.code == "suspense" else leg
                for leg in legs
            ],
            LEGS,
            name="Proposed entry",
        )
    elif settled_as is SettledAs.REFUND_CAME_BACK and target_id:
        cards.note(OWED_AGAIN)


def _say(items: Sequence[SuspenseRow]) -> None:
    names = {each.id: each.label for each in items}
    chosen = st.multiselect("Explain", list(names), format_func=names.__getitem__, key="suspense-items")
    explain([each for each in items if each.id in chosen], key="suspense", place=0)


def explain(items: Sequence[SuspenseRow], *, key: str, place: int, likely: SettledAs | None = None) -> None:
    """What these amounts were: a choice, whom it is about, the entry that follows, and the reason."""
    amounts = [each.amount for each in items]
    ways = fitting(amounts, at_the_bank=any(each.bank_line_id for each in items))
    settled_as = what_it_was("What it was", ways, amounts, key=f"{key}-as", likely=likely)
    known = next((each.milestone_id for each in items), None)
    target = asked_target(settled_as, key, amounts[:1], milestone=known)
    if items and settled_as:
        entry(items, settled_as, target)
    field = text_fields.named("suspense", place, "explain")
    reason = reasons.line(field, key=f"{key}-reason")
    intent = confirm.pressed("Submit for approval", key=f"{key}-settle", disabled=not (items and settled_as))
    if intent and settled_as:
        confirm.carry_out(
            intent,
            lambda session, actor, now: suspense.propose(
                session,
                actor,
                now=now,
                item_ids=[each.id for each in items],
                settled_as=settled_as,
                reason=reason,
                target_id=target,
            ),
            done="Submitted. It is booked when someone else approves it.",
            sent=[field],
        )


def what_it_was(
    label: str,
    ways: Sequence[SettledAs],
    amounts: Sequence[Money],
    *,
    key: str,
    likely: SettledAs | None = None,
) -> SettledAs | None:
    """One of these; chosen already only where the desk knows what is likely."""
    return st.selectbox(
        label,
        ways,
        index=ways.index(likely) if likely in ways else None,
        format_func=lambda each: rules.words(each, amounts),
        key=key,
        placeholder="Choose what it was",
        help="What fits the amounts: money that came in cannot be what money that went out was.",
    )


def asked_target(
    settled_as: SettledAs | None, key: str, amounts: Sequence[Money], *, milestone: int | None = None
) -> int | None:
    """Whom or what it is about: a payee by name, a refund among those that the amount can be, anything else by its
    number. `milestone`: the one that is known."""
    kind = TARGETS.get(settled_as) if settled_as else None
    if kind is None:
        return None
    if kind == "payee":
        return payee_choice.choose(key, in_projects=False)
    if kind == "refund":
        return _sent_refund(key, amounts)
    known = milestone if kind == "milestone" else None
    typed = st.number_input(
        f"Number of the {kind}", min_value=1, value=known, step=1, key=f"{key}-target-{known}"
    )
    return int(typed) if typed else None


def _sent_refund(key: str, amounts: Sequence[Money]) -> int | None:
    """Of those that were sent from our bank, one that can have come back as this amount."""
    with request_context.reading() as session:
        found = {each.id: each for amount in amounts for each in queries.sent_refunds(session, amount)}
    if not found:
        cards.note("No refund of this amount or more was sent from our bank and confirmed.")
        return None
    chosen: int = st.selectbox(
        "Refund sent from our bank",
        list(found),
        format_func=lambda each: found[each].label,
        key=f"{key}-refund",
    )
    return chosen

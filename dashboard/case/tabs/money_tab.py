"""Where each cent is: how the payment divides, every journal, and everything that Stripe was asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.money import Money
from core.queries import case_money, conversions, fee_breakdown
from core.queries.case_money import CaseJournal, Sent
from core.queries.cases import CaseView
from core.queries.fee_breakdown import ActualFee
from core.rules.fees import Quote, explained
from core.rules.operations import ENDED, OperationStatus
from core.rules.permissions import Permission
from dashboard import navigation, request_context
from dashboard.case import journal_table
from dashboard.case import redaction as naming
from dashboard.ui import cards, charts, deadlines, empty, header, money, status
from dashboard.ui.charts import Step
from dashboard.ui.safe import html
from dashboard.ui.status import Tone

KINDS = {
    "CHARGE": "Charge",
    "REFUND": "Refund",
    "TRANSFER": "Transfer",
    "PAYOUT": "Payout",
    "REVERSAL": "Reversal",
    "EVIDENCE": "Evidence",
}


def show(case: CaseView, *, now: datetime, until: datetime | None = None) -> None:
    """Now, or (`until`) as it was then."""
    with request_context.reading() as session:
        journals = case_money.journals(session, case.context.milestone.id)
        operations = case_money.operations(session, case.context.milestone.id)
        converted = conversions.of_milestones(session, case.context.milestone.id)
        actual = fee_breakdown.actual(session, [case.context.milestone.id]).get(case.context.milestone.id)
    if until is not None:
        journals = [each for each in journals if each.posted_at < until]
        operations = [each for each in operations if each.created_at < until]
        converted = [each for each in converted if each.at < until]
    if not case.context.order.funded_minor:
        empty.state("Nothing was paid yet", "The money appears here when the payer funds the milestone.")
        return
    header.section("Where the payment is", "every cent of it, then" if until else "every cent of it, now")
    _where(case)
    for each in converted:
        cards.note(each.sentence)
    _waterfall(case)
    _fees(case, actual)
    header.section("Journals", f"{len(journals)} posted")
    if request_context.may(Permission.READ_LEDGER):
        navigation.link(
            "t_accounts", "T-accounts", icon=":material/account_balance:", id=case.context.milestone.id
        )
    for posted in journals:
        _journal(case, posted)
    header.section("Operations", "what Stripe was asked, and how far it is")
    _operations(operations, now)


def _where(case: CaseView) -> None:
    order, sum_of = case.context.order, case.context.money
    decided = order.held_minor == 0
    kept, fee = order.fee_kept_minor, order.platform_fee_minor
    parts: list[tuple[str, Money, Tone]] = [
        ("Held", sum_of(order.held_minor), "info"),
        ("Payable to the payee", sum_of(order.payable_minor), "wait"),
        ("With the payee", sum_of(order.released_minor), "good"),
        ("Refund payable to the payer", sum_of(order.refundable_minor), "wait"),
        ("Back with the payer", sum_of(order.refunded_minor), "good"),
        ("Platform fee earned", sum_of(kept), "quiet"),
        (
            "Platform fee returned" if decided else "Deferred platform fees",
            sum_of(fee - kept),
            "quiet",
        ),
        ("Processing fee", sum_of(order.processing_fee_minor), "quiet"),
    ]
    money.split(
        [part for part in parts if part[1].minor],
        caption=f"Total: {sum_of(order.charge_minor)}, what the payer paid.",
    )


def _fees(case: CaseView, actual: ActualFee | None) -> None:
    """How the fees of this payment come about, with their numbers, and what the processor really took."""
    order, sum_of = case.context.order, case.context.money
    quoted = Quote(
        milestone=case.context.amount,
        platform_fee=sum_of(order.platform_fee_minor),
        processing_fee=sum_of(order.processing_fee_minor),
        total=sum_of(order.charge_minor),
    )
    for sentence in (*explained(quoted, case.context.profile), actual.sentence if actual else ""):
        if sentence:
            cards.note(sentence)


def _waterfall(case: CaseView) -> None:
    order, sum_of = case.context.order, case.context.money
    given, back = order.payable_minor + order.released_minor, order.refundable_minor + order.refunded_minor
    steps: list[tuple[str, Money, Step]] = [
        ("Paid", sum_of(order.charge_minor), "total"),
        ("Processing fee", sum_of(order.processing_fee_minor), "out"),
        ("Platform fee", sum_of(order.platform_fee_minor), "out"),
        ("Funded", sum_of(order.funded_minor), "total"),
    ]
    steps += [("To the payee", sum_of(given), "out")] if given else []
    steps += [("To the payer", sum_of(back), "out")] if back else []
    steps += [("Held", sum_of(order.held_minor), "total")]
    charts.waterfall(steps, key="case-waterfall", height=240, alt="From what was paid to what is held")


def _journal(case: CaseView, each: CaseJournal) -> None:
    st.html(
        journal_table.journal(
            naming.redact(case, f"J-{each.id} · {each.memo or each.kind}"),
            f"{deadlines.exact(each.posted_at)} · {each.key}",
            each.legs,
            _names(case, each),
        )
    )
    if request_context.may(Permission.READ_LEDGER) and "journal" in navigation.on_disk():
        navigation.link("journal", f"Open J-{each.id}", icon=":material/arrow_forward:", id=each.id)


def _names(case: CaseView, each: CaseJournal) -> dict[str, str]:
    """Accounts of a party, by the party's name."""
    parties = {party.id: party.name for party in case.parties}
    named = {}
    for leg in each.legs:
        number = leg.account.partition(":")[2]
        if leg.account.startswith(("payee_payable", "connected", "receivable")) and number.isdigit():
            named[leg.account] = f"{leg.title} · {parties.get(int(number), number)}"
    return named


def _operations(operations: Sequence[Sent], now: datetime) -> None:
    if not operations:
        cards.note("Stripe was asked for nothing yet.")
        return
    body = "".join(_operation(each, now) for each in operations)
    st.html(
        '<table class="ed-book"><thead><tr><th>Operation</th><th class="ed-num">Amount</th><th>Status</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _operation(each: Sent, now: datetime) -> str:
    away = each.status == OperationStatus.QUEUED and each.provider_id is not None
    pill = status.pill("operation", "SENT" if away else each.status)
    tries = f"try {each.tries}" if each.tries > 1 else ""
    why = " · ".join(filter(None, (tries, each.reason or _again(each, now))))
    return (
        f"<tr><td>{html(KINDS.get(each.kind, each.kind))}<small>{html(each.provider_id or each.key)}</small></td>"
        f'<td class="ed-num">{html(each.amount)}</td><td><span class="ed-pill ed-{pill.tone}">{html(pill.label)}</span>'
        f"{f'<p>{html(why)}</p>' if why else ''}</td></tr>"
    )


def _again(row: Sent, now: datetime) -> str:
    if row.status in ENDED or row.next_try_at <= now:
        return ""
    return f"looked at again {deadlines.words(row.next_try_at, now)}"

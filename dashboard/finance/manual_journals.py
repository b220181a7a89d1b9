"""Manual journals on screen: the form with its preview, both answers of the second person, and a way to reverse one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.actions.periods import journal_reversals, manual_journals
from core.actions.periods.manual_journals import Attached
from core.errors import DeskError
from core.ledger import accounts
from core.ledger.accounts import CHART
from core.ledger.journals import Posting
from core.ledger.postings import by_hand
from core.money import Money
from core.queries import manual_journals as queries
from core.queries.journals import Leg
from core.queries.ledger import sides
from core.queries.manual_journals import ManualJournalRow
from core.rules.permissions import Permission
from core.rules.proposals import ProposalStatus
from core.rules.references import reference
from dashboard import navigation, request_context
from dashboard.finance import books
from dashboard.ui import cards, confirm, download, errors, header, reasons, second_person, tables, text_fields
from dashboard.ui.master_detail import Listing
from dashboard.ui.safe import plain
from dashboard.ui.second_person import Answer

LINES = "manual-journal-lines"
FEWEST, MOST = 2, 12
COLUMNS = [
    tables.text("reference", "No.", width=75),
    tables.status("status", "Status", axis="proposal", width=100),
    tables.day("posted_on", "For", width=100),
    tables.money("amount", "Amount", width=115),
    tables.text("memo", "Memo", width=260),
    tables.text("proposed_by", "Proposed by", width=130),
    tables.text("settled_by", "Answered by", value=lambda row: row.settled_by or "", width=130),
    tables.leads(
        "journal_id",
        "Journal",
        to=lambda row: ("journal", {"id": row.journal_id}) if row.journal_id else None,
        value=lambda row: f"J-{row.journal_id}" if row.journal_id else "",
        width=90,
    ),
]
LISTING = Listing(
    key="manual-journals",
    name="Manual journals",
    columns=COLUMNS,
    first=4,
    page=queries.rows,
    file=[*COLUMNS[:-1], tables.count("journal_id", "Journal"), tables.text("reason", "Reason")],
    empty_state=("None yet", "Whatever Stripe and the desk do is posted by itself."),
)
LEGS = [tables.mono("code", "Code"), *books.LEGS[1:]]


def form() -> None:
    """Lines, day, words and a file; the preview is what would be posted."""
    with st.expander("New manual journal", key="manual-journal-form"):
        with st.container(horizontal=True, gap="small"):
            currency = st.selectbox("Currency", list(accounts.ISO_NUMBERS), key="mj-currency", width=120)
            today = request_context.now().date()  # the desk's, not that of the server's time zone
            day = st.date_input(
                "For the day", value=today, max_value=today, key="mj-day", format="YYYY-MM-DD", width=160
            )
            count = st.number_input("Lines", FEWEST, MOST, FEWEST, key="mj-count", width=120)
        lines = [line for n in range(int(count)) if (line := _line(n, currency))]
        memo_at, reason_at = (text_fields.named("journal", 0, each) for each in ("memo", "reason"))
        memo = text_fields.line(memo_at, "Memo: what it is", key="mj-memo")
        reason = reasons.line(reason_at, "Reason, for whoever approves it and the log", key="mj-reason")
        file = st.file_uploader("Attachment", key="mj-file", max_upload_size=20)
        fits = _preview(lines, memo)
        attached = Attached(file.name, file.getvalue()) if file else None
        store = request_context.desk().evidence
        if intent := confirm.pressed("Submit for approval", key="mj-propose", disabled=not fits):
            confirm.carry_out(
                intent,
                lambda session, actor, now: manual_journals.propose(
                    session, actor, now=now, lines=lines, posted_on=day, memo=memo, reason=reason,
                    attached=attached, store=store,
                ),
                done="Submitted. It is posted when someone else approves it.",
                sent=[memo_at, reason_at],
            )  # fmt: skip


def _line(number: int, currency: str) -> Posting | None:
    """One line; None while it has no account or no amount."""
    names = {
        line.name: f"{line.gl_number} {line.title}"
        for line in accounts.IN_ORDER
        if by_hand.by_hand(line.name)
    }
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        name = st.selectbox(
            f"Account {number + 1}", list(names), index=None, format_func=names.__getitem__, key=f"mj-account-{number}",
            width=320,
        )  # fmt: skip
        party = None
        if name and CHART[name].per:
            party = st.number_input(
                "Party", min_value=1, value=None, step=1, key=f"mj-party-{number}", width=110
            )
        side = st.segmented_control(
            "Side", ["Debit", "Credit"], default="Credit" if number else "Debit", required=True,
            key=f"mj-side-{number}", label_visibility="collapsed",
        )  # fmt: skip
        typed = st.text_input("Amount", key=f"mj-amount-{number}", placeholder="0.00", width=150)
    if not name or not typed or (CHART[name].per and not party):
        return None
    try:
        amount = Money.parse(typed, currency)
    except DeskError as unreadable:
        errors.show(unreadable)
        return None
    code = f"{name}:{int(party)}" if party else name
    return Posting(code, amount if side == "Debit" else -amount)


def _preview(lines: Sequence[Posting], memo: str) -> bool:
    """Debits and credits as they would be posted, and whether they can be."""
    if len(lines) < FEWEST:
        cards.note("At least two lines: debits and credits have the same sum.")
        return False
    drawn(lines, name="Preview")
    try:
        manual_journals.preview(lines, memo=memo)
    except DeskError as unfit:
        cards.note(unfit.message)
        return False
    return True


def drawn(lines: Sequence[Posting], *, name: str) -> None:
    """Lines as debit and credit."""
    tables.small([_leg(line) for line in lines], LEGS, name=name)


def _leg(line: Posting) -> Leg:
    return Leg(line.account, accounts.account_type(line.account).title, *sides(line.amount))


def proposal(row: ManualJournalRow) -> None:
    """What waits: someone else approves or rejects it, whoever proposed it may withdraw it."""
    own = row.proposed_by_id == request_context.actor().id
    with cards.panel(f"manual-journal-{row.id}"):
        st.markdown(f"**{plain(row.reference)} · {plain(row.memo)}**, for {row.posted_on:%-d %b %Y}")
        st.text(f"{row.proposed_by}: {row.reason}")
        tables.small(row.legs, LEGS, name="Lines")
        _attachment(row)
        yes = None
        if second_person.may_confirm(
            Permission.CONFIRM_JOURNAL, lambda session: manual_journals.waiting_of(session, row.id)
        ):
            yes = Answer(
                "Approve and post",
                lambda session, actor, now, reason: manual_journals.approve(
                    session, actor, now=now, number=row.id, reason=reason
                ),
                done="Posted as it was proposed.",
                icon=":material/done_all:",
            )
        if own or request_context.may(Permission.CONFIRM_JOURNAL):
            second_person.answers(
                text_fields.named("journal", row.id, "answer"),
                f"manual-journal-{row.id}",
                own=own,
                yes=yes,
                no=Answer(
                    "Reject",
                    lambda session, actor, now, reason: manual_journals.reject(
                        session, actor, now=now, number=row.id, reason=reason
                    ),
                    done="It is not posted.",
                ),
            )


def listed(rows: Sequence[ManualJournalRow], cursor: tables.Cursor) -> None:
    header.section("Manual journals", "Newest first.")
    LISTING.show(rows, cursor, queries.row, _detail)


def _detail(row: ManualJournalRow) -> None:
    header.section(row.reference, row.memo)
    tables.small(row.legs, LEGS, name="Lines")
    cards.facts(
        {
            "For": f"{row.posted_on:%-d %b %Y}",
            "Proposed": row.proposed_at,
            "By": row.proposed_by,
            "Answered by": row.settled_by,
            "Reason": row.reason,
            "Answer": row.note,
        },
        columns=2,
    )
    _attachment(row)
    with st.container(horizontal=True, gap="small"):
        if row.journal_id:
            navigation.link("journal", f"J-{row.journal_id}", icon=":material/menu_book:", id=row.journal_id)
        if row.break_id:
            explains = f"Explains {reference('break', row.break_id)}"
            where: dict[str, Any] = {"break": row.break_id}
            navigation.link("reconciliation", explains, **where)
        if row.reverses_id:
            navigation.link("manual_journals", f"Reverses MJ-{row.reverses_id}", id=row.reverses_id)
        elif row.reverses_journal_id:
            navigation.link("journal", f"Reverses J-{row.reverses_journal_id}", id=row.reverses_journal_id)
        if row.reversed_by_id:
            said = (
                "Reversed by" if row.reversed_by_status == ProposalStatus.POSTED else "Reversal proposed as"
            )
            navigation.link("manual_journals", f"{said} MJ-{row.reversed_by_id}", id=row.reversed_by_id)
    if row.status == ProposalStatus.POSTED and not row.reversed_by_id and not row.break_id:
        _reverse(row)


def _attachment(row: ManualJournalRow) -> None:
    if row.attachment_name is None:
        return
    desk = request_context.desk()

    def content(actor: object, now: object) -> bytes:
        with desk.database.reading() as session:
            return manual_journals.attachment(session, actor, store=desk.evidence, number=row.id)  # type: ignore[arg-type]

    download.button(
        row.attachment_name,
        key=f"manual-journal-{row.id}-file",
        permission=Permission.READ_LEDGER,
        name=row.attachment_name,
        media_type="application/octet-stream",
        content=content,
    )


def _reverse(row: ManualJournalRow) -> None:
    if not request_context.may(Permission.PROPOSE_JOURNAL):
        return
    with st.expander("Reverse it", key=f"reverse-{row.id}"):
        today = request_context.now().date()
        day = st.date_input(
            "For the day", value=today, max_value=today, key=f"reverse-day-{row.id}", format="YYYY-MM-DD"
        )
        place = text_fields.named("journal", row.id, "reverse")
        reason = reasons.line(place, "Why it is reversed", key=f"reverse-reason-{row.id}")
        if intent := confirm.pressed("Submit for approval", key=f"reverse-{row.id}-propose"):
            confirm.carry_out(
                intent,
                lambda session, actor, now: journal_reversals.propose(
                    session, actor, now=now, number=row.id, posted_on=day, reason=reason
                ),
                done="Submitted. It is reversed when someone else approves it.",
                sent=[place],
            )

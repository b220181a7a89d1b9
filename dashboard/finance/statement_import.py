"""Importing a file: chosen, looked at, then imported, each beside the page, so that a long one keeps nobody waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from core.actions.bank_statements import imports, stripe_reports
from core.actions.bank_statements.imports import Import
from core.actions.bank_statements.stripe_reports import ReportImport
from core.errors import DeskError
from core.gateways.bank_statements import recognition
from core.queries import bank_statements
from core.queries.bank_statements import Account, BankLineRow
from core.rules.bank_statements import STRIPE
from core.rules.permissions import Actor
from dashboard import background_job, navigation, request_context
from dashboard.background_job import Progress, Work
from dashboard.finance.bank_statement_view import LINES, counted
from dashboard.ui import cards, confirm, deadlines, empty, errors, header, tables
from dashboard.ui.header import Notice
from dashboard.ui.safe import plain

PREVIEW, IMPORT, TURN = "statement-preview", "statement-import", "statement-import:turn"
SHOWN = 20
MEGABYTES = recognition.LARGEST // 1_000_000
Outcome = Import | ReportImport


@dataclass(frozen=True)
class Chosen:
    """What is to be imported, and how."""

    file: str
    content: bytes
    account: str
    mapping: str | None
    opening: str | None


@dataclass(frozen=True)
class Preview:
    chosen: Chosen
    outcome: Outcome
    first: Sequence[BankLineRow]


def show(accounts: Sequence[Account]) -> None:
    if not accounts:
        empty.state("No bank account yet", "Register one below; then its statements can be imported.")
        return
    work: Work[Outcome] | None = background_job.of(IMPORT)
    if work is not None:
        _ended(work) if not work.running else background_job.watch(work, _counted)
        return
    chosen = _choose(accounts)
    if chosen is not None and confirm.pressed(
        "Preview", key="import-look", type="secondary", icon=":material/visibility:"
    ):
        _look(chosen)
    looked: Work[Preview] | None = background_job.of(PREVIEW)
    if looked is None or looked.about != chosen:
        return
    if looked.running:
        background_job.watch(looked, _counted)
    elif isinstance(looked.error, DeskError):
        errors.show(looked.error)
    elif looked.error:
        background_job.forget(PREVIEW)
        raise looked.error
    elif looked.result is not None:
        _preview(looked.result)


def _choose(accounts: Sequence[Account]) -> Chosen | None:
    with request_context.reading() as session:
        mappings = [each.name for each in bank_statements.mappings(session)]
    names = {each.code: f"{each.name} ({each.currency})" for each in accounts} | {
        STRIPE: "Stripe's itemized reports"
    }
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        account = st.selectbox(
            "Account", list(names), format_func=names.__getitem__, key="import-account", width=310
        )
        mapping = st.selectbox(
            "Mapping, for a CSV", [None, *mappings], format_func=lambda name: name or "None",
            key="import-mapping", width=180,
        )  # fmt: skip
        opening = st.text_input(
            "Opening balance", key="import-opening", max_chars=30, width=150, placeholder="Only if none is stated",
            help="For the first statement of an account, where the file states no balance.",
        )  # fmt: skip
    file = st.file_uploader(
        "CAMT.053, MT940, OFX, BAI2, CSV, or an itemized report of Stripe's",
        key=f"import-file:{st.session_state.get(TURN, 0)}",
        max_upload_size=MEGABYTES,
    )
    if file is None:
        cards.note("What a file is, is recognised from its content. A file comes in whole, or not at all.")
        return None
    return Chosen(file.name, file.getvalue(), str(account), mapping, opening.strip() or None)


def _look(chosen: Chosen) -> None:
    desk, actor, now = request_context.desk(), request_context.actor(), request_context.now()

    def look(progress: Progress) -> Preview:
        with desk.database.reading() as session:  # thrown away
            outcome = _take(session, actor, chosen, None, progress, now)
            first: list[BankLineRow] = []
            for each in outcome.statements if isinstance(outcome, Import) else ():
                first += bank_statements.lines(session, each.id, limit=SHOWN - len(first))
        return Preview(chosen, outcome, first)

    background_job.begin(PREVIEW, look, about=chosen)


def _take(
    session: Session, actor: Actor, chosen: Chosen, store: Any, progress: Progress, now: Any
) -> Outcome:
    if chosen.account == STRIPE:
        return stripe_reports.take(
            session, actor, now=now, file=chosen.file, content=chosen.content, store=store
        )
    total = chosen.content.count(b"\n")
    return imports.take(
        session, actor, now=now, code=chosen.account, file=chosen.file, content=chosen.content, store=store,
        mapping=chosen.mapping, opening=chosen.opening, progress=lambda done: progress(done, max(done, total)),
    )  # fmt: skip


def _counted(work: Work[Any]) -> str:
    return f"{work.done:,} lines read …"


def _preview(found: Preview) -> None:
    outcome = found.outcome
    if outcome.before is not None:
        cards.note(f"This file was imported on {deadlines.exact(outcome.before)}. There is nothing to do.")
        return
    if isinstance(outcome, Import) and outcome.nothing_new:
        _nothing_new(outcome)
        return
    header.section("Preview", "nothing is imported yet")
    if isinstance(outcome, Import):
        _statements(outcome)
        tables.table(
            found.first, LINES[:5], key="preview-lines", download=None, name="The first lines of the file"
        )
        if (there := sum(each.lines for each in outcome.statements)) > len(found.first):
            cards.note(f"The first {len(found.first)} of {there:,} lines.")
        new = outcome.lines - outcome.repeated
    else:
        new = outcome.added
        cards.note(
            f"{counted(outcome.lines)} of Stripe's; {outcome.lines - new:,} of them known, and they agree."
        )
    intent = confirm.pressed(f"Import {counted(new)}", key="import-now", icon=":material/download_done:")
    if intent:
        _begin(found.chosen)
        st.rerun()


def _nothing_new(outcome: Import) -> None:
    """Which statements it has, and the way to each."""
    cards.note(" ".join((*outcome.said, "There is nothing to do.")))
    with st.container(horizontal=True, gap="small"):
        for each in outcome.known:
            navigation.link(
                "bank_statements",
                f"Statement {each.reference}",
                icon=":material/account_balance_wallet:",
                id=each.id,
            )


def _statements(outcome: Import) -> None:
    tables.small(
        outcome.statements,
        [
            tables.text(
                "period",
                "Period",
                value=lambda row: " to ".join(map(deadlines.day, dict.fromkeys((row.first_on, row.last_on)))),
            ),
            tables.money("opening", "Opening balance"),
            tables.money("closing", "Closing balance"),
            tables.count("lines", "Lines"),
            tables.count("repeated", "Imported before"),
            tables.text("reference", "The bank calls it"),
        ],
        name="Statements in the file",
    )
    for sentence in dict.fromkeys(outcome.said):
        st.info(plain(sentence), icon=":material/info:")


def _begin(chosen: Chosen) -> None:
    """One transaction beside the page. Pressed twice, the second finds the first at work, or the file imported."""
    desk, actor, now = request_context.desk(), request_context.actor(), request_context.now()
    background_job.forget(PREVIEW)
    background_job.begin(
        IMPORT,
        lambda progress: desk.database.run(
            lambda session: _take(session, actor, chosen, desk.evidence, progress, now)
        ),
    )


def _ended(work: Work[Outcome]) -> None:
    background_job.forget(IMPORT)
    if isinstance(work.error, DeskError):
        errors.show(work.error)
        st.button("Choose again", key="import-again", icon=":material/upload_file:")
        return
    if work.error:
        raise work.error
    assert work.result is not None
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1  # the field for the file is empty again
    header.say(Notice(_done(work.result)))
    st.rerun()


def _done(outcome: Outcome) -> str:
    """Somebody else may have imported it since it was looked at."""
    if outcome.before is not None:
        return f"{outcome.file} was imported on {deadlines.exact(outcome.before)} already. Nothing was done."
    if isinstance(outcome, ReportImport):
        return f"{outcome.file} is imported: {counted(outcome.added)}."
    if outcome.nothing_new:
        return f"{outcome.file}: {' '.join(outcome.said)} Nothing was done."
    return f"{outcome.file} is imported: {counted(outcome.lines - outcome.repeated)}."

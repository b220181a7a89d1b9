"""Mappings of a bank's CSV: those that are saved, and a form to try one on a sample and to save it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.actions.bank_statements import mappings
from core.errors import DeskError
from core.gateways.bank_statements.parsed import Line
from core.money import CURRENCIES, Money
from core.queries import bank_statements
from core.queries.bank_statements import Mapped
from core.rules.csv_mappings import DATE_FORMATS, DELIMITERS, ENCODINGS, GROUPINGS
from dashboard import request_context
from dashboard.ui import cards, confirm, errors, header, tables

NEW = "A new one"
SIGNED, WORDED, TWO = (
    "One column, signed",
    "One column, and one that says credit or debit",
    "Credit and debit columns",
)
MARKS = {"": "none", " ": "blank", "'": "apostrophe", "\u2019": "typographic apostrophe",
         "\u00a0": "no-break blank", "\u202f": "narrow blank"}  # fmt: skip
SAMPLE_MEGABYTES = 5


def show() -> None:
    with request_context.reading() as session:
        known = bank_statements.mappings(session)
    tables.table(
        known,
        [
            tables.mono("name", "Mapping", width=180),
            tables.count("version", "Version", width=80),
            tables.count("files", "Files of this version", width=140),
            tables.text("made_by", "Saved by", width=160),
            tables.when("made_at", "Saved", width=150),
        ],
        key="mappings",
        download=None,
        empty_state=("No mapping yet", "Banks write CSV in many ways; save below how yours does."),
        name="Mappings of CSV files",
    )
    header.section(
        "A mapping", "With a sample of the file its columns are chosen; without one they are typed."
    )
    by_name = {each.name: each for each in known}
    chosen = st.selectbox("Begin with", [NEW, *by_name], key="mapping-from", width=220)
    _form(by_name.get(chosen))


def _form(known: Mapped | None) -> None:
    said: dict[str, Any] = known.definition if known else {}
    mark = known.name if known else "new"
    name = st.text_input(
        "Name", value=known.name if known else "", key=f"m:{mark}:name", max_chars=40, width=220
    )
    sample = st.file_uploader(
        "A sample, to try it on",
        type=["csv", "txt"],
        key=f"m:{mark}:sample",
        max_upload_size=SAMPLE_MEGABYTES,
    )
    definition = _file(said, mark)
    there = _there(definition, sample.name, sample.getvalue()) if sample is not None else []
    definition |= _columns(said, mark, there) | _amounts(said, mark, there)
    currency = st.selectbox(
        "Currency of the sample", sorted(CURRENCIES), key=f"m:{mark}:sample-in", width=170
    )
    if sample is not None:
        _try(definition, sample.name, sample.getvalue(), str(currency))
    intent = confirm.pressed("Save the mapping", key="mapping-save", icon=":material/save:")
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: mappings.save(
                session, actor, now=now, name=name.strip(), definition=definition
            ),
            done=lambda row: f"{row.name} is saved, version {row.version}.",
        )


def _file(said: dict[str, Any], mark: str) -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        return {
            "delimiter": _one("Columns separated by", DELIMITERS, said.get("delimiter", ","), f"m:{mark}:delimiter"),
            "encoding": _one("Encoding", ENCODINGS, said.get("encoding", ""), f"m:{mark}:encoding"),
            "header_line": int(
                st.number_input(
                    "Line of the header", min_value=1, max_value=100, value=int(said.get("header_line", 1)),
                    key=f"m:{mark}:header", width=150,
                )
            ),
            "newest_first": st.checkbox(
                "Newest line first", value=bool(said.get("newest_first")), key=f"m:{mark}:newest"
            ),
        }  # fmt: skip


def _there(file: dict[str, Any], name: str, content: bytes) -> list[str]:
    """The columns of the sample."""
    given = {each: file[each] for each in ("delimiter", "encoding", "header_line")}
    try:
        found = mappings.header(request_context.actor(), file=name, content=content, **given)
    except DeskError as refused:
        errors.show(refused)
        return []
    if len(found) > 1:
        return found
    cards.note(
        "The sample has one column only: choose what separates its columns, and the line of its header."
    )
    return []


def _columns(said: dict[str, Any], mark: str, there: Sequence[str]) -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        found: dict[str, Any] = {
            field: _column(label, said, field, mark, there)
            for field, label in (
                ("booked_on", "Booking date"),
                ("value_on", "Value date"),
                ("counterparty", "Counterparty"),
                ("reference", "Bank reference"),
                ("account", "Account"),
                ("currency", "Currency"),
                ("balance", "Balance after the line"),
            )
        }
        texts = _texts(said, mark, there)
        form = _one("Dates are written", DATE_FORMATS, said.get("date_format", "%Y-%m-%d"), f"m:{mark}:dates")
    return found | {"texts": texts, "date_format": form}


def _texts(said: dict[str, Any], mark: str, there: Sequence[str]) -> list[str]:
    key = f"m:{mark}:texts"
    if not there:
        typed = st.text_input(
            "Texts", value="; ".join(said.get("texts", [])), key=key, max_chars=400, width=220,
            help="Several columns with semicolons between them.",
        )  # fmt: skip
        return _listed(typed)
    before = _listed(st.session_state.get(key, "; ".join(said.get("texts", []))))
    default = [each for each in before if each in there]
    return st.multiselect("Texts", there, default=default, key=f"{key}:of", placeholder="None", width=260)


def _amounts(said: dict[str, Any], mark: str, there: Sequence[str]) -> dict[str, Any]:
    before = TWO if said.get("credit") else WORDED if said.get("direction") else SIGNED
    ways = [SIGNED, WORDED, TWO]
    way = st.radio("Amounts", ways, index=ways.index(before), key=f"m:{mark}:way", horizontal=True)
    found: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if way == TWO:
            found = {
                field: _column(field.capitalize(), said, field, mark, there) for field in ("credit", "debit")
            }
        else:
            found["amount"] = _column("Amount", said, "amount", mark, there)
        if way == WORDED:
            found["direction"] = _column("Credit or debit", said, "direction", mark, there)
            words = st.text_input(
                "Words for a debit", value="; ".join(said.get("debit_words", [])), key=f"m:{mark}:debit_words",
                max_chars=200, width=180,
            )  # fmt: skip
            found["debit_words"] = _listed(words)
        found["decimal"] = _one(
            "Decimal mark", {".": "point", ",": "comma"}, said.get("decimal", "."), f"m:{mark}:d"
        )
        groups = {each: MARKS.get(each, {".": "point", ",": "comma"}.get(each, each)) for each in GROUPINGS}
        found["grouping"] = _one("Thousands mark", groups, said.get("grouping", ""), f"m:{mark}:g")
        found["brackets"] = st.checkbox(
            "(12.00) is minus twelve", value=bool(said.get("brackets")), key=f"m:{mark}:brackets"
        )
    return found


def _column(label: str, said: dict[str, Any], field: str, mark: str, there: Sequence[str]) -> str:
    """One of the sample's columns; what was typed before there was a sample is chosen where it has it."""
    before, key = str(said.get(field, "")), f"m:{mark}:{field}"
    if there:
        typed = st.session_state.get(key, before).strip()
        index = there.index(typed) if typed in there else None
        return st.selectbox(label, there, index=index, key=f"{key}:of", placeholder="None", width=170) or ""
    return st.text_input(label, value=before, key=key, max_chars=100, width=160).strip()


def _one(label: str, options: Any, before: str, key: str) -> str:
    keys = list(options)
    return str(
        st.selectbox(
            label, keys, index=keys.index(before), format_func=options.__getitem__, key=key, width=190
        )
    )


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(";") if each.strip()]


def _try(definition: dict[str, Any], file: str, content: bytes, currency: str) -> None:
    try:
        found = mappings.tried(
            request_context.actor(), definition=definition, currency=currency, file=file, content=content
        )
    except DeskError as refused:
        errors.show(refused)
        return
    tables.small(found, _sample(currency), name="The first lines of the sample")
    cards.note(f"The first {len(found)} lines, as this mapping reads them. Nothing is imported.")


def _sample(currency: str) -> list[tables.Column]:
    def amount(row: Line) -> Money:
        return Money(row.amount, currency)

    return [
        tables.money("amount", "Amount", value=amount),
        tables.day("booked_on", "Booked"),
        tables.text("counterparty", "Counterparty"),
        tables.text("text", "Text"),
        tables.mono("reference", "Bank reference"),
    ]

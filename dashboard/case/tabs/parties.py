"""Both parties: what they have been through on the marketplace, their other disputes, and who is tied to them."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.queries import letters, party_history, ratings
from core.queries.cases import CaseView
from core.queries.party_history import History
from core.records import Party
from core.rules.parties import PartyRole
from core.rules.permissions import Permission
from dashboard import request_context
from dashboard.case import redaction
from dashboard.ui import cards, header, tables


def show(case: CaseView, until: datetime | None = None) -> None:
    with request_context.reading() as session:
        pasts = [
            (party, party_history.history(session, party.id, but=case.id, until=until))
            for party in case.parties
        ]
        wants = letters.wants(session, [party.id for party in case.parties])
        rated = ratings.of_parties(session, [party.id for party in case.parties], until=until)
    for party, past in pasts:
        with st.container(border=True):
            _party(case, party, past, wants[party.id], rated.get(party.id), until)


def _party(
    case: CaseView, party: Party, past: History, wants: str, rated: str | None, until: datetime | None
) -> None:
    place = f"{party.city or '—'}, {party.country}" if redaction.shown(case) else "place hidden"
    header.section(party.name, f"{party.role.capitalize()} · {place}")
    facts: dict[str, cards.Fact] = {
        "With us since": f"{party.created_at:%-d %b %Y}",
        "Ratings": rated or "not yet",
        "Projects": f"{past.projects}, {past.completed} completed",
        "Milestones settled": past.settled,
        "Cases": f"{past.disputes}, {past.open} open",
        "Ended in release": past.released,
        "Ended divided": past.divided,
        "Ended in refund": past.refunded,
        "Chargebacks open": past.chargebacks,
        "Reports upheld": past.upheld,
        "E-mails": wants,
    }
    if party.role == PartyRole.PAYEE:
        facts["Payout method"] = _withdrawal(party)
    cards.facts(facts, columns=4)
    for tie in redaction.redacted(case, past.ties):
        cards.note(f"Tied to {tie.name} since {tie.declared_at:%-d %b %Y}: {tie.reason}")
    if past.cases:
        tables.table(
            redaction.redacted(case, past.cases),
            [
                tables.opens("id", "Case", page="case", value=lambda row: row.reference, width=64),
                tables.text("milestone", "About", width=150),
                tables.money("amount", "Amount", width=90),
                tables.status("status", "Status", axis="case", width=110),
                tables.text("resolution", "Ended", width=110, value=lambda row: _ended(row.resolution)),
            ],
            key=f"past-{party.id}",
            download=tables.Table(
                "other-cases",
                lambda session: redaction.redacted(
                    case,
                    party_history.history(session, party.id, but=case.id, limit=None, until=until).cases,
                ),
                permission=Permission.EXPORT_CASE,
                filter={"party": party.id, "until": until},
            ),
            name=f"Other cases of {party.name}",
        )
        if len(past.cases) == party_history.NEWEST:
            cards.note(f"The newest {party_history.NEWEST} are listed.")
    else:
        cards.note("No other case.")


def _ended(resolution: str | None) -> str:
    return (resolution or "").replace("_", " ").capitalize()


def _withdrawal(party: Party) -> str:
    return f"{party.withdrawal_method.sent_as}, {'at once' if party.auto_withdraw else 'by hand'}"

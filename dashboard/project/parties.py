"""Who is in a project, what each side has confirmed, and what was agreed."""

from __future__ import annotations

import streamlit as st

from core.queries import letters
from core.queries.projects import ProjectDetail
from core.records import Party
from core.rules.parties import PartyRole
from dashboard import request_context
from dashboard.ui import cards, header
from dashboard.ui.safe import words_of
from dashboard.ui.status import in_words


def show(whole: ProjectDetail) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        header.section("Scope")
        with cards.panel():
            st.text(words_of(whole.project.scope))
            cards.facts(
                {
                    "Type": f"{in_words(whole.project.project_type)}, {in_words(whole.project.size).lower()}",
                    "Fees": in_words(whole.project.fee_mode),
                    "Policy": f"{in_words(whole.profile.name)}, version {whole.policy_version}",
                    "Bid accepted": whole.project.created_at,
                },
                columns=2,
            )
    with right:
        header.section("Engagement", in_words(whole.engagement.status))
        with cards.panel():
            _confirmed(whole)
    both = (whole.payer, whole.payee)
    with request_context.reading() as session:
        wants = letters.wants(session, [each.id for each in both])
    for column, party in zip(st.columns(2, gap="medium"), both, strict=True):
        with column, cards.panel():
            _party(party, wants[party.id])


def _confirmed(whole: ProjectDetail) -> None:
    """No payment before all of it is confirmed (payment-escrow-rules, Preconditions Before Payment)."""
    row = whole.engagement
    cards.facts(
        {
            "Scope, by the payer": row.scope_confirmed_by_payer_at,
            "Scope, by the payee": row.scope_confirmed_by_payee_at,
            "Fee, by the payer": row.fee_confirmed_at,
            "Disclaimers": row.disclaimers_acknowledged_at,
            "Conflict check": row.conflict_check_acknowledged_at
            if row.conflict_check_required
            else "not needed",
            "Active since": row.activated_at,
        },
        columns=2,
    )


def _party(party: Party, wants: str) -> None:
    header.section(party.name, party.role.capitalize())
    facts = {
        "Place": f"{party.city or '—'}, {party.country}",
        "With us since": f"{party.created_at:%-d %b %Y}",
    }
    if party.role == PartyRole.PAYEE:
        facts["Payout method"] = (
            f"{party.withdrawal_method.sent_as}, {'at once' if party.auto_withdraw else 'by hand'}"
        )
    facts["E-mails"] = wants
    cards.facts(facts, columns=3)

"""What was agreed: scope, deliverable, when it counts as accepted, and the policy that the project lives under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.policy import Profile, wording
from core.queries import policy
from core.queries.cases import CaseView
from core.rules import acceptance
from dashboard import request_context
from dashboard.ui import cards, header
from dashboard.ui.safe import html, words_of
from dashboard.ui.status import in_words


@dataclass(frozen=True)
class PolicyLine:
    """A number of the policy, in words, with the place it comes from."""

    label: str
    value: str
    source: str


def show(case: CaseView) -> None:
    project, milestone = case.context.project, case.context.milestone
    header.section("Engagement scope", project.title)
    st.text(words_of(project.scope))
    header.section(f"Milestone {milestone.position}: deliverable", milestone.title)
    st.text(words_of(milestone.deliverable))
    cards.facts(
        {
            "Amount": case.context.amount,
            "Accepted": acceptance.in_words(milestone.acceptance_rule, case.context.profile),
            "Completion notice": milestone.completion_notice_at,
            "Dispute possible until": milestone.dispute_until,
            "Target date": f"{milestone.target_date:%-d %b %Y}" if milestone.target_date else None,
            "Fees": in_words(project.fee_mode),
        },
        columns=2,
    )
    header.section(
        "Policy of this project", f"{in_words(project.platform)}, as it stood when the bid was accepted"
    )
    with request_context.reading() as session:
        origins = policy.sources(policy.versions(session), case.context.profile)
    st.html(_table(lines(case.context.profile, milestone.currency, origins)))


def _table(rows: list[PolicyLine]) -> str:
    body = "".join(
        f"<tr><td>{html(each.label)}<small>{html(each.source)}</small></td>"
        f'<td class="ed-num">{html(each.value)}</td></tr>'
        for each in rows
    )
    return f'<table class="ed-book ed-plain" aria-label="Policy snapshot"><tbody>{body}</tbody></table>'


def lines(profile: Profile, currency: str, origins: Mapping[str, str]) -> list[PolicyLine]:
    """Every number of a profile, in the currency of the case, with who changed it last or its first source."""
    return [
        PolicyLine(label, wording.in_words(name, value, currency), origins.get(name, source))
        for name, label, value, source in profile.lines()
    ]

"""Citations: the four references that a decision rests on, and single pieces of evidence."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.queries.evidence import EvidenceItem
from core.rules.grounds import Reference
from dashboard.case.decision import drafts

MEANING = {
    Reference.ENGAGEMENT_SCOPE: "What the parties agreed, under Terms",
    Reference.MESSAGE_HISTORY: "What the parties wrote, up to now",
    Reference.MILESTONE_EVIDENCE: "What was submitted",
    Reference.RESOLUTION_NOTES: "The reasons above",
}


def show(case_id: int, pieces: Sequence[EvidenceItem]) -> tuple[frozenset[Reference], frozenset[int]]:
    """The references that are ticked and the evidence that is cited. The reasons are the resolution notes."""
    field = drafts.restore(case_id, "evidence", [])
    names = {each.id: f"{each.file_name} ({each.uploader_role.lower()})" for each in pieces}
    st.session_state[field] = [each for each in st.session_state[field] if each in names]
    st.markdown("Citations", help="A decision that refunds cites all four.")
    ticked = set()
    with st.container(horizontal=True, gap="medium"):
        for reference in Reference:
            always = reference is Reference.RESOLUTION_NOTES
            name = f"cites-{reference.value}"
            if st.checkbox(
                reference.label,
                key=drafts.restore(case_id, name, always),
                disabled=always,
                help=MEANING[reference],
            ):
                ticked.add(reference)
            drafts.keep(case_id, **{name: reference in ticked})
    cited = st.multiselect(
        "Evidence cited",
        list(names),
        key=field,
        format_func=lambda number: names.get(number, str(number)),
        placeholder="Cite pieces of evidence" if names else "No evidence was submitted",
        disabled=not names,
        label_visibility="collapsed",
    )
    drafts.keep(case_id, evidence=list(cited))
    return frozenset(ticked), frozenset(cited)

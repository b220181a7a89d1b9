"""The mediator's own words in the letter to either party. What the plan says stands around them and stays."""

from __future__ import annotations

import streamlit as st

from core.actions.decisions import drafts
from core.actions.decisions.plan_letters import PASSAGE_LEAST, PASSAGE_MOST
from core.letters.template import PEOPLE
from core.queries.cases import CaseView
from core.rules.visible_text import says_something
from dashboard.case.decision import drafts as draft_fields
from dashboard.ui import cards, text_fields

SIDES = ("payer", "payee")


def show(case: CaseView) -> dict[str, str]:
    """The words that differ from the generated ones, by audience."""
    people = PEOPLE.get(case.context.project.platform, PEOPLE[""])
    edited = [side for side in SIDES if draft_fields.value(case.id, f"passage-{side}", "")]
    label = f"E-mails to both parties · {len(edited)} edited" if edited else "E-mails to both parties"
    passages = {}
    with st.expander(label, icon=":material/mail:", key=f"letters-{case.id}", expanded=bool(edited)):
        cards.note(
            "Each e-mail is made from the plan. Amounts, items and what happens next always come from it; "
            "the words between them can be yours, for each party."
        )
        for side in SIDES:
            text = _side(case, side, people[side])
            if says_something(text):
                passages[side] = text.strip()
    return passages


def generated(reasons: str) -> str:
    """What stands there when nobody writes anything else."""
    return f"The mediator gives these reasons:\n{reasons.strip()}"


def _side(case: CaseView, side: str, who: str) -> str:
    name = f"passage-{side}"
    if not draft_fields.value(case.id, name, ""):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"To the {who}: generated, with your reasons in full.", width="content")
            st.button(
                "Edit",
                key=f"letter-edit-{case.id}-{side}",
                icon=":material/edit:",
                type="tertiary",
                on_click=_edit,
                args=(case.id, name),
            )
        return ""
    text = text_fields.area(
        drafts.place(case.id, name),
        f"To the {who}, in your words",
        key=draft_fields.key(case.id, name),
        height=148,
        least=PASSAGE_LEAST,
        most=PASSAGE_MOST,
        help=f"Plain text, at least {PASSAGE_LEAST} characters; each line becomes a paragraph.",
    )
    st.button(
        "Back to the generated text",
        key=f"letter-reset-{case.id}-{side}",
        icon=":material/restart_alt:",
        type="tertiary",
        on_click=draft_fields.put,
        args=(case.id,),
        kwargs={name: ""},
    )
    return text


def _edit(case_id: int, name: str) -> None:
    """It begins with the reasons as they stand when the button is pressed."""
    draft_fields.put(case_id, **{name: generated(draft_fields.value(case_id, "reasons", ""))})

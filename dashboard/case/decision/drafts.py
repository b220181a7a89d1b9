"""What the mediator has chosen and written so far.

Streamlit forgets a field that is not on screen. What was chosen is therefore kept beside the fields, for each case, and
in the database whenever it changes, until the decision is recorded: another page, a reload, a crash or signing out
loses nothing. Words are kept while they are typed (`ui.words`). A decision that comes back is a draft again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from core.actions.cases.unsent_text import ChangedInAnotherTab
from core.actions.decisions import drafts
from core.queries.cases import CaseView
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.items import Done
from dashboard import request_context
from dashboard.ui import deadlines, text_fields

ALWAYS = f"cites-{Reference.RESOLUTION_NOTES.value}"


def key(case_id: int, name: str) -> str:
    return f"draft-{case_id}-{name}"


def restore(case_id: int, name: str, default: Any) -> str:
    """The key of a field, filled with what was last typed there."""
    field = key(case_id, name)
    if field not in st.session_state:
        st.session_state[field] = _kept(case_id).get(name, default)
    return field


def keep(case_id: int, **values: Any) -> None:
    _kept(case_id).update(values)


def value(case_id: int, name: str, default: Any) -> Any:
    """What is kept under this name."""
    if drafts.is_words(name):
        return text_fields.text(drafts.place(case_id, name)) or default
    return _kept(case_id).get(name, default)


def put(case_id: int, **values: Any) -> None:
    """Keep these and show them in their fields. For callbacks, and before the fields are drawn."""
    for name, each in values.items():
        if drafts.is_words(name):
            text_fields.put(drafts.place(case_id, name), each)
        else:
            keep(case_id, **{name: each})
            st.session_state[key(case_id, name)] = each


def drop(case_id: int, name: str) -> None:
    """As if it had never been typed."""
    if drafts.is_words(name):
        text_fields.put(drafts.place(case_id, name), "")
        return
    _kept(case_id).pop(name, None)
    st.session_state.pop(key(case_id, name), None)


def save(case_id: int) -> None:
    """Write what is chosen into the database, if it is not what is there. Where another tab has saved since, nothing is
    overwritten, and the person chooses."""
    content = _written(_kept(case_id))
    if content == st.session_state[f"draft-{case_id}:saved"]:
        return
    try:
        _save(case_id, content, base=st.session_state[f"draft-{case_id}:version"])
    except ChangedInAnotherTab as elsewhere:
        _choose(case_id, elsewhere)


def _save(case_id: int, content: dict[str, Any], *, base: int | None) -> None:
    actor, now, tab = request_context.actor(), request_context.now(), text_fields.tab()
    version = request_context.desk().database.run(
        lambda session: drafts.save(
            session, actor, now=now, case_id=case_id, content=content, base=base, tab=tab
        )
    )
    st.session_state[f"draft-{case_id}:saved"] = content
    st.session_state[f"draft-{case_id}:version"] = version


def _choose(case_id: int, elsewhere: ChangedInAnotherTab) -> None:
    """Told, and asked: what the other tab chose, or what this one shows."""
    at = deadlines.exact(elsewhere.facts["at"])
    st.warning(
        f"What you chose was changed in another tab at {at}. Nothing was overwritten.", icon=":material/tab:"
    )
    with st.container(horizontal=True, gap="small"):
        st.button("Take over", key="draft-take", on_click=forget, args=(case_id,))
        st.button("Keep what is here", key="draft-insist", on_click=_insist, args=(case_id,))


def _insist(case_id: int) -> None:
    _save(case_id, _written(_kept(case_id)), base=None)


def restored(case_id: int) -> datetime | None:
    """When the draft on screen was saved, if it came back from the database."""
    _kept(case_id)
    at: datetime | None = st.session_state[f"draft-{case_id}:restored"]
    return at


def follow(case: CaseView) -> None:
    """When a decision was made, returned or voided since this was last drawn, what the database has is the draft."""
    newest = case.decisions[0].record if case.decisions else None
    mark = (newest.id, newest.status) if newest else None
    name = f"draft-{case.id}:after"
    if st.session_state.setdefault(name, mark) != mark:
        st.session_state[name] = mark
        if f"draft-{case.id}" in st.session_state:
            forget(case.id)


def discard(case_id: int) -> None:
    """Thrown away by its writer."""
    actor, now = request_context.actor(), request_context.now()
    request_context.desk().database.run(
        lambda session: drafts.clear(session, actor, now=now, case_id=case_id)
    )
    forget(case_id)


def forget(case_id: int) -> None:
    """What the database has is the draft, when it is drawn again."""
    for name in _kept(case_id):
        st.session_state.pop(key(case_id, name), None)
    for name in [each for each in st.session_state if str(each).startswith(f"words:case.{case_id}.")]:
        place = str(name).removeprefix("words:")
        if drafts.is_words(place.rpartition(".")[2]):
            text_fields.forget(place)
    for name in ("", ":saved", ":restored", ":version"):
        st.session_state.pop(f"draft-{case_id}{name}", None)


def _kept(case_id: int) -> dict[str, Any]:
    name = f"draft-{case_id}"
    if name not in st.session_state:
        with request_context.reading() as session:
            found = drafts.read(session, request_context.actor(), case_id=case_id)
        chosen = {each: what for each, what in found.content.items() if not drafts.is_words(each)}
        st.session_state[name] = _read(chosen)
        st.session_state[f"{name}:saved"] = chosen
        st.session_state[f"{name}:version"] = found.version
        st.session_state[f"{name}:restored"] = found.updated_at if found.content else None
    kept: dict[str, Any] = st.session_state[name]
    return kept


def _written(kept: dict[str, Any]) -> dict[str, Any]:
    """Only what was chosen or typed; what a new form would show anyway is left out."""
    own = {name: value for name, value in kept.items() if value and name not in (ALWAYS, "by")}
    return own | ({"by": kept["by"]} if own.get("share") or own.get("items") else {})


def _read(content: dict[str, Any]) -> dict[str, Any]:
    """As the fields want it. What a later release no longer knows is left out."""
    known = dict(content)
    for name, kind in (("outcome", DecisionOutcome), ("ground", Ground)):
        if (value := known.pop(name, None)) in set(kind):
            known[name] = kind(value)
    for name in [name for name in known if name.startswith("item-") and name.endswith("-done")]:
        known[name] = Done(known[name]) if known[name] in set(Done) else Done.NOT
    return known

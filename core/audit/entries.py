"""Leaving a trace: one entry per state change, written in the transaction of the change itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.actions import StoredAction
from core.audit.content_hashes import KEPT_IN, Words, hashes
from core.clock import utc
from core.db import Record, at_commit
from core.errors import DeskError
from core.money import Money
from core.rules.permissions import Actor

ACTION = re.compile(r"[a-z][a-z0-9_]*:[a-z][a-z0-9_]*:[a-z][a-z0-9_]*")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
TAKEN_OUT = "[an address]"
STEPS_TAKEN = (
    "steps_taken"  # where a session keeps the changes of status that no entry carries yet (`audit.become`)
)

# All entries of a transaction at once, in the order in which they were left, each by the one function that writes any.
RECORD = text(
    """
    select record_audit(
        p_at => at, p_actor_kind => actor_kind, p_actor_id => actor_id, p_role => role, p_action => action,
        p_object_kind => object_kind, p_object_id => object_id, p_reason => reason, p_before => before,
        p_after => after, p_project_id => project_id, p_milestone_id => milestone_id, p_ticket_id => case_id,
        p_report_id => report_id, p_operation_key => operation_key, p_proof => proof)
    from rows from (jsonb_to_recordset(cast(:entries as jsonb)) as (
        at timestamptz, actor_kind text, actor_id bigint, role text, action text, object_kind text, object_id text,
        reason text, before jsonb, after jsonb, project_id bigint, milestone_id bigint, case_id bigint,
        report_id bigint, operation_key text, proof text)) with ordinality as entry
    order by ordinality
    """
)


class ActionMisnamed(DeskError):
    """{action} is not the name of an action: it must read subject:noun:verb, as in mediator:decision:confirm."""


class PersonalDataInAudit(DeskError):
    """An e-mail address does not belong in the audit log ({field} of {action}): name the person by their id.

    Entries can never be erased, and people may ask to be. Who they are is kept apart from the log.
    """


def record(
    session: Session,
    actor: Actor,
    action: StoredAction,
    *,
    object_kind: str,
    object_id: int | str,
    now: datetime,
    reason: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    milestone_id: int | None = None,
    project_id: int | None = None,
    case_id: int | None = None,
    report_id: int | None = None,
    operation_key: str | None = None,
    contents: Sequence[Record | Words] = (),
) -> None:
    """Leave one entry, written when the caller's transaction commits, and standing or falling with it.

    `action` reads subject:noun:verb. `before` and `after` hold what changed and nothing else: ids, names of states,
    money; the status that the object took in this transaction is added. Linked to case and report
    (payment-escrow-rules, Records / Audit Requirements: AdminActionLog).
    `contents` are the words that the entry vouches for, by their hash (`core.audit.content_hashes`).
    Raises `ActionMisnamed`; `PersonalDataInAudit` to a person, while an address in the system's own words is taken out.
    """
    if not ACTION.fullmatch(action):
        raise ActionMisnamed(action=action)
    if actor.kind == "staff" and actor.via:  # whose terminal it was, beside who they said they are
        after = {**(after or {}), "via": actor.via}
    step = session.info.get(STEPS_TAKEN, {}).pop((object_kind, str(object_id)), None)
    if step is not None:
        was, became = step.facts()
        before, after = {**(before or {}), **was}, {**(after or {}), **became}
    rows = [*contents, *(step.final if step is not None else [])]
    if rows:
        after = {**(after or {}), KEPT_IN: hashes(*rows)}
    texts = {"reason": reason, "before": _json(before), "after": _json(after)}
    for field, value in texts.items():
        if value is not None and ADDRESS.search(value):
            if actor.kind in ("staff", "party", "operator"):
                raise PersonalDataInAudit(field=field, action=action)
            # What a provider or a mail server said must not undo the booking that it came with.
            texts[field] = ADDRESS.sub(TAKEN_OUT, value)
    values = {
        "at": utc(now).isoformat(),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "role": actor.via if actor.kind == "operator" else ",".join(sorted(actor.roles)) or None,
        "action": action,
        "object_kind": object_kind,
        "object_id": str(object_id),
        "project_id": project_id,
        "milestone_id": milestone_id,
        "case_id": case_id,
        "report_id": report_id,
        "operation_key": operation_key,
        "proof": actor.proof or None,
    }
    at_commit(session, _write, values | texts)


def _write(session: Session, entries: list[dict[str, str | int | None]]) -> None:
    written = [
        "{" + ", ".join(f"{json.dumps(name)}: {_written(name, value)}" for name, value in each.items()) + "}"
        for each in entries
    ]
    session.execute(RECORD, {"entries": f"[{', '.join(written)}]"})


def _written(name: str, value: str | int | None) -> str:
    """What is JSON already stays as it is."""
    if name in ("before", "after") and isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _json(facts: Mapping[str, Any] | None) -> str | None:
    return None if facts is None else json.dumps(facts, default=_plain, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """How the values of the domain look in an entry."""
    match value:
        case Money():
            return {"minor": value.minor, "currency": value.currency}
        case datetime() | date():
            return value.isoformat()
        case Enum():
            return value.value
        case set() | frozenset():
            return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in an audit entry: {value!r}")

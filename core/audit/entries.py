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
from core.db import Record
from core.errors import DeskError
from core.money import Money
from core.rules.permissions import Actor

ACTION = re.compile(r"[a-z][a-z0-9_]*:[a-z][a-z0-9_]*:[a-z][a-z0-9_]*")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
TAKEN_OUT = "[an address]"
STEPS_TAKEN = (
    "steps_taken"  # where a session keeps the changes of status that no entry carries yet (`audit.become`)
)

RECORD = text(
    """
    select record_audit(
        p_at => :at, p_actor_kind => :actor_kind, p_actor_id => :actor_id, p_role => :role,
        p_action => :action, p_object_kind => :object_kind, p_object_id => :object_id, p_reason => :reason,
        p_before => cast(:before as jsonb), p_after => cast(:after as jsonb), p_project_id => :project_id,
        p_milestone_id => :milestone_id, p_ticket_id => :case_id, p_report_id => :report_id,
        p_operation_key => :operation_key, p_proof => :proof)
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
) -> int:
    """Write one entry and return its id; it stands or falls with the caller's transaction.

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
        "at": utc(now),
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
    return int(session.execute(RECORD, values | texts).scalar_one())


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

"""Once, however often it is asked: the answer is stored in the transaction of what it answers.

The same key with the same request gives the stored answer again; with another request it is refused (409). Two at the
same moment: the second waits for the first, and then gives its answer. A request that was refused did nothing, so its
key is still free and the request may be sent again when things stand differently. Two that make the same thing at the
same moment under two keys: the second is done again, and finds what the first made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy import bindparam, delete, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from core.api.http.api_keys import Caller
from core.api.http.problem_details import AnswerErased, KeyReused, StillBusy
from core.desk import Desk
from core.records import ApiAnswer

PATIENCE = "8s"
SAME_AGAIN = 2
KEPT_FOR = timedelta(days=30)
GONE = 410  # it named a person who is erased: the database has overwritten it
Do = Callable[[Session, datetime], Mapping[str, Any]]
# How long this and what follows in its transaction waits for others is set before the row is put in.
CLAIM = text(
    """
    insert into api_answers (platform, idempotency_key, request_hash, api_key_id, created_at)
    select :platform, :key, :hash, :key_id, cast(:now as timestamptz)
    from (select set_config('lock_timeout', :wait, true) as patience) set where patience is not null
    on conflict do nothing returning idempotency_key
    """
)
ANSWERED = (
    update(ApiAnswer)
    .where(ApiAnswer.platform == bindparam("whose"), ApiAnswer.idempotency_key == bindparam("key"))
    .values(status=bindparam("given"), body=bindparam("content"))
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True)
class Asked:
    """A request as far as it must be the same when it is sent again."""

    caller: Caller
    key: str
    hash: bytes


@dataclass(frozen=True)
class Answer:
    """A status and a body; `again`: it was given before."""

    status: int
    body: str
    again: bool

    def response(self) -> Response:
        headers = {"Idempotent-Replayed": "true"} if self.again else None
        return Response(self.body, self.status, headers, media_type="application/json")


def fingerprint(request: Request, key: str, *, content: bytes | None = None) -> Asked:
    """`content` stands for the body where the same thing can be written in several ways, as a multipart form can."""
    body: bytes = content if content is not None else request.state.body_sha256
    path = f"{request.method} {request.url.path}?{request.url.query}".encode()
    return Asked(request.state.caller, key, hashlib.sha256(path + b"\n" + body).digest())


def once(desk: Desk, asked_for: Asked, do: Do, *, status: int = 200) -> Response:
    """Do it in one transaction with its answer, or give the answer that there is."""

    def act(session: Session) -> Answer:
        now = desk.clock()
        if (known := _claim(session, asked_for, now)) is not None:
            return known
        content = json.dumps(do(session, now), ensure_ascii=False)
        session.flush()
        whose = {"whose": asked_for.caller.platform, "key": asked_for.key}
        session.execute(ANSWERED, {**whose, "given": status, "content": content})
        return Answer(status, content, again=False)

    for _ in range(SAME_AGAIN):
        try:
            return desk.database.run(act).response()
        except IntegrityError as clash:
            if not isinstance(clash.orig, UniqueViolation):
                raise
            # Somebody else made the same thing at this moment, under another key: now it is there to be found.
    return desk.database.run(act).response()


def stored_response(desk: Desk, asked_for: Asked) -> Response | None:
    """The answer that there is already, for what cannot be done inside one transaction. Raises `KeyReused`."""
    with desk.database.reading() as session:
        known = _known(session, asked_for)
    return known.response() if known else None


def _claim(session: Session, asked_for: Asked, now: datetime) -> Answer | None:
    """None when the key is ours now; else the answer under it. Waits for whoever is answering under it."""
    mine = session.scalar(
        CLAIM,
        {
            "platform": asked_for.caller.platform,
            "key": asked_for.key,
            "hash": asked_for.hash,
            "key_id": asked_for.caller.key_id,
            "now": now,
            "wait": PATIENCE,
        },
    )
    if mine is not None:
        return None
    if (known := _known(session, asked_for)) is None:
        raise StillBusy()
    return known


def _known(session: Session, asked_for: Asked) -> Answer | None:
    row = session.get(ApiAnswer, (asked_for.caller.platform, asked_for.key))
    if row is None or row.status is None or row.body is None:
        return None
    if row.request_hash != asked_for.hash:
        raise KeyReused()
    if row.status == GONE:
        raise AnswerErased()
    return Answer(row.status, row.body, again=True)


def forget_old(session: Session, *, now: datetime) -> int:
    """Answers older than thirty days; nobody sends a request again after so long."""
    done = session.execute(
        delete(ApiAnswer).where(ApiAnswer.created_at < now - KEPT_FOR).returning(ApiAnswer.platform)
    )
    return len(done.all())

"""One request at a time: signed, sent again where that is safe, and answered or refused."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from escrow_desk_client.operations import Operations
from escrow_desk_client.signing import HEADER, sign

PREFIX = "/api/v1"
AGAIN = frozenset({429, 500, 502, 503, 504})  # nothing was done, or the same key gives the same answer
LONGEST_WAIT = 30.0  # seconds


class Problem(Exception):
    """The desk refused, and nothing was done: `code` and `facts` are for a program, `detail` for a reader."""

    def __init__(self, status: int, code: str, detail: str, facts: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail, self.facts = status, code, detail, facts


class Unanswered(Exception):
    """No answer came after the last try. Send it again with the same `key`: it is done once."""

    def __init__(self, key: str, cause: object) -> None:
        super().__init__(f"No answer ({cause}). Idempotency key: {key or 'none, it only reads'}.")
        self.key = key


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Client(Operations):
    """`base`: where the desk is; `tries`: how often a request is sent before `Unanswered` is raised."""

    def __init__(
        self,
        base: str,
        api_key: str,
        signing_secret: str,
        *,
        tries: int = 4,
        timeout: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base.rstrip("/")
        self._prefix = urlsplit(self._base).path + PREFIX
        self._key, self._secret = api_key, signing_secret
        self._tries, self._timeout, self._sleep = tries, timeout, sleep
        self._open = build_opener(_NoRedirect).open

    def get(self, path: str, **query: Any) -> Any:
        """The answer of an address that reads; bytes where it is a file. A filter that is None is not asked for."""
        asked = {name: each for name, each in query.items() if each is not None}
        return self._send(
            "GET", path + (f"?{urlencode(asked, doseq=True, quote_via=quote)}" if asked else "")
        )

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Change something, once for each `key`; without one, a new key is drawn for this call and its repetitions."""
        return self._send(
            "POST", path, json.dumps(body).encode(), key=key or str(uuid.uuid4()), kind="application/json"
        )

    def upload(
        self, path: str, fields: dict[str, str], file: tuple[str, bytes, str], *, key: str | None = None
    ) -> Any:
        """A form with a file: its name, its bytes, its media type."""
        edge, (name, content, kind) = uuid.uuid4().hex, file
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{each}\r\n'.encode()
            for field, each in fields.items()
        ]
        told = name.replace('"', "%22").replace("\r", "").replace("\n", "")
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{told}"\r\n'
        about = f"{head}Content-Type: {kind}\r\n\r\n".encode()
        body = b"".join([*parts, about, content, f"\r\n--{edge}--\r\n".encode()])
        return self._send(
            "POST", path, body, key=key or str(uuid.uuid4()), kind=f"multipart/form-data; boundary={edge}"
        )

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every item of a list, page after page."""
        while True:
            page = self.get(path, **query)
            yield from page["items"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def _send(self, method: str, path: str, body: bytes = b"", *, key: str = "", kind: str = "") -> Any:
        """Signed anew for each try, under the same key."""
        cause: object = "it was never sent"
        for tried in range(1, self._tries + 1):
            try:
                return self._once(method, path, body, key, kind)
            except Problem as problem:
                if problem.status not in AGAIN or tried == self._tries:
                    raise
                cause, wait = problem, float(problem.facts.get("retry_after", 0))
            except (OSError, HTTPException) as trouble:
                cause, wait = trouble, 0.0
            if tried < self._tries:
                self._sleep(wait or min(LONGEST_WAIT, random.uniform(0.5, 1) * 2 ** (tried - 1)))
        raise Unanswered(key, cause)

    def _once(self, method: str, path: str, body: bytes, key: str, kind: str) -> Any:
        headers = {
            "Authorization": f"Bearer {self._key}",
            HEADER: sign(
                self._secret, method=method, target=self._prefix + path, body=body, idempotency_key=key
            ),
            **({"Idempotency-Key": key, "Content-Type": kind} if key else {}),
        }
        request = Request(f"{self._base}{PREFIX}{path}", body if key else None, headers, method=method)
        try:
            with self._open(request, timeout=self._timeout) as answer:
                content = answer.read()
                if answer.headers.get_content_type() == "application/json":
                    return json.loads(content)
                return content
        except HTTPError as refusal:
            raise _problem(refusal) from None


def _problem(refusal: HTTPError) -> Problem:
    with refusal:
        content = refusal.read()
    try:
        told = json.loads(content)
        facts, code, detail = dict(told["facts"]), str(told["code"]), str(told["detail"])
    except (ValueError, KeyError, TypeError):
        facts, code, detail = {}, "unreadable", content[:200].decode("utf-8", "replace")
    wait = refusal.headers.get("Retry-After", "")
    return Problem(refusal.code, code, detail, facts | ({"retry_after": int(wait)} if wait.isdigit() else {}))

"""A small sign-in provider over HTTP: OpenID Connect's code flow with PKCE, honest until a test tells it to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.demo.run import free_port
from tests import patience

CLIENT_ID, CLIENT_SECRET = "the-desk", "between-the-desk-and-the-provider"


@dataclass
class Provider:
    """`claims` and `keys` are what a test makes it say and sign with instead of the truth."""

    port: int = field(default_factory=free_port)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signs_with: RSAKey | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    unsigned: bool = False
    down: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def tell_the_truth(self) -> None:
        self.signs_with, self.claims, self.without = None, {}, ()
        self.unsigned = self.down = False
        self.asked.clear()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metadata_url(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"

    def signs_in(self, address: str, subject: str, **more: Any) -> str:
        """Someone follows the desk's redirect and proves to be `subject`; returns where the browser goes then."""
        parts = urlsplit(address)
        assert address.startswith(f"{self.issuer}/authorize?")
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        assert "openid" in asked["scope"].split()
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"sub": subject} | {name: str(value) for name, value in more.items()}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def logout_token(self, **said: Any) -> str:
        """As it is posted when somebody signs out here; what is said as None is left out."""
        honest: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": int(time.time()),
            "exp": int(time.time()) + 120,
            "jti": secrets.token_hex(8),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        claims = {name: value for name, value in (honest | said).items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signs_with or self.key)

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/openid-configuration", self._metadata),
            Route("/keys", self._keys),
            Route("/token", self._token, methods=["POST"]),
        ]

    async def _metadata(self, request: Request) -> Response:
        if self.down:
            return JSONResponse({"error": "down"}, 503)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "end_session_endpoint": f"{self.issuer}/leave",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False, use="sig", alg="RS256")]})

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        known = self.codes.pop(form.get("code", ""), None)  # a code is good for one exchange
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if known is None or known["code_challenge"] != challenge.decode().rstrip("="):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": self._identity(known)})

    def _identity(self, known: dict[str, str]) -> str:
        now = int(time.time())
        honest: dict[str, Any] = {
            "iss": self.issuer,
            "sub": known["sub"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": known["nonce"],
            "auth_time": now if known.get("prompt") == "login" else now - 3_600,
        }
        said = {name: value for name, value in (honest | self.claims).items() if name not in self.without}
        if self.unsigned:
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
            body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
            return f"{head}.{body}."
        return jwt.encode({"alg": "RS256", "kid": "one"}, said, self.signs_with or self.key)


@contextmanager
def a_provider() -> Iterator[Provider]:
    """One that answers on loopback until the block ends."""
    provider = Provider()
    app = Starlette(routes=provider.routes())
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=provider.port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield provider
    server.should_exit = True
    thread.join(timeout=patience.SECONDS)

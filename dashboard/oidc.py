"""Signing in through an OpenID Connect provider: authorization code with PKCE, and a session row of our own.

The provider says who someone is; what they may do comes from the desk's database, by (issuer, subject) and never by
e-mail. The identity token's signature, audience, nonce and expiry are checked by Authlib; for confirming who one is
(`/sign-in/again`) the provider is told to ask again, and its `auth_time` must be recent.
"""

from __future__ import annotations

import logging
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from core.actions import sessions
from core.desk import Desk
from dashboard import sign_in_page
from dashboard.current import COOKIE
from dashboard.places import local_path

SECRETS = Path(__file__).resolve().parent.parent / ".streamlit" / "secrets.toml"
AUTH_TIME_WITHIN = 60  # seconds between proving who one is at the provider and coming back here
log = logging.getLogger("escrow_desk.sign_in")
WithToken = Callable[[Response, str, Request], Response]


@dataclass(frozen=True)
class Provider:
    """What `.streamlit/secrets.toml` says under [auth]."""

    redirect_uri: str
    client_id: str
    client_secret: str
    server_metadata_url: str


def configured(path: Path = SECRETS) -> Provider | None:
    """The provider of this installation; None when none is set up."""
    if not path.is_file():
        return None
    auth = tomllib.loads(path.read_text(encoding="utf-8")).get("auth", {})
    names = Provider.__dataclass_fields__
    if not all(auth.get(name) for name in names):
        return None
    return Provider(**{name: auth[name] for name in names})


def routes(desk: Desk, provider: Provider, with_token: WithToken) -> list[Route]:
    client = _client(provider)

    async def start(request: Request) -> Any:
        request.session["next"] = local_path(request.query_params.get("next"))
        request.session.pop("again", None)
        return await client.authorize_redirect(request, provider.redirect_uri)

    async def again(request: Request) -> Any:
        """Prove once more who one is, for the session that is open."""
        request.session["next"] = local_path(request.query_params.get("next"))
        request.session["again"] = True
        return await client.authorize_redirect(request, provider.redirect_uri, prompt="login", max_age=0)

    async def back(request: Request) -> Response:
        from authlib.integrations.base_client import OAuthError

        try:
            claims = (await client.authorize_access_token(request))["userinfo"]
        except OAuthError as error:
            log.warning("sign-in refused by the provider: %s", error.error)
            return _refused("The sign-in provider refused. Please try again.")
        wanted, again = local_path(request.session.pop("next", "/")), request.session.pop("again", False)
        if again and not _recent(claims):
            return _refused(
                "The provider did not ask who you are again, so this cannot count as a confirmation."
            )
        token = await to_thread.run_sync(_admit, desk, claims, request.cookies.get(COOKIE) if again else None)
        if token is None:
            return _refused(
                f"You are not on the staff list. Your identity is {claims['iss']} · {claims['sub']}."
            )
        return with_token(RedirectResponse(wanted, 303), token, request)

    return [Route("/sign-in/start", start), Route("/sign-in/again", again), Route("/sign-in/callback", back)]


def _admit(desk: Desk, claims: dict[str, Any], held: str | None) -> str | None:
    """A session for this identity: the one that is held and belongs to the same person, else a new one."""
    now = desk.clock()

    def admit(session: Any) -> str | None:
        staff_id = sessions.staff_of(session, issuer=claims["iss"], subject=claims["sub"])
        if staff_id is None:
            return None
        alive = sessions.resolve(session, held, now=now)
        if held and alive and alive.staff_id == staff_id:
            sessions.reauthenticate(session, held, now=now)
            return held
        return sessions.sign_in(session, staff_id=staff_id, now=now)

    return desk.database.run(admit)


def _recent(claims: dict[str, Any]) -> bool:
    return time.time() - float(claims.get("auth_time", 0)) <= AUTH_TIME_WITHIN


def _refused(problem: str) -> Response:
    return HTMLResponse(
        sign_in_page.render([], wanted="/", provider=True, demo=False, problem=problem), status_code=403
    )


def _client(provider: Provider) -> Any:
    from authlib.integrations.starlette_client import OAuth

    return OAuth().register(
        "desk",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=provider.server_metadata_url,
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )

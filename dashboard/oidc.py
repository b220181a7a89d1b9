"""Signing in through an OpenID Connect provider: authorization code with PKCE, and a session row of our own.

The provider says who someone is; what they may do comes from the desk's database, by (issuer, subject) and never by
e-mail. The identity token's signature, issuer, audience, nonce and expiry are checked by Authlib; for confirming who
one is (`/sign-in/again`) the provider is told to ask again, its `auth_time` must be recent, and it must be the same
person. What is remembered between leaving and coming back lies in a signed cookie of these addresses alone.
"""

from __future__ import annotations

import logging
import time
import tomllib
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from core.actions.staff import group_roles, invitations, sessions
from core.actions.staff.sessions import Origin
from core.desk import Desk
from core.errors import DeskError
from dashboard import provider_sign_out, sign_in_page
from dashboard.request_context import COOKIE
from dashboard.request_origin import origin_of
from dashboard.safe_redirect import local_path

SECRETS = Path(__file__).resolve().parent.parent / ".streamlit" / "secrets.toml"
AUTH_TIME_WITHIN = 60  # seconds between proving who one is at the provider and coming back here
ROUND_TRIP = 600  # seconds that someone may spend at the provider
UNDER_WAY = "escrow_desk_sign_in"
ID_TOKEN = " id_token"  # beside the claims that are read out of it; no claim is called so
log = logging.getLogger("escrow_desk.sign_in")
WithToken = Callable[[Response, str, Request], Response]


@dataclass(frozen=True)
class Provider:
    """What `.streamlit/secrets.toml`, or the file in `ESCROW_DESK_SIGN_IN`, says under [auth].

    `groups_claim`: where the identity token names groups, which may give roles; a point leads into a claim.
    """

    redirect_uri: str
    cookie_secret: str
    client_id: str
    client_secret: str
    server_metadata_url: str
    groups_claim: str = "groups"
    scope: str = "openid email profile"


class NotYou(DeskError):
    """Someone else has just proved who they are. This session is not theirs; sign out first."""


def configured(file: Path | None = None) -> Provider | None:
    """The provider of this installation, from `file` or the checkout's; None when none is set up."""
    file = file or SECRETS
    if not file.is_file():
        return None
    auth = tomllib.loads(file.read_text(encoding="utf-8")).get("auth", {})
    every = fields(Provider)
    if not all(auth.get(each.name) for each in every if each.default is MISSING):
        return None
    return Provider(**{each.name: auth[each.name] for each in every if auth.get(each.name)})


def routes(desk: Desk, provider: Provider, with_token: WithToken) -> list[Route]:
    client = _client(provider)

    async def start(request: Request) -> Response:
        request.session.clear()
        request.session["next"] = local_path(request.query_params.get("next"))
        if invitation := request.query_params.get("invitation"):
            request.session["invitation"] = invitation[:200]
        return await _leave(client, request, provider)

    async def again(request: Request) -> Response:
        """Prove once more who one is, for the session that is open."""
        request.session.clear()
        request.session["next"] = local_path(request.query_params.get("next"))
        request.session["again"] = True
        return await _leave(client, request, provider, prompt="login", max_age=0)

    async def back(request: Request) -> Response:
        claims = await _claims(client, request)
        wanted, again = local_path(request.session.get("next")), request.session.get("again", False)
        invitation = request.session.get("invitation")
        request.session.clear()
        if isinstance(claims, Response):
            return claims
        if again and not _recent(claims):
            return _refused(NOT_AGAIN)
        try:
            token = await to_thread.run_sync(
                _admit,
                desk,
                claims,
                request.cookies.get(COOKIE),
                again,
                invitation,
                origin_of(request, _sid(claims)),
                _groups(claims, provider.groups_claim),
            )
        except DeskError as refusal:
            return _refused(refusal.message)
        if token is None:
            return _refused(NOT_LISTED.format(**claims))
        answer = with_token(RedirectResponse(wanted, 303), token, request)
        return provider_sign_out.keep_hint(answer, claims.get(ID_TOKEN), secure=request.url.scheme == "https")

    under_way = Middleware(
        SessionMiddleware,
        secret_key=provider.cookie_secret,
        session_cookie=UNDER_WAY,
        max_age=ROUND_TRIP,
        path="/sign-in",
        same_site="lax",  # the provider sends people back from another site
        https_only=provider.redirect_uri.startswith("https:"),
    )
    ways = {"/sign-in/start": start, "/sign-in/again": again, "/sign-in/callback": back}
    return [
        *(Route(path, way, middleware=[under_way]) for path, way in ways.items()),
        *provider_sign_out.routes(
            desk, client, client_id=provider.client_id, redirect_uri=provider.redirect_uri
        ),
    ]


NOT_AGAIN = "The provider did not ask who you are again, so this cannot count as a confirmation."
NOT_LISTED = "You are not on the staff list. Your identity is {iss} · {sub}."
SAID_NO = "The sign-in provider refused, or its answer does not fit what was asked. Please try again."
SILENT = "The sign-in provider does not answer. Please try again in a moment."


async def _leave(client: Any, request: Request, provider: Provider, **asked: Any) -> Response:
    """Off to the provider; a sentence of our own when it cannot be reached."""
    import httpx

    try:
        answer: Response = await client.authorize_redirect(request, provider.redirect_uri, **asked)
    except (httpx.HTTPError, ValueError, KeyError) as problem:
        log.warning("the sign-in provider does not answer: %s", type(problem).__name__)
        return _refused(SILENT, status=503)
    return answer


async def _claims(client: Any, request: Request) -> dict[str, Any] | Response:
    """What the provider vouches for, or the page that says why it counts for nothing."""
    import httpx
    from authlib.integrations.base_client import OAuthError
    from joserfc.errors import JoseError

    try:
        answer = await client.authorize_access_token(request)
        found: dict[str, Any] = dict(answer["userinfo"]) | {ID_TOKEN: answer.get("id_token")}
        if not (isinstance(found["iss"], str) and isinstance(found["sub"], str) and found["sub"]):
            raise ValueError("no issuer or subject")
    except httpx.HTTPError as problem:
        log.warning("the sign-in provider does not answer: %s", type(problem).__name__)
        return _refused(SILENT, status=503)
    except (OAuthError, JoseError, KeyError, ValueError, TypeError, RuntimeError) as problem:
        log.warning("sign-in refused: %s", getattr(problem, "error", None) or type(problem).__name__)
        return _refused(SAID_NO)
    return found


def _admit(
    desk: Desk,
    claims: dict[str, Any],
    held: str | None,
    again: bool,
    invitation: str | None,
    origin: Origin,
    groups: tuple[str, ...],
) -> str | None:
    """A session for this identity; None for a stranger without an invitation. Raises `NotYou`, and what
    `invitations.accept` does.

    Confirming keeps the session that is held; whoever signs in again ends it, so that no session is left behind. Either
    way roles follow the groups that the provider names now, where groups give roles here.
    """
    now = desk.clock()

    def admit(session: Any) -> str | None:
        staff_id = sessions.staff_of(session, issuer=claims["iss"], subject=claims["sub"])
        if staff_id is None and invitation:
            staff_id = invitations.accept(
                session,
                invitation,
                now=now,
                issuer=claims["iss"],
                subject=claims["sub"],
                email=_email(claims),
            ).id
        if staff_id is None:
            return None
        alive = sessions.resolve(session, held, now=now, touch=False)
        if again and held and alive:
            if alive.staff_id != staff_id:
                raise NotYou()
            sessions.reauthenticate(session, held, now=now, provider_session=origin.provider_session)
            token = held
        else:
            sessions.sign_out(session, held, now=now)
            token = sessions.sign_in(session, staff_id=staff_id, now=now, origin=origin)
        group_roles.follow(session, staff_id=staff_id, groups=groups, now=now)
        return token

    return desk.database.run(admit)


def _email(claims: dict[str, Any]) -> str | None:
    """The address that the provider vouches for; one that it has not verified counts as another one."""
    said = claims.get("email")
    if said is None:
        return None
    return str(said) if claims.get("email_verified", True) is True else ""


def _sid(claims: dict[str, Any]) -> str | None:
    """The provider's own name for its session, with which it says later that it has ended."""
    said = claims.get("sid")
    return said if isinstance(said, str) and said else None


def _groups(claims: dict[str, Any], claim: str) -> tuple[str, ...]:
    """The groups that the identity token names: none where there is no such claim, or it is no list of words. A claim's
    name may itself have points, as in an address."""
    said: Any = claims.get(claim)
    if said is None:
        said = claims
        for part in claim.split("."):
            said = said.get(part) if isinstance(said, dict) else None
    said = [said] if isinstance(said, str) else said
    return tuple(each for each in said if isinstance(each, str)) if isinstance(said, list | tuple) else ()


def _recent(claims: dict[str, Any]) -> bool:
    """`auth_time` is in seconds; without it, or with one of long ago or of the future, nothing was confirmed."""
    said = claims.get("auth_time")
    if not isinstance(said, int | float) or isinstance(said, bool):
        return False
    return abs(time.time() - said) <= AUTH_TIME_WITHIN


def _refused(problem: str, *, status: int = 403) -> Response:
    page = sign_in_page.render([], wanted="/", provider=True, demo=False, problem=problem)
    return HTMLResponse(page, status_code=status)


def _client(provider: Provider) -> Any:
    from authlib.integrations.starlette_client import OAuth

    return OAuth().register(
        "desk",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=provider.server_metadata_url,
        client_kwargs={"scope": provider.scope, "code_challenge_method": "S256"},
    )

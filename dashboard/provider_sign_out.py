"""Signing out where single sign-on is used: at the provider too, and here when the provider says that somebody did.

From here: `/sign-out` ends the session of the desk, and `/sign-out/provider` sends the browser on to the provider
(OpenID Connect RP-Initiated Logout 1.0). The identity token that names the session there stays in the browser
meanwhile, in a cookie for these addresses alone. From there: the provider posts a signed logout token to
`/sign-in/back-channel-logout` (Back-Channel Logout 1.0).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin

import structlog
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from core.actions.staff import sessions
from core.desk import Desk
from core.errors import DeskError
from core.request_body import BodyTooLarge, read_body
from dashboard import sign_in_page

HINT = "escrow_desk_id_token"
LONGEST_HINT = 3_900  # a browser keeps no larger cookie
LARGEST_TOKEN = 16_384
EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
FRESH = 300  # seconds after which a logout token is not believed any more
log = structlog.get_logger("sign_in")


class TokenUnfit(DeskError):
    """This logout token cannot be used: {why}."""


@dataclass(frozen=True)
class Ended:
    """Whom a logout token is about: one session there, or every session of somebody."""

    issuer: str
    subject: str | None
    provider_session: str | None
    issued_at: float


def routes(desk: Desk, client: Any, *, client_id: str, redirect_uri: str) -> list[Route]:
    async def leave(request: Request) -> Response:
        there = await _end_session_endpoint(client)
        if there is None:
            return forget(RedirectResponse("/sign-in", 303))
        asked = {"client_id": client_id, "post_logout_redirect_uri": urljoin(redirect_uri, "/sign-in")}
        if hint := request.cookies.get(HINT):
            asked["id_token_hint"] = hint
        page = sign_in_page.signed_out(f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}")
        return forget(HTMLResponse(page))

    async def told(request: Request) -> Response:
        try:
            ended = await _read(request, client, client_id)
        except (TokenUnfit, BodyTooLarge) as refusal:
            log.warning("provider_sign_out.refused", reason=refusal.message)
            problem = {"error": "invalid_request", "error_description": refusal.message}
            return JSONResponse(problem, 400, {"Cache-Control": "no-store"})
        count = await to_thread.run_sync(_end, desk, ended)
        log.info("provider_sign_out.done", sessions=count)
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    return [
        Route("/sign-out/provider", leave, methods=["GET"]),
        Route("/sign-in/back-channel-logout", told, methods=["POST"]),
    ]


def keep_hint(answer: Response, id_token: str | None, *, secure: bool) -> Response:
    """The identity token, for the way out; one that is too long is left out, and the provider asks by itself."""
    if id_token and len(id_token) <= LONGEST_HINT:
        answer.set_cookie(
            HINT, id_token, path="/sign-out", httponly=True, samesite="strict", secure=secure,
            max_age=int(sessions.ABSOLUTE.total_seconds()),
        )  # fmt: skip
    return answer


def forget(answer: Response) -> Response:
    answer.delete_cookie(HINT, path="/sign-out", httponly=True, samesite="strict")
    return answer


async def _end_session_endpoint(client: Any) -> str | None:
    """None where the provider has none, or does not answer: who signs out has signed out here all the same."""
    import httpx

    try:
        found = (await client.load_server_metadata()).get("end_session_endpoint")
    except (httpx.HTTPError, ValueError, KeyError) as problem:
        log.warning("provider_sign_out.provider_silent", reason=type(problem).__name__)
        return None
    return found if isinstance(found, str) and found.startswith(("https://", "http://")) else None


async def _read(request: Request, client: Any, client_id: str) -> Ended:
    """What the provider says, checked as Back-Channel Logout 1.0, section 2.6, asks. Raises `TokenUnfit`."""
    import httpx
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    form = parse_qs((await read_body(request, limit=LARGEST_TOKEN)).decode("utf-8", "replace"))
    (token,) = form.get("logout_token", [""])[:1]
    if token.count(".") != 2:
        raise TokenUnfit(why="it is no signed token")
    try:
        issuer = (await client.load_server_metadata())["issuer"]
        keys = KeySet.import_key_set(await client.fetch_jwk_set(force=True))
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except httpx.HTTPError:
        raise TokenUnfit(why="the provider's keys cannot be read just now") from None
    except (JoseError, ValueError, KeyError, TypeError) as problem:
        raise TokenUnfit(why=f"its signature does not hold ({type(problem).__name__})") from None
    return checked(claims, issuer=issuer, client_id=client_id, now=time.time())


def checked(claims: dict[str, Any], *, issuer: str, client_id: str, now: float) -> Ended:
    """Raises `TokenUnfit`."""
    audience, at = claims.get("aud"), claims.get("iat")
    subject, provider_session = claims.get("sub"), claims.get("sid")
    events = claims.get("events")
    for holds, why in (
        (claims.get("iss") == issuer, "it is of another issuer"),
        (client_id in (audience if isinstance(audience, list) else [audience]), "it is for another client"),
        (_is_time(at) and -60 <= now - float(at or 0) <= FRESH, "it is not of just now"),
        ("exp" not in claims or (_is_time(claims["exp"]) and claims["exp"] > now), "its time is over"),
        (isinstance(events, dict) and isinstance(events.get(EVENT), dict), "it is no logout token"),
        ("nonce" not in claims, "it is an identity token"),
        (bool(claims.get("jti")), "it has no id"),
        (_is_name(subject) or _is_name(provider_session), "it names neither a person nor a session"),
        (subject is None or _is_name(subject), "its subject is no text"),
        (provider_session is None or _is_name(provider_session), "its session is no text"),
    ):
        if not holds:
            raise TokenUnfit(why=why)
    return Ended(issuer, subject, provider_session, float(at or 0))


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255


def _end(desk: Desk, ended: Ended) -> int:
    """Sessions that began after the token was made, which it says in whole seconds, are other ones: a token that is
    posted again ends none of them."""
    now = desk.clock()
    before = now - timedelta(seconds=max(0.0, time.time() - ended.issued_at - 1))
    return desk.database.run(
        lambda session: sessions.end_at_provider(
            session,
            now=now,
            issuer=ended.issuer,
            subject=ended.subject,
            provider_session=ended.provider_session,
            began_before=before,
        )
    )

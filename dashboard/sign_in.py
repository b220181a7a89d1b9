"""Coming and going: a page of our own without scripts, before Streamlit is even loaded.

In a demo one picks a name. Elsewhere the sign-in provider says who it is (`dashboard/oidc.py`). Either way a session
row is made, and the browser gets its token in a cookie that no script can read.
"""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs

from anyio import to_thread
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from core.actions.staff import invitations, sessions
from core.actions.staff.sessions import Origin
from core.desk import Desk
from core.errors import DeskError
from core.request_body import BodyTooLarge, read_body
from core.rules.references import whole
from dashboard import demo_sign_in, oidc, sign_in_page
from dashboard.request_context import COOKIE
from dashboard.request_origin import origin_of
from dashboard.safe_redirect import local_path

LARGEST_FORM = 8_192


def routes(desk: Desk) -> list[Route]:
    """The addresses of coming and going for this desk."""
    provider = oidc.configured(desk.settings.sign_in)

    def page(request: Request, problem: str = "", status: int = 200) -> Response:
        wanted = local_path(request.query_params.get("next"))
        demo = demo_sign_in.open_to(desk, request)
        token, invited = request.query_params.get("invitation"), None
        if token is not None and not problem:
            name = _invited(desk, token)
            invited = sign_in_page.Invited(name, token) if name else None
            problem = "" if invited else sign_in_page.INVITATION_OVER
        people = sign_in_page.people(desk) if demo else []
        return HTMLResponse(
            sign_in_page.render(
                people,
                wanted=wanted,
                provider=provider is not None,
                demo=demo,
                problem=problem,
                invited=invited,
            ),
            status,
        )

    async def show(request: Request) -> Response:
        return await to_thread.run_sync(page, request)

    async def pick(request: Request) -> Response:
        """The demo's way in: the id of a seeded person, nothing else."""
        form = await _form(request)
        wanted = local_path(form.get("next"))
        if not demo_sign_in.open_to(desk, request):
            return await to_thread.run_sync(page, request, sign_in_page.NO_DEMO, 403)
        held = request.cookies.get(COOKIE)
        try:
            if invitation := form.get("invitation"):
                token = await to_thread.run_sync(_join, desk, invitation, held, origin_of(request))
            else:
                staff_id = whole(form.get("staff")) or 0
                token = await to_thread.run_sync(_begin, desk, staff_id, held, origin_of(request))
        except DeskError:
            return await to_thread.run_sync(page, request, sign_in_page.UNKNOWN, 403)
        return with_token(RedirectResponse(wanted, 303), token, request)

    async def leave(request: Request) -> Response:
        await to_thread.run_sync(_end, desk, request.cookies.get(COOKIE))
        # By an address of our own: `form-action 'self'` forbids a redirect to the provider.
        answer = RedirectResponse("/sign-out/provider" if provider else "/sign-in", 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    own = [
        Route("/sign-in", show, methods=["GET"]),
        Route("/sign-in", pick, methods=["POST"]),
        Route("/sign-out", leave, methods=["POST"]),
    ]
    return [*own, *(oidc.routes(desk, provider, with_token) if provider else [])]


def with_token(answer: Response, token: str, request: Request) -> Response:
    """The cookie: not for scripts, not for other sites, gone with the browser; over HTTPS only where there is HTTPS."""
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure, path="/")
    return answer


def _begin(desk: Desk, staff_id: int, held: str | None, origin: Origin) -> str:
    """A session for this person; the one that the browser held ends, whoever it was of."""
    now = desk.clock()

    def begin(session: Session) -> str:
        sessions.sign_out(session, held, now=now)
        return sessions.sign_in(session, staff_id=staff_id, now=now, origin=origin)

    return desk.database.run(begin)


def _invited(desk: Desk, token: str) -> str | None:
    with desk.database.reading() as session:
        return invitations.named(session, token, now=desk.clock())


def _join(desk: Desk, invitation: str, held: str | None, origin: Origin) -> str:
    """In a demo nobody vouches for anybody: whoever has the link is a person of the demo's own issuer."""
    now = desk.clock()

    def join(session: Session) -> str:
        subject = f"invited-{hashlib.sha256(invitation.encode()).hexdigest()[:12]}"
        staff = invitations.accept(session, invitation, now=now, issuer="demo", subject=subject)
        sessions.sign_out(session, held, now=now)
        return sessions.sign_in(session, staff_id=staff.id, now=now, origin=origin)

    return desk.database.run(join)


def _end(desk: Desk, token: str | None) -> None:
    now = desk.clock()
    desk.database.run(lambda session: sessions.sign_out(session, token, now=now))


async def _form(request: Request) -> dict[str, str]:
    try:
        body = await read_body(request, limit=LARGEST_FORM)
    except BodyTooLarge:
        return {}
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}

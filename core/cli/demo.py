"""`escrow-desk demo`: everything on this machine; `escrow-desk demo advance 72h`: its time moves on."""

from __future__ import annotations

from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, console, opened, say, tell
from core.home import DEMO_HOME

if TYPE_CHECKING:
    from core.desk import Desk
    from core.queries.demo_clock import ClockState

GLANCE = 0.3
app = typer.Typer(invoke_without_command=True)


@app.callback()
def demo(
    context: typer.Context,
    port: Annotated[int, typer.Option(envvar="PORT", help="The dashboard's port.", min=1, max=65_534)] = 8501,
    home: Annotated[Path, typer.Option(envvar="ESCROW_DESK_HOME", help="Where all data lies.")] = DEMO_HOME,
    reset: Annotated[
        bool, typer.Option(help="Delete the data of this demo, and nothing else, and start again.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same projects.")] = 7,
    scale: Annotated[float, typer.Option(help="How many projects: 0.1 is a tenth, 1 is all.", min=0.0)] = 1.0,
) -> None:
    """Everything on this machine: PostgreSQL, sandbox, worker and dashboard, with three months of data."""
    if context.invoked_subcommand is None:
        from core.demo.run import Demo

        Demo(home, port, reset=reset, seed=seed, scale=scale, console=console).run()


@app.command()
def advance(
    by: Annotated[str, typer.Argument(help="How far: 72h, 90m, 3d or '1w 2d'.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Move the running demo's time on; what falls due on the way happens in its order, at its time."""
    from core.actions.demo import clock

    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(lambda session: clock.advance(session, actor, now=desk.clock(), by=by))
        found = _watched(desk, quiet=as_json)
    say(
        _facts(found),
        as_json=as_json,
        words=tell(f"It is {found.now:%-d %b %Y, %H:%M} UTC in the demo now. {found.trouble}".strip()),
    )


@app.command("clock")
def show(as_json: Json = False) -> None:
    """What time it is in the demo, and whether it is being moved."""
    with opened() as desk:
        found = _standing(desk)
    ahead = f"{found.ahead} ahead of this computer" if found.ahead else "this computer's time"
    moving = f" It is on its way to {found.until:%-d %b %Y, %H:%M} UTC." if found.moving else ""
    words = f"{found.now:%-d %b %Y, %H:%M} UTC, {ahead}.{moving} {found.trouble}"
    say(_facts(found), as_json=as_json, words=tell(words.strip()))


@app.command()
def confirm(
    client_secret: Annotated[str, typer.Argument(help="Of a payment that waits, or of what is to be saved.")],
    payment_method: Annotated[str, typer.Option(help="What is saved: a test card or account.")] = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="The payer does not confirm it.")] = False,
    as_json: Json = False,
) -> None:
    """Do what Stripe's library does in the payer's browser: give what is to be saved, and answer the bank."""
    from core.demo import payer_browser

    with opened() as desk:
        status = payer_browser.confirm(desk, client_secret, payment_method=payment_method, agrees=not refuse)
    say({"status": status}, as_json=as_json, words=tell(f"Stripe's sandbox says: {status}."))


def _watched(desk: Desk, *, quiet: bool) -> ClockState:
    """Until it is there. Ctrl-C ends the watching; the worker goes on."""
    if quiet:
        while (found := _standing(desk)).moving:
            sleep(GLANCE)
        return found
    with console.status("The clock moves …") as line:
        while (found := _standing(desk)).moving:
            line.update(f"{found.now:%-d %b %Y, %H:%M} UTC ({found.done:.0%}) {found.trouble}")
            sleep(GLANCE)
    return found


def _standing(desk: Desk) -> ClockState:
    from core.actions.demo.clock import require_demo
    from core.clock import wall_time
    from core.queries import demo_clock

    with desk.database.reading() as session:
        require_demo(session)
        return demo_clock.state(session, wall=wall_time(desk.clock))


def _facts(found: ClockState) -> dict[str, object]:
    return {
        "now": found.now.isoformat(),
        "ahead_seconds": round(found.ahead.total_seconds()),
        "moving": found.moving,
        "until": found.until.isoformat() if found.until and found.moving else None,
        "trouble": found.trouble,
    }

"""`escrow-desk api-key` and `escrow-desk webhook-endpoint`: a platform's API keys and its endpoints."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, opened, say, tell

keys = typer.Typer(no_args_is_help=True, help="Keys with which a platform comes in at /api/v1.")
endpoints = typer.Typer(no_args_is_help=True, help="The endpoints that receive a platform's events.")
Platform = Annotated[str, typer.Option(help="home_services or legal_services.")]


@keys.command("create")
def create_key(
    platform: Platform,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="May read and change nothing.")] = False,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """A new key and its signing secret, shown this once."""
    from core.api.http import api_keys

    with opened() as desk:
        actor = operator.actor(desk, as_)
        master, now = api_keys.master_key(desk.settings), desk.clock()
        made = desk.database.run(
            lambda session: api_keys.create(
                session,
                actor,
                now=now,
                platform=platform,
                label=label,
                master=master,
                may_write=not read_only,
            )
        )
    data = {"api_key": made.api_key, "signing_secret": made.signing_secret}
    say(data, as_json=as_json, words=tell(shown_once(data)))


@keys.command("revoke")
def revoke_key(
    prefix: Annotated[str, typer.Argument(help="The key's first part: edk_3fa9c1…")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """From now on this key opens nothing."""
    from core.api.http import api_keys

    prefix = "_".join(prefix.split("_")[:2])  # whoever pastes the whole key does not see its secret repeated
    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(lambda session: api_keys.revoke(session, actor, now=desk.clock(), prefix=prefix))
    say({"revoked": prefix}, as_json=as_json, words=tell(f"{prefix} is revoked."))


@keys.command("rotate")
def rotate_key(
    prefix: Annotated[str, typer.Argument(help="The key's first part: edk_3fa9c1…")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Another key in its place, shown this once; the one before opens for a day longer."""
    from core.api.http import api_keys

    prefix = "_".join(prefix.split("_")[:2])
    with opened() as desk:
        actor = operator.actor(desk, as_)
        master, now = api_keys.master_key(desk.settings), desk.clock()
        made = desk.database.run(
            lambda session: api_keys.rotate(session, actor, now=now, prefix=prefix, master=master)
        )
    data = {"api_key": made.api_key, "signing_secret": made.signing_secret}
    say(data, as_json=as_json, words=tell(shown_once(data)))


@endpoints.command("rotate")
def rotate_secret(
    number: Annotated[int, typer.Argument(help="The endpoint's id.", min=1, max=LARGEST_ID, metavar=NUMBER)],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Another secret, shown this once; for a day events are signed with the one before as well."""
    from core.api.http import api_keys
    from core.api.webhooks import endpoints as listeners

    with opened() as desk:
        actor = operator.actor(desk, as_)
        master, now = api_keys.master_key(desk.settings), desk.clock()
        endpoint, secret = desk.database.run(
            lambda session: listeners.rotate_secret(
                session, actor, now=now, endpoint_id=number, master=master
            )
        )
    data = {"id": endpoint.id, "url": endpoint.url, "signing_secret": secret}
    say(data, as_json=as_json, words=tell(shown_once(data)))


@endpoints.command("test")
def send_test(
    number: Annotated[int, typer.Argument(help="The endpoint's id.", min=1, max=LARGEST_ID, metavar=NUMBER)],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Send it an event that says nothing but that it arrives."""
    from core.api.webhooks import endpoints as listeners

    with opened() as desk:
        actor = operator.actor(desk, as_)
        event = desk.database.run(
            lambda session: listeners.send_test(session, actor, now=desk.clock(), endpoint_id=number)
        )
    words = f"evt_{event} will be sent to endpoint {number}."
    say({"endpoint": number, "event": f"evt_{event}"}, as_json=as_json, words=tell(words))


@endpoints.command("add")
def add_endpoint(
    platform: Platform,
    url: Annotated[str, typer.Option(help="An https address of the platform.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Tell this address from now on; the secret that signs is shown this once."""
    from core.api.http import api_keys
    from core.api.webhooks import endpoints as listeners

    with opened() as desk:
        actor = operator.actor(desk, as_)
        master, now = api_keys.master_key(desk.settings), desk.clock()
        allowed = desk.settings.private_networks
        endpoint, secret = desk.database.run(
            lambda session: listeners.add_endpoint(
                session, actor, now=now, platform=platform, url=url, master=master, allowed=allowed
            )
        )
    data = {"id": endpoint.id, "url": endpoint.url, "signing_secret": secret}
    say(data, as_json=as_json, words=tell(shown_once(data)))


@endpoints.command("remove")
def remove_endpoint(
    number: Annotated[int, typer.Argument(help="The endpoint's id.", min=1, max=LARGEST_ID, metavar=NUMBER)],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Tell this address nothing more; what waits for it is dropped."""
    from core.api.webhooks import endpoints as listeners

    with opened() as desk:
        actor = operator.actor(desk, as_)
        desk.database.run(
            lambda session: listeners.remove_endpoint(session, actor, now=desk.clock(), endpoint_id=number)
        )
    say({"removed": number}, as_json=as_json, words=tell(f"Endpoint {number} is removed."))


@endpoints.command("list")
def list_endpoints(as_json: Json = False) -> None:
    """Who is told what happened, how far, and how much waits or was given up."""
    from core.api.webhooks import endpoints as listeners

    with opened() as desk, desk.database.reading() as session:
        found = [vars(each) for each in listeners.standings(session)]
    lines = [
        f"{each['id']:>4}  {each['platform']:<15} {each['url']}  told {each['last_sequence']}, "
        f"waiting {each['waiting']}, given up {each['failed']}"
        for each in found
    ]
    say({"endpoints": found}, as_json=as_json, words=tell("\n".join(lines) or "There are no endpoints."))


@endpoints.command("replay")
def replay_events(
    number: Annotated[int, typer.Argument(help="The endpoint's id.", min=1, max=LARGEST_ID, metavar=NUMBER)],
    after: Annotated[int, typer.Option(help="Everything after this number of its events.", min=0)],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Tell an endpoint again what it missed, under the same ids and numbers."""
    from core.api.webhooks import endpoints as listeners

    with opened() as desk:
        actor = operator.actor(desk, as_)
        queued = desk.database.run(
            lambda session: listeners.replay(
                session, actor, now=desk.clock(), endpoint_id=number, after=after
            )
        )
    words = f"{queued} events will be sent to endpoint {number} again."
    say({"endpoint": number, "queued": queued}, as_json=as_json, words=tell(words))


def shown_once(data: dict[str, object]) -> str:
    lines = [f"{name.replace('_', ' '):>15}  {value}" for name, value in data.items()]
    return "\n".join([*lines, "Keep it now: it is not shown again."])

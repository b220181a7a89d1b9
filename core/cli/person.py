"""`escrow-desk person`: what is kept about one person, and whether it may be erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli import operator
from core.cli.audit_proofs import NoFile
from core.cli.operator import As
from core.cli.output import Json, console, opened, require_new, say, tell, write_new
from core.cli.signing import Key
from core.policy import Platform

app = typer.Typer(no_args_is_help=True, help="What is kept about one person.")

Person = Annotated[
    str, typer.Argument(help="What the marketplace calls them: their external id.", metavar="EXTERNAL_ID")
]
Marketplace = Annotated[
    Platform | None, typer.Option(help="Whose party it is, where both marketplaces have one of that name.")
]


@app.command()
def hold(
    external_id: Person,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    lift: Annotated[bool, typer.Option("--lift", help="Lift the legal hold that stands.")] = False,
    marketplace: Marketplace = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Place a legal hold on a person: nothing about them is erased until it is lifted. Needs --as."""
    from core.actions.privacy import legal_holds
    from core.queries import personal_data

    act = legal_holds.lift if lift else legal_holds.place
    with opened() as desk:
        actor = operator.actor(desk, as_)
        now = desk.clock()
        row = desk.database.run(
            lambda session: act(
                session,
                actor,
                now=now,
                party_id=personal_data.named(session, external_id, marketplace),
                reason=reason,
            )
        )
    state = "is lifted" if lift else "stands: nothing about them is erased until it is lifted"
    data = {"person": external_id, "party": row.party_id, "legal_hold": row.id, "stands": not lift}
    say(data, as_json=as_json, words=tell(f"Legal hold {row.id} on {external_id} {state}."))


@app.command()
def erase(
    external_id: Person,
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is held and what is in the way (exit code 1).")
    ] = False,
    marketplace: Marketplace = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Propose to erase a person: another person approves it on the page Personal data. Needs --as.

    Of a person who is erased it destroys the key of their files, where that was not done yet.
    """
    from core.actions.privacy import erasures
    from core.processes import erased_files
    from core.queries import erasure_blocks, personal_data
    from core.rules.permissions import Permission, require

    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        require(actor, Permission.READ_PERSONAL_DATA)
        with desk.database.reading() as session:
            party = personal_data.named(session, external_id, marketplace)
            known = personal_data.erasures(session, party)
            done = next((each for each in known if each.erased_at is not None), None)
            held = {} if done else personal_data.held(session, party)
            blocks = () if done else erasure_blocks.blocks(session, party)
        data = {
            "person": external_id,
            "party": party,
            "held": held,
            "blocks": [{"code": each.code, "sentence": each.sentence} for each in blocks],
            "proposal": None,
            "erased_at": done.erased_at if done else None,
            "files_gone_at": done.files_gone_at if done else None,
        }
        if done is not None:
            gone = done.files_gone_at is not None or erased_files.destroy(desk, done.id)
            data["files_gone_at"] = done.files_gone_at or (now if gone else None)
            words = (
                f"{external_id} was erased on {done.erased_at:%Y-%m-%d}, by {done.maker} and {done.checker}."
            )
            say(data, as_json=as_json, words=tell(words))
            raise typer.Exit(0 if gone else 1)
        if not dry_run:
            row = desk.database.run(
                lambda session: erasures.propose(session, actor, now=now, party_id=party, reason=reason)
            )
            data["proposal"] = row.id

    def words_of() -> None:
        for kind, count in held.items():
            console.print(f"{kind}: {count:,}", highlight=False, markup=False)
        for each in blocks:
            console.print(each.sentence, highlight=False, soft_wrap=True, markup=False)
        said = (
            f"Proposed to erase {external_id}. Another person approves it on the page Personal data."
            if data["proposal"]
            else f"{external_id} cannot be erased now."
            if blocks
            else f"{external_id} can be erased."
        )
        console.print(said, highlight=False, soft_wrap=True, markup=False)

    say(data, as_json=as_json, words=words_of)
    raise typer.Exit(1 if blocks else 0)


@app.command()
def access(
    external_id: Person,
    out: Annotated[Path, typer.Option(help="The zip to write; one that is there is never overwritten.")],
    marketplace: Marketplace = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """All that is held about one person, with their own files, and nothing private of anybody else. Needs --as.

    Exit code 1 where a file of theirs could not be read: it is named in the zip."""
    from core.actions.privacy import subject_access
    from core.queries import personal_data

    require_new(out)
    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        made = desk.database.run(
            lambda session: subject_access.take(
                session,
                actor,
                now=now,
                store=desk.evidence,
                party_id=personal_data.named(session, external_id, marketplace),
            )
        )
    write_new(out, made.content)
    data = {
        "file": str(out),
        "person": external_id,
        "bytes": len(made.content),
        "sha256": made.sha256,
        "unread": made.unread,
    }
    unread = f" {made.unread} of their files could not be read." if made.unread else ""
    words = f"All that is held about {external_id} is in {out} (SHA-256 {made.sha256}).{unread}"
    say(data, as_json=as_json, words=tell(words))
    raise typer.Exit(1 if made.unread else 0)


@app.command()
def receipt(
    external_id: Person,
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is never overwritten.")],
    marketplace: Marketplace = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """The signed receipt of an erasure: who, when, by whose approval, what was overwritten, what is kept and why."""
    from core import audit
    from core.actions.privacy import erasures
    from core.queries import personal_data

    require_new(out)
    with opened() as desk:
        actor, now = operator.actor(desk, as_), desk.clock()
        signer = audit.desk_signer(desk.database, desk.settings.home, now=now)
        _, content = desk.database.run(
            lambda session: erasures.receipt(
                session,
                actor,
                now=now,
                party_id=personal_data.named(session, external_id, marketplace),
                signer=signer,
            )
        )
    write_new(out, content)
    data = {"file": str(out), "person": external_id, "key": signer.public.fingerprint}
    say(data, as_json=as_json, words=tell(f"The receipt is in {out}, signed by key {data['key']}."))


@app.command("verify-receipt")
def verify_receipt(
    file: Annotated[Path, typer.Argument(help="The receipt of an erasure.")],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Verify a receipt; needs no database and no configuration. A key that is not known here proves nothing (exit code
    1)."""
    from core.audit import erasure_receipt
    from core.cli import signing

    try:
        content = file.read_bytes()
    except OSError:
        raise NoFile(path=file) from None
    data = erasure_receipt.read(content, name=str(file))
    signer = erasure_receipt.signer_of(data)
    wanted = signing.for_export(str(data.get("ledger")), key)
    known = signer is not None and signer.fingerprint == wanted
    found = {"genuine": signer is not None, "known": known, "key": signer.fingerprint if signer else None}
    if signer is None:
        words = "It was altered: its signature does not fit it."
    elif known:
        words = (
            f"Party {data['party']} was erased at {data['erased_at']}; signed by key {signer.fingerprint}, as it should"
            " be."
        )
    elif wanted:
        words = f"It is signed by key {signer.fingerprint}, and not by {wanted}."
    else:
        words = f"It is signed by key {signer.fingerprint}: name the one that you were told with --key."
    say(data | found, as_json=as_json, words=tell(words))
    raise typer.Exit(0 if known else 1)

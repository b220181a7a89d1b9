"""`escrow-desk case`: list, export, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from core.cli import operator
from core.cli.operator import As
from core.cli.output import LARGEST_ID, NUMBER, Json, console, opened, require_new, say, tell, write_new
from core.rules import status_labels
from core.rules.references import number_in, reference

app = typer.Typer(no_args_is_help=True, help="Case files: list, export, verify offline.")


def number_of(case: str) -> int:
    """`42` and `D-42` are the same case."""
    number = number_in("case", case)
    if number is None or not 1 <= number <= LARGEST_ID:
        raise typer.BadParameter(f"“{case}” is not the number of a case, such as 42 or D-42")
    return number


@app.command("list")
def list_cases(
    decided: Annotated[bool, typer.Option(help="Only cases that were decided and carried out.")] = False,
    as_json: Json = False,
) -> None:
    """The cases of the desk, oldest first."""
    from core.case_file.listing import cases

    with opened() as desk, desk.database.reading() as session:
        rows = cases(session, decided=decided)

    def words() -> None:
        table = Table("Case", "Status", "Resolution", "Amount", "Milestone", box=None)
        for row in rows:
            said = (
                reference("case", row["id"]),
                status_labels.words("case", row["status"]),
                status_labels.in_words(row["resolution"] or "—"),
                row["amount"].text(),
                row["milestone"],
            )
            table.add_row(*map(Text, said))  # a title comes from outside and is no markup
        console.print(table)

    say(rows, as_json=as_json, words=words)


@app.command()
def export(
    case: Annotated[
        int, typer.Argument(help="The number of the case: 42 or D-42.", parser=number_of, metavar=NUMBER)
    ],
    out: Annotated[Path, typer.Option(help="The zip to write; one that is there is never overwritten.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Everything a decision stands on, as one zip that can be verified without the desk."""
    from core import audit, case_file

    require_new(out)
    with opened() as desk:
        signer = audit.desk_signer(desk.database, desk.settings.home, now=desk.clock())
        actor = operator.actor(desk, as_)
        packed = desk.database.run(
            lambda session: case_file.export(
                session, actor, now=desk.clock(), store=desk.evidence, signer=signer, case_id=case
            )
        )
    write_new(out, packed.content)
    key = signer.public.fingerprint
    data = {"file": str(out), "sha256": packed.sha256, "files": packed.files, "key": key}
    told = f"{packed.files} files in {out}, SHA-256 {packed.sha256}, signed by key {key}."
    say(data, as_json=as_json, words=tell(told))


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A zip from `case export`.")],
    key: Annotated[
        str | None,
        typer.Option(
            help="Whose signature it must bear: the desk's public key in a file, or its fingerprint."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute every amount and hash of a case file again; needs no database and no configuration.

    Without `--key` the signature is held against the key of the desk that lives here, if one does.
    """
    from core.case_file import signing, verification
    from core.config import Settings

    wanted = signing.named_key(key) if key else signing.key_of_this_desk(Settings().home_here)
    found = verification.verify(file, key=wanted)
    data = {
        "ok": found.ok,
        "case": found.case,
        "checked": found.checked,
        "not_checked": found.unchecked,
        "wrong": found.wrong,
        "key": found.key,
        "known": found.known,
    }
    say(data, as_json=as_json, words=tell("\n".join(verification.lines(found))))
    raise typer.Exit(0 if found.ok else 1)

"""`escrow-desk statement` and `bank-account`: the platform's own bank, from a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli import operator
from core.cli.operator import As
from core.cli.output import Json, opened, say, tell
from core.errors import DeskError
from core.rules.bank_statements import STRIPE, days

app = typer.Typer(no_args_is_help=True, help="Statements of the platform's own bank.")
accounts_app = typer.Typer(
    no_args_is_help=True, help="The platform's own bank accounts, one for each currency."
)
Code = Annotated[str, typer.Argument(help="What the account is called: main-eur.")]


class FileNotRead(DeskError):
    """{path} cannot be read: {why}. Nothing was imported."""


class MappingNotJson(DeskError):
    """{path} does not hold a mapping: it must be one JSON object ({why})."""


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CAMT.053, MT940, OFX, BAI2, CSV or an itemized report of Stripe's.")
    ],
    account: Annotated[
        str, typer.Option(help=f"The code of the bank account; {STRIPE} for Stripe's reports.")
    ],
    mapping: Annotated[str | None, typer.Option(help="How the columns of a CSV are read.")] = None,
    opening: Annotated[
        str | None,
        typer.Option(help="The balance before, where the file states none and nothing came before it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come in, and keep nothing.")
    ] = False,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Import a file: all of it or nothing. Exit code 1 when it is in and something about it should be looked at."""
    content = read(file)
    with opened() as desk:
        actor = operator.actor(desk, as_)
        if account == STRIPE:
            data = _report(desk, actor, file.name, content, dry_run=dry_run)
        else:
            data = _statements(desk, actor, file.name, content, account, mapping, opening, dry_run=dry_run)
    say(data | {"dry_run": dry_run}, as_json=as_json, words=tell("\n".join(_told(data, dry_run=dry_run))))
    raise typer.Exit(1 if data["look_at"] else 0)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Of this account only.")] = None,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1_000)] = 50,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """The statements that were imported. Exit code 1 when one of them does not begin where the one before it ended."""
    from core.actions.bank_statements import accounts
    from core.queries import bank_statements
    from core.rules.permissions import Permission, require

    with opened() as desk:
        require(operator.actor(desk, as_), Permission.IMPORT_STATEMENTS)
        with desk.database.reading() as session:
            if account is not None:
                accounts.named(session, account)
            rows = bank_statements.statements(session, account=account, limit=limit)
    data = [
        {
            "id": row.id, "account": row.account, "reference": row.reference, "first_on": row.first_on,
            "last_on": row.last_on, "currency": row.opening.currency, "opening": row.opening,
            "closing": row.closing, "balances": row.balances, "lines": row.lines, "repeated": row.repeated,
            "odd": row.odd, "gap": row.gap, "file": row.file, "format": row.format, "sha256": row.sha256,
            "imported_by": row.imported_by, "imported_at": row.imported_at,
        }
        for row in rows
    ]  # fmt: skip
    words = [
        f"{row.id}  {row.account}  {row.period}  {row.opening} to {row.closing}, "
        f"{counted(row.lines)}, {row.format.words}"
        + (", a statement before it is missing" if row.gap else "")
        for row in rows
    ]
    say(data, as_json=as_json, words=tell("\n".join(words or ["No bank statement was imported yet."])))
    raise typer.Exit(1 if any(row.gap for row in rows) else 0)


@app.command("mapping")
def mapping(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    file: Annotated[
        Path | None, typer.Option("--from", help="A JSON object; without it the mapping is shown.")
    ] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Save how the columns of a bank's CSV are read, as the next version of its name, or show it."""
    from core.actions.bank_statements import mappings
    from core.rules.permissions import Permission, require

    given = _json(file) if file is not None else None
    with opened() as desk:
        actor = operator.actor(desk, as_)
        require(actor, Permission.IMPORT_STATEMENTS)
        if given is not None:
            row = desk.database.run(
                lambda session: mappings.save(session, actor, now=desk.clock(), name=name, definition=given)
            )
        else:
            with desk.database.reading() as session:
                row = mappings.named(session, name)
    data = {"name": row.name, "version": row.version, "definition": row.definition}
    shown = json.dumps(row.definition, indent=2, ensure_ascii=False)
    say(data, as_json=as_json, words=tell(f"{row.name}, version {row.version}\n{shown}"))


@accounts_app.command("add")
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="As people call it.")],
    currency: Annotated[str, typer.Option(help="EUR, for example.")],
    identifier: Annotated[str, typer.Option(help="The IBAN or account number, as the bank writes it.")],
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Register a bank account of the platform's."""
    from core.actions.bank_statements import accounts

    with opened() as desk:
        actor = operator.actor(desk, as_)
        row = desk.database.run(
            lambda session: accounts.register(
                session, actor, now=desk.clock(), code=code, name=name, currency=currency.strip().upper(),
                identifier=identifier,
            )
        )  # fmt: skip
    _say_account(row, as_json)


@accounts_app.command("correct")
def correct(
    code: Code,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    identifier: Annotated[str | None, typer.Option(help="Another IBAN or account number.")] = None,
    as_: As = None,
    as_json: Json = False,
) -> None:
    """Another name or number for an account; its code and currency stay."""
    from core.actions.bank_statements import accounts

    with opened() as desk:
        actor = operator.actor(desk, as_)
        row = desk.database.run(
            lambda session: accounts.correct(
                session, actor, now=desk.clock(), code=code, name=name, identifier=identifier
            )
        )
    _say_account(row, as_json)


@accounts_app.command("list")
def accounts_list(as_: As = None, as_json: Json = False) -> None:
    """The bank accounts, the last day imported and what is missing. Exit code 1 when something is."""
    from core.queries import bank_statements
    from core.rules.permissions import Permission, require

    with opened() as desk:
        require(operator.actor(desk, as_), Permission.IMPORT_STATEMENTS)
        with desk.database.reading() as session:
            rows = bank_statements.accounts(session)
    data = [
        {
            "code": row.code, "name": row.name, "currency": row.currency, "identifier": row.identifier,
            "statements": row.statements, "until": row.until, "balance": row.balance,
            "look_at": row.said,
        }
        for row in rows
    ]  # fmt: skip
    words = [
        f"{row.code}  {row.name}  {row.identifier}  "
        + (f"{row.balance} at the end of {row.until:%-d %b %Y}. " if row.balance and row.until else "")
        + row.said
        for row in rows
    ]
    say(data, as_json=as_json, words=tell("\n".join(words or ["No bank account is registered yet."])))
    raise typer.Exit(1 if any(row.gaps for row in rows) else 0)


def read(path: Path) -> bytes:
    """The file, unless it is too large to be read. Raises `FileNotRead`, `FileNotRecognised`."""
    from core.gateways.bank_statements.recognition import require_size

    content, size = _bytes(path)
    require_size(path.name, size)
    return content


def _bytes(path: Path) -> tuple[bytes, int]:
    """What stands there, and how large it is: nothing is read of a file that is too large. A pipe does not say its
    size, and is read as far as a file may be large. Raises `FileNotRead`."""
    from core.gateways.bank_statements.recognition import LARGEST

    try:
        if path.is_file() and (size := path.stat().st_size) > LARGEST:
            return b"", size
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as problem:
        raise FileNotRead(path=path, why=problem.strerror or str(problem)) from None
    return content, len(content)


def _json(path: Path) -> dict[str, Any]:
    content, _ = _bytes(path)
    if not content:
        raise MappingNotJson(path=path, why="it is empty")
    try:
        found = json.loads(content)
    except ValueError as problem:
        raise MappingNotJson(path=path, why=str(problem)) from None
    if not isinstance(found, dict):
        raise MappingNotJson(path=path, why="it holds something else")
    return found


def _statements(
    desk: Any,
    actor: Any,
    name: str,
    content: bytes,
    code: str,
    mapping: str | None,
    opening: str | None,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    from core.actions.bank_statements import imports

    def take(session: Any, store: Any) -> imports.Import:
        return imports.take(
            session, actor, now=desk.clock(), code=code, file=name, content=content, store=store, mapping=mapping,
            opening=opening,
        )  # fmt: skip

    if dry_run:
        with desk.database.reading() as session:
            found = take(session, None)
    else:
        found = desk.database.run(lambda session: take(session, desk.evidence))
    return {
        "file": found.file,
        "sha256": found.sha256,
        "format": found.format,
        "account": code,
        "imported_before": found.before,
        "lines": found.lines,
        "new": found.lines - found.repeated,
        "statements": [
            {
                "id": None if dry_run else each.id, "reference": each.reference, "first_on": each.first_on,
                "last_on": each.last_on, "currency": each.opening.currency, "opening": each.opening,
                "closing": each.closing, "balances": each.balances, "lines": each.lines,
                "repeated": each.repeated, "odd": each.odd, "said": list(each.said),
            }
            for each in found.statements
        ],
        "already_imported": [
            {
                "id": each.id, "reference": each.reference, "first_on": each.first_on, "last_on": each.last_on,
                "lines": each.lines, "said": each.sentence,
            }
            for each in found.known
        ],
        "look_at": any(each.look_at for each in found.statements),
    }  # fmt: skip


def _report(desk: Any, actor: Any, name: str, content: bytes, *, dry_run: bool) -> dict[str, Any]:
    from core.actions.bank_statements import stripe_reports

    def take(session: Any, store: Any) -> stripe_reports.ReportImport:
        return stripe_reports.take(session, actor, now=desk.clock(), file=name, content=content, store=store)

    if dry_run:
        with desk.database.reading() as session:
            found = take(session, None)
    else:
        found = desk.database.run(lambda session: take(session, desk.evidence))
    return {
        "file": found.file, "sha256": found.sha256, "format": "STRIPE_REPORT", "account": STRIPE,
        "imported_before": found.before, "lines": found.lines, "new": found.added, "statements": [],
        "already_imported": [], "look_at": False,
    }  # fmt: skip


def _told(data: dict[str, Any], *, dry_run: bool) -> list[str]:
    if data["imported_before"]:
        return [
            f"{data['file']} was imported on {data['imported_before']:%-d %b %Y at %H:%M} UTC; nothing was done."
        ]
    known = [each["said"] for each in data["already_imported"]]
    if known and not data["statements"]:
        return [f"{data['file']}: {' '.join(known)} Nothing was done."]
    verb = "would come in" if dry_run else "imported"
    head = f"{data['file']}: {data['new']} of {data['lines']} lines {verb}."
    found = [
        f"{days(each['first_on'], each['last_on'])}: {each['opening']} to "
        f"{each['closing']}, {counted(each['lines'])}. {' '.join(each['said'])}".rstrip()
        for each in data["statements"]
    ]
    return [head, *known, *found]


def counted(lines: int) -> str:
    return f"{lines} line{'' if lines == 1 else 's'}"


def _say_account(row: Any, as_json: bool) -> None:
    data = {"code": row.code, "name": row.name, "currency": row.currency, "identifier": row.identifier}
    say(data, as_json=as_json, words=tell(f"{row.code}: {row.name}, {row.currency}, {row.identifier}."))

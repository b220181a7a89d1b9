"""How a command answers: in words or as JSON, into a new file, and a refusal in one sentence.

Exit codes: 0 done and well, 1 done and something is wrong (a check, a verification, a reconciliation), 2 not done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from core.config import Settings
from core.errors import DeskError

LARGEST_ID, NUMBER = 2**63 - 1, "<number>"
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
console, trouble = Console(), Console(stderr=True)


WIDEST = 400  # characters of a line


def print_whole(table: Table) -> None:
    """Rich would cut amounts to fit the terminal; the terminal breaks a line that is too long instead."""
    wanted = Measurement.get(console, console.options.update(width=WIDEST), table).maximum
    console.width = max(console.width, wanted)
    console.print(table)


class FileInTheWay(DeskError):
    """{path} exists already. Nothing was written: name another file, or remove that one first."""


class NoFolder(DeskError):
    """There is no folder {folder} to write {name} into. Make it first, or name another place with --out."""


class SettingUnfit(DeskError):
    """{setting} cannot be used: {why}."""


class SchemaMissing(DeskError):
    """The database does not have the present schema ({reason}). Run `escrow-desk migrate`."""


class NotInstalled(DeskError):
    """This database is not a desk's yet. Run `escrow-desk migrate`."""


def settings() -> Settings:
    """The environment; where it names no database, the demo that runs (or ran) in ESCROW_DESK_HOME."""
    found = environment()
    if found.database_url:
        found.require_home()
        return found
    from core.demo.settings_file import running

    return running(found.model_copy(update={"home": found.home_here}))


def environment() -> Settings:
    """What the environment says, in the desk's own words when it cannot be used."""
    try:
        return Settings()
    except ValidationError as problem:
        first = problem.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "A setting"
        raise SettingUnfit(setting=name, why=f"{first['msg']} (it is {first['input']!r})") from None


def require_desk(found: Settings) -> None:
    """What runs until it is stopped outlasts a database that goes away, but does not begin with a wrong address.

    Raises `NotInstalled`, and whatever SQLAlchemy raises where nothing answers.
    """
    from sqlalchemy import select

    from core.db import Database
    from core.records import Installation

    database = Database(found.database_url, pool_size=1)
    try:
        with database.reading() as session:
            if session.scalar(select(Installation.id)) is None:
                raise NotInstalled()
    finally:
        database.dispose()


@contextmanager
def opened(part: str = "command") -> Iterator[Any]:
    """The desk, closed afterwards. `part`: what this process calls itself at the database."""
    from core.desk import Desk

    desk = Desk.open(settings(), part=part)
    try:
        yield desk
    finally:
        desk.close()


def say(data: Any, *, as_json: bool, words: Callable[[], None]) -> None:
    """The same facts for a program, or for a person."""
    if as_json:
        print(json.dumps(data, default=str, ensure_ascii=False))
    else:
        words()


def tell(sentence: str) -> Callable[[], None]:
    """Words for `say`: one sentence, in which nothing is taken for markup."""
    return lambda: console.print(sentence, highlight=False, soft_wrap=True, markup=False)


def require_new(path: Path) -> None:
    """Refuse before the work is done, not after it. Raises `FileInTheWay`, `NoFolder`."""
    if path.exists() or path.is_symlink():
        raise FileInTheWay(path=path)
    if not path.absolute().parent.is_dir():
        raise NoFolder(folder=path.absolute().parent, name=path.name)


def write_new(path: Path, content: bytes) -> None:
    """The file appears whole and for its owner only, or not at all; one that is there is never overwritten."""
    from core.gateways.files import create_once

    require_new(path)
    if not create_once(path, content):
        raise FileInTheWay(path=path)


@contextmanager
def whole_file(path: Path) -> Iterator[Any]:
    """A new file for its owner only, to write into; what is half written does not stay. Raises `FileInTheWay`,
    `NoFolder`."""
    require_new(path)
    with path.open("xb") as file:
        try:
            path.chmod(0o600)
            yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def refusal(problem: Exception) -> str:
    """What to say about something that went wrong, in one sentence; empty where all is said already."""
    if isinstance(problem, DeskError):
        return problem.message
    if isinstance(problem, OperationalError):
        return (
            f"The database cannot be reached: {_first_line(problem)}. Check DATABASE_URL, and that it runs."
        )
    if isinstance(problem, ArgumentError):
        return "The database's address cannot be read. DATABASE_URL looks like postgresql://login:password@host/name."
    if isinstance(problem, DBAPIError) and getattr(problem.orig, "sqlstate", None) in (
        "42P01",
        "42703",
        "42883",
    ):
        return SchemaMissing(reason=_first_line(problem)).message
    if isinstance(problem, DBAPIError) and getattr(problem.orig, "sqlstate", None) == "42501":
        return f"This database login may not do that: {_first_line(problem)}. See the roles in docs/operations.md."
    if isinstance(problem, SQLAlchemyError):
        return f"The database refused: {_first_line(problem)}."
    if isinstance(problem, OSError):
        where = f"{problem.filename}: " if problem.filename else ""
        return f"{where}{problem.strerror or problem}. Nothing more was done."
    if (said := getattr(problem, "format_message", None)) and (asked := getattr(problem, "ctx", None)):
        return _misunderstood(str(said()), asked.command_path)
    unforeseen = f"Unexpected error ({type(problem).__name__}: {problem})."
    return f"{unforeseen} LOG_LEVEL=DEBUG shows where."


def _misunderstood(said: str, command: str) -> str:
    """Options and arguments that do not fit; empty when help was shown instead, because nothing was asked."""
    fault = " ".join(said.split()).rstrip(".")
    return f"{fault}. `{command} --help` says what it takes." if fault else ""


def _first_line(problem: SQLAlchemyError) -> str:
    said = str(getattr(problem, "orig", None) or problem).strip().splitlines() or [type(problem).__name__]
    return said[0].rstrip(".:")

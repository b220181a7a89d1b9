"""How a command answers: in words or as JSON, into a new file. How it refuses is in `core/cli/refusals.py`.

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

from core.cli.refusals import misfit
from core.config import Settings
from core.errors import DeskError
from core.money import Money

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
        raise SettingUnfit(setting=name, why=f"{misfit(problem)} (it is {first['input']!r})") from None


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
    """The same facts for a program, or for a person. Amounts are given as `Money`: a program reads them everywhere as
    in the API, `{"minor": 104356, "currency": "USD"}`."""
    if as_json:
        print(json.dumps(data, default=_plain, ensure_ascii=False))
    else:
        words()


def _plain(value: Any) -> Any:
    return value.as_dict() if isinstance(value, Money) else str(value)


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

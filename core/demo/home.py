"""A demo's own folder: it bears the demo's mark, and nothing is erased in it but what the mark lists.

Every check comes before the first file is touched. A folder that holds keys, evidence or checkpoints without the mark
is a desk's, and a demo neither starts in it nor resets it.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from core.embedded_postgres import EmbeddedPostgres
from core.embedded_postgres.access import DATABASE, Access
from core.embedded_postgres.place import place_for
from core.errors import DeskError
from core.home import MARK

LOCK = "demo.lock"
DATA = ("stripe-sandbox", "evidence", "mail", "checkpoints", "keys", "demo.json", "filling", "settings.json")
MADE = ("postgres", *DATA, "log", LOCK)
ADDRESSES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_AUDITOR_URL")
LIVE = ("sk_live_", "rk_live_")


class NotADemosHome(DeskError):
    """{home} holds {found} without a demo's mark. Nothing was touched; choose another home with ESCROW_DESK_HOME."""


class LeadsElsewhere(DeskError):
    """{path} is a link to another place. Nothing was erased; remove the link, or choose another ESCROW_DESK_HOME."""


class ForeignDatabase(DeskError):
    """{name} is set to another database than this demo's. Nothing was erased; unset it, then reset the demo."""


class LiveKey(DeskError):
    """STRIPE_API_KEY is set to a live key. Nothing was erased: reset the demo without it."""


class DemoRuns(DeskError):
    """A demo is running in {home}. Stop it first (Ctrl-C where it was started)."""


def claim(home: Path) -> None:
    """Make the folder and mark it, or see that it is marked. Raises `NotADemosHome`."""
    if not _marked(home):
        _require_nothing_of_a_desk(home)
    if not (home / MARK).is_file():
        home.mkdir(parents=True, exist_ok=True)
        (home / MARK).write_text(json.dumps({"made_by": "escrow-desk demo", "files": MADE}, indent=1) + "\n")


@contextmanager
def held(home: Path) -> Iterator[None]:
    """One demo at a time in one home. Raises `DemoRuns`."""
    with (home / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoRuns(home=home) from None
        yield


def in_use(home: Path) -> bool:
    """Whether a demo holds this home now."""
    try:
        with (home / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def progress(home: Path) -> str:
    """What a demo that holds this home, and cannot be reached yet, is doing."""
    return "is still loading its data" if (home / "filling").is_file() else "is starting or stopping"


def require_erasable(home: Path, environment: Mapping[str, str]) -> None:
    """Everything that must be so before a reset; nothing is changed. Raises the errors of this module."""
    if environment.get("STRIPE_API_KEY", "").startswith(LIVE):
        raise LiveKey()
    if not home.exists():
        return
    if not _marked(home):
        _require_nothing_of_a_desk(home)
    for name in MADE:
        if (home / name).is_symlink():
            raise LeadsElsewhere(path=home / name)
    own = _own_addresses(home)
    for name in ADDRESSES:
        if environment.get(name) and _plain(environment[name]) not in own:
            raise ForeignDatabase(name=name)


def erase(home: Path) -> None:
    """The database and what belongs to it, once `require_erasable` has passed; logs and what others put there stay."""
    if home.exists():
        EmbeddedPostgres(home).erase()
        forget(home)


def forget(home: Path) -> None:
    """What belongs to data that is thrown away."""
    listed = _listed(home)
    for name in DATA:
        path = home / name
        if name not in listed or path.is_symlink():
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _marked(home: Path) -> bool:
    if (home / MARK).is_file():
        return "postgres" in _listed(home)
    return _was_a_demos(home)


def _listed(home: Path) -> frozenset[str]:
    """What the mark says the demo makes here; never more than a demo makes."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        return frozenset(json.loads((home / MARK).read_text())["files"]) & frozenset(MADE)
    return frozenset(MADE) if _was_a_demos(home) else frozenset()


def _was_a_demos(home: Path) -> bool:
    """A demo of a version without marks: its own database beside its own note, and one desk's checkpoints at most."""
    if (home / MARK).exists() or not (home / "postgres").is_dir():
        return False
    try:
        told = json.loads((home / "demo.json").read_text())
        noted = isinstance(told, dict) and {"seed", "projects"} <= told.keys()
    except (OSError, ValueError):
        noted = (home / "filling").is_file()
    return noted and len(list((home / "checkpoints").glob("*.jsonl"))) <= 1


def _require_nothing_of_a_desk(home: Path) -> None:
    found = [name for name in MADE if (home / name).exists() or (home / name).is_symlink()]
    if found:
        raise NotADemosHome(home=home, found=found[0])


def _own_addresses(home: Path) -> frozenset[str]:
    """The addresses of the database that lies here."""
    if not (home / "postgres" / "access.json").is_file():
        return frozenset()
    place = place_for(home)
    try:
        urls = Access.read(place.access_file).urls(DATABASE, place.socket_path)
    except (OSError, ValueError):
        return frozenset()
    return frozenset(map(_plain, (urls.owner_url, urls.app_url, urls.auditor_url)))


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)

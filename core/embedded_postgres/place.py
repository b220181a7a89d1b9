"""Where a cluster lies: in its home, or in /var/lib/escrow-desk when root's lent account cannot reach the home."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.embedded_postgres.account import Account, account_for, account_name
from core.embedded_postgres.errors import HomeForbidden, UnsafeSocketFolder
from core.embedded_postgres.folders import PASSABLE, make_folder
from core.embedded_postgres.programs import Programs, programs_for

REFUGE = Path("/var/lib/escrow-desk")
LONGEST_SOCKET_FOLDER = 80  # bytes; a socket's whole path may have 103 on macOS, 107 on Linux


@dataclass(frozen=True)
class Place:
    """The folder of one cluster and the programs that serve it. Keys stay with the home; data may lie elsewhere."""

    keys: Path
    root: Path
    programs: Programs

    @property
    def account(self) -> Account:
        return self.programs.account

    @property
    def access_file(self) -> Path:
        return self.keys / "access.json"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def moved(self) -> bool:
        return self.keys != self.root

    def prepare(self) -> None:
        """The folder outside the home, where there is to be one."""
        if self.moved:
            make_folder(self.root.parent, PASSABLE)
            make_folder(self.root, PASSABLE)

    def clear(self) -> None:
        """Everything of the cluster, so that the home is as new."""
        self.access_file.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        for folder in (self.data, self.root if self.moved else self.data):
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def socket_path(self) -> Path:
        """In the temporary folder when the path is too long for a socket, or has a comma, which libpq takes for the
        end of a host."""
        folder = self.root / "run"
        if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER or "," in str(folder):
            return Path(tempfile.gettempdir()) / f"escrow-desk-{digest(self.root)}"
        return folder

    def socket_folder(self) -> Path:
        """Private to the server's account."""
        folder = self.socket_path
        if not folder.exists():
            make_folder(folder, 0o700)
            self.account.give(folder)
        if folder.is_symlink() or folder.stat().st_uid not in (self.account.uid, os.geteuid()):
            raise UnsafeSocketFolder(path=folder)
        return folder

    def leave(self) -> None:
        """Nothing stays behind in the temporary folder."""
        if not self.socket_path.is_relative_to(self.root):
            with suppress(OSError):  # gone, or another server's socket lies in it
                self.socket_path.rmdir()


def keys_folder(home: Path) -> Path:
    """`postgres/` in the home, made if need be. Raises `HomeForbidden` when the home is another account's."""
    keys = home / "postgres"
    try:
        for folder in (*reversed(home.parents), home, keys):
            make_folder(folder, 0o700 if os.geteuid() else PASSABLE)
    except PermissionError:
        raise forbidden(folder.parent) from None
    if not os.access(keys, os.R_OK | os.W_OK | os.X_OK):
        raise forbidden(keys)
    return keys


def forbidden(path: Path) -> HomeForbidden:
    return HomeForbidden(path=path, owner=account_name(path.stat().st_uid), me=account_name(os.geteuid()))


def place_for(home: Path) -> Place:
    """Where the data already is; else in the home; else, for a lent account that cannot reach the home, the refuge."""
    keys = keys_folder(home)
    refuge = REFUGE / stable_name(home)
    for root in (keys, refuge):
        if (root / "data").exists():
            return settled(keys, root)
    return settled(keys, keys if account_for(keys / "data").reaches(keys) else refuge)


def settled(keys: Path, root: Path) -> Place:
    return Place(keys, root, programs_for(account_for(root / "data"), refuge=REFUGE))


def stable_name(home: Path) -> str:
    """`my-checkout-1f0c9a72be`: readable, and one per home."""
    return re.sub(r"[^a-z0-9]+", "-", home.parent.name.lower()).strip("-")[:24] + "-" + digest(home)


def digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]

"""Writing files that must be whole or absent: private, synced, and safe when two processes write at once.

A disk that is full or cannot be written is said in one sentence (`DiskUnusable`), and leaves no part of a file behind.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import DeskError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
UNUSABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO, errno.EACCES})


class DiskUnusable(DeskError):
    """The desk cannot write to its disk just now ({reason}). Nothing was kept; do it again when it can."""


@contextmanager
def disk_needed() -> Iterator[None]:
    """Inside, files are written: raises `DiskUnusable` where there is no room, or the disk takes no writing."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in UNUSABLE:
            raise
        raise DiskUnusable(reason=os.strerror(problem.errno).lower()) from problem


def private_folder(path: Path) -> Path:
    """The folder, made with its parents when missing; what is made here is for its owner only. Raises
    `DiskUnusable`."""
    if not path.is_dir():
        private_folder(path.parent)
        with disk_needed():
            path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return path


def replace(path: Path, content: bytes) -> None:
    """The file holds `content`, or what it held before: never a part. Survives a power cut once it has returned.

    Raises `DiskUnusable`."""
    with disk_needed():
        part = _written(path, content)
        try:
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def create_once(path: Path, content: bytes) -> bool:
    """Create the file unless it is there; of several writers exactly one wins, and only that one gets True.

    Raises `DiskUnusable`."""
    with disk_needed():
        part = _written(path, content)
        try:
            os.link(part, path)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(path.parent)
        return True


def forget(path: Path) -> None:
    """The file is gone, also after a power cut. Its bytes are overwritten first, as far as the disk honours that."""
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _written(path: Path, content: bytes) -> Path:
    part = private_folder(path.parent) / f".{path.name}.{secrets.token_hex(6)}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A disk of its own for a test, that fills up, or that suddenly cannot be written.

Where this account may mount, it is a file system in memory of one megabyte. Elsewhere the process itself may write no
more bytes to any file, which the kernel refuses in the same place with another number.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE = "1m"


@dataclass
class Disk:
    """`folder` lies on it."""

    folder: Path
    mounted: bool

    @contextmanager
    def full(self) -> Iterator[None]:
        """No byte more goes on it."""
        if not self.mounted:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            return
        filler = self.folder / ".filler"
        with filler.open("wb", buffering=0) as file:
            for piece in (65_536, 4_096, 512, 1):
                try:
                    while file.write(bytes(piece)) == piece:
                        pass
                except OSError:
                    continue
        try:
            yield
        finally:
            filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        if not self.mounted:
            with self.full():
                yield
            return
        _remount(self.folder, "ro")
        try:
            yield
        finally:
            _remount(self.folder, "rw")

    @contextmanager
    def unusable(self, how: str) -> Iterator[None]:
        """`how`: full, or read-only."""
        with self.full() if how == "full" else self.read_only():
            yield


UNUSABLE = ("full", "read-only")


@contextmanager
def a_disk(folder: Path, *, size: str = SIZE) -> Iterator[Disk]:
    folder.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder))
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _mount(*how: str) -> bool:
    """Whether it was done; only root may, and not everywhere."""
    if os.geteuid():
        return False
    return subprocess.run(["mount", *how], capture_output=True, check=False).returncode == 0


def _remount(folder: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)

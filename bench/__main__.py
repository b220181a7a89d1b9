"""Everything that is measured, in one run: the ledger beside pgbench and as it grows, the pages beside a bare app.

    python -m bench [--seconds 6] [--postings 500000] [--lines 100000] [--only ledger|actions|proof|size|start|pages|…]

Each figure is a ratio to something that runs on the same machine in the same minutes; the targets are the design's.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bench.pages import free_port

PARTS = ("ledger", "actions", "api", "proof", "size", "start", "pages", "desk")
FIRST_PAGE, SECOND_START = 60.0, 6.0


@contextmanager
def demo(home: str, port: int) -> Iterator[float]:
    """A demo until the block ends; yields the seconds until its first page answered."""
    began = time.monotonic()
    environment = {**os.environ, "ESCROW_DESK_HOME": home}
    command = [sys.executable, "-m", "core.cli", "demo", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        while not answers(port):
            if process.poll() is not None:
                raise SystemExit("The demo ended before its first page.")
            time.sleep(0.05)
        yield time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def row(name: str, figure: float, target: float, unit: str = "s") -> None:
    mark = "✓" if figure <= target else "✗"
    print(f"{mark} {name:<58} {figure:>7.1f} {unit}   target ≤ {target:g} {unit}", flush=True)


def part(module: str, *arguments: str) -> int:
    """Another measurement, as a process of its own."""
    return subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument(
        "--seconds", type=int, default=6, help="how long each measurement of the ledger lasts"
    )
    parser.add_argument("--postings", type=int, default=500_000, help="of the ledger whose pages are timed")
    parser.add_argument(
        "--lines", type=int, default=100_000, help="of Stripe's statement that are reconciled"
    )
    parser.add_argument(
        "--times", type=int, default=100, help="copies of the demo in the desk whose pages are timed"
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the record that is verified")
    parser.add_argument("--only", choices=PARTS)
    return parser


def main() -> int:
    given = arguments().parse_args()
    parts = (given.only,) if given.only else PARTS
    failed = 0
    if "ledger" in parts:
        failed |= part("bench.ledger", "--seconds", str(given.seconds))
    if "actions" in parts:
        failed |= part("bench.actions")
    if "api" in parts:
        failed |= part("bench.api")
    if "proof" in parts:
        failed |= part("bench.proof", "--rows", str(given.rows))
    if "size" in parts:
        failed |= part("bench.size", "--postings", str(given.postings), "--lines", str(given.lines))
    if {"start", "pages", "desk"} & set(parts):
        with tempfile.TemporaryDirectory() as home:
            port = free_port()
            with demo(home, port) as first:
                row("first start, with three months of data, to the first page", first, FIRST_PAGE)
            with demo(home, port) as second:
                row("second start, to the first page", second, SECOND_START)
                if "pages" in parts:
                    failed |= part("bench.pages", "--desk", f"http://127.0.0.1:{port}")
            if "desk" in parts:
                failed |= part("bench.desk_pages", "--home", home, "--times", str(given.times))
    return failed


if __name__ == "__main__":
    raise SystemExit(main())

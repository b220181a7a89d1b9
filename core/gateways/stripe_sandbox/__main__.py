"""`python -m core.gateways.stripe_sandbox --folder … --port …`: the sandbox as a process of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.errors import DeskError
from core.gateways.stripe_sandbox.server import StripeSandbox


def main() -> None:
    parser = argparse.ArgumentParser(prog="stripe-sandbox", description="A Stripe sandbox on loopback.")
    parser.add_argument("--folder", type=Path, required=True, help="where its state and request log are kept")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--seed", default="desk", help="the same seed gives the same ids")
    given = parser.parse_args()
    sandbox = StripeSandbox(given.folder, given.port, given.seed)
    try:
        sandbox.serve()
    except (DeskError, OSError) as error:
        raise SystemExit(f"stripe-sandbox: {error}") from error


if __name__ == "__main__":
    main()

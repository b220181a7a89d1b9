"""How long a test waits for what comes sooner or later. What comes at once costs nothing; a busy machine is no
fault."""

from __future__ import annotations

import os

SECONDS = int(os.environ.get("ESCROW_DESK_PATIENCE", "120"))
MILLISECONDS = 1_000 * SECONDS

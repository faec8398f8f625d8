"""Kills what is left when the supervisor dies without a word.

A child dies with us by the kernel's hand, but what *it* started does not. The warden reads the process groups from
its standard input; when that ends, it ends them. Run as `python -m portal.embedded.warden`.
"""

from __future__ import annotations

import os
import signal
import sys
import time

PATIENCE_SECONDS = 4


def main() -> None:
    """Read "+group" and "-group" lines until the supervisor is gone; then end what is still there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group = line[0], int(line[1:])
        (groups.add if sign == "+" else groups.discard)(group)
    for how in (signal.SIGTERM, signal.SIGKILL):
        groups = {group for group in groups if _kill(group, how)}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while groups and time.monotonic() < deadline:
            time.sleep(0.1)
            groups = {group for group in groups if _kill(group, 0)}


def _kill(group: int, how: int) -> bool:
    """False when nobody is left in the group."""
    try:
        os.killpg(group, how)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()

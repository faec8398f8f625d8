"""The ERP's databases as the sandbox sees them: a process of their own, that asks us what is to go wrong.

It has to be another process. SAP's driver keeps Python's lock while it says goodbye to a statement and waits for the answer:
a server on a thread of the same process would never get to give it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from portal.sandbox.erp.ledger import Size
from portal.sandbox.faults import Mishaps

USER, PASSWORD = "EMANET", "Sandbox-2026"
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class ErpSettings:
    """Where the ledger lies, how big it is, which ports to listen on (0: any free one).

    `database_url` is a server's where a database of ours may be made, or, with `prepared`, a ledger that is there already.
    `certificate` and `key` are files: with them the HANA counter speaks TLS only.
    """

    database_url: str = field(repr=False)
    hana_port: int = 0
    tds_port: int = 0
    size: Size = field(default_factory=Size)
    prepared: bool = False
    certificate: str = ""
    key: str = ""


class ErpCounter:
    """The process, its ports, and the thread that answers its questions."""

    def __init__(self, settings: ErpSettings, faults: Mishaps) -> None:
        self.faults = faults
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portal.sandbox.erp"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True, bufsize=1,
        )  # fmt: skip
        self._say(_as_json(settings))
        heard = self._heard()
        if heard is None:
            raise RuntimeError("The sandbox's ERP did not start; its words are in the sandbox's log.")
        self.hana_port, self.tds_port = int(heard["hana_port"]), int(heard["tds_port"])
        threading.Thread(target=self._answer, name="erp mishaps", daemon=True).start()

    def stop(self) -> None:
        """It ends when nobody talks to it any more."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()

    def _answer(self) -> None:
        """Every call over there asks here first: the control page and the tests have one list of mishaps."""
        while (asked := self._heard()) is not None:
            fault = self.faults.take(asked["provider"], asked["operation"])
            with contextlib.suppress(OSError, ValueError):
                self._say({"question": asked["question"], "fault": asdict(fault) if fault else None})

    def _heard(self) -> dict[str, Any] | None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def _say(self, words: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with self.lock:
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()


def _as_json(settings: ErpSettings) -> dict[str, Any]:
    said = asdict(settings)
    said["size"]["today"] = f"{settings.size.today}"
    return said


def settings_from(said: dict[str, Any]) -> ErpSettings:
    """The other end of the pipe."""
    size = said.pop("size")
    return replace(ErpSettings(**said), size=Size(**{**size, "today": date.fromisoformat(size["today"])}))

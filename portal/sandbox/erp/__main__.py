"""The ERP's databases, in a process of their own: `python -m portal.sandbox.erp`, spoken to over its standard input."""

from __future__ import annotations

import json
import os
import ssl
import sys
import threading
from itertools import count
from queue import Queue
from typing import Any

import psycopg

from portal.sandbox.erp import ledger
from portal.sandbox.erp.counter import ErpSettings, settings_from
from portal.sandbox.erp.who import MSSQL_DATABASE, PASSWORD, USER
from portal.sandbox.faults import Fault
from portal.sandbox.hana.server import HanaCounter
from portal.sandbox.tds.server import TdsCounter

PATIENCE_SECONDS = 120


class AskedMishaps:
    """What is to go wrong is known at the other end of the pipe."""

    def __init__(self) -> None:
        self.lock, self.numbers = threading.Lock(), count()
        self.waiting: dict[int, Queue[Fault | None]] = {}

    def take(self, provider: str, operation: str) -> Fault | None:
        """Ask, and wait for the answer."""
        answer: Queue[Fault | None] = Queue()
        with self.lock:
            number = next(self.numbers)
            self.waiting[number] = answer
            _say({"question": number, "provider": provider, "operation": operation})
        return answer.get()

    def hear(self, said: dict[str, Any]) -> None:
        """An answer has come."""
        self.waiting.pop(said["question"]).put(Fault(**said["fault"]) if said["fault"] else None)


class Store:
    """The ledger's database, made while the first callers wait."""

    def __init__(self, settings: ErpSettings) -> None:
        self.settings = settings
        self.ready = threading.Event()
        self.url = _plain(settings.database_url)
        if settings.prepared:
            self.ready.set()
        else:
            threading.Thread(target=self._prepare, daemon=True).start()

    def where(self) -> str:
        """Where the ledger is. Raises OSError (the caller is hung up on) when it was never made."""
        if not self.ready.wait(PATIENCE_SECONDS):
            raise OSError("the ledger is not there")
        return self.url

    def _prepare(self) -> None:
        try:
            self.url = ledger.database(self.url, self.settings.size)
        except psycopg.Error as no:
            print(f"The sandbox's ledger could not be made: {no}", file=sys.stderr, flush=True)
            return
        self.ready.set()


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _tls(settings: ErpSettings) -> ssl.SSLContext | None:
    if not settings.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings.certificate, settings.key)
    return context


def main() -> None:
    """Open the counters; end when the sandbox does."""
    settings = settings_from(json.loads(sys.stdin.readline()))
    mishaps, store = AskedMishaps(), Store(settings)
    private = _tls(settings)
    if private is not None:
        # In TDS 7 the handshake travels inside TDS packets; what TLS 1.3 says after it would have no place.
        private.maximum_version = ssl.TLSVersion.TLSv1_2
    hana = HanaCounter(store.where, mishaps, port=settings.hana_port, user=USER, password=PASSWORD, tls=_tls(settings))
    tds = TdsCounter(
        store.where,
        mishaps,
        port=settings.tds_port,
        user=USER,
        password=PASSWORD,
        database=MSSQL_DATABASE,
        tls=private,
    )
    _say({"hana_port": hana.port, "tds_port": tds.port})
    for line in sys.stdin:
        mishaps.hear(json.loads(line))
    os._exit(0)  # whoever still holds a line is hung up on


if __name__ == "__main__":
    main()

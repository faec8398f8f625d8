"""The ERP is played by a ledger in memory, through the same port as the real one."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from portal.core.ports import cast_role
from portal.receivables.ports import LedgerSources, Side
from tests.receivables.source import Ledger

TODAY = date(2025, 5, 15)


@pytest.fixture
def ledger(app: Flask) -> Ledger:
    """An ERP with empty books, for both sides."""
    found = Ledger()
    cast_role(app, LedgerSources, LedgerSources({side: (found,) for side in Side}))
    return found

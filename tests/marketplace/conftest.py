"""A street before a warehouse. Afterwards every quantity must be what its movements say."""

from __future__ import annotations

import pytest

from tests.marketplace import Street
from tests.stock import Warehouse
from tests.stock.conftest import warehouse as warehouse  # noqa: PLC0414 (a fixture lent from next door)
from tests.world import SandboxControl


@pytest.fixture
def street(warehouse: Warehouse, sandbox: SandboxControl) -> Street:
    """Trendyol without limits, and 50 pieces of tape on a shelf."""
    found = Street(sandbox)
    found.lever("rules", limits=False)
    warehouse.receive(50)
    return found

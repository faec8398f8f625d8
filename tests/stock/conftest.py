"""The stock's warehouse. Afterwards every quantity must be what its movements say: every test checks that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal.core.database import db
from portal.stock import replay
from tests.stock import Warehouse


@pytest.fixture
def warehouse(app: Flask) -> Iterator[Warehouse]:
    """Two items, two shelves, nothing on them."""
    yield Warehouse()
    db.session.rollback()
    proof = replay.prove()
    db.session.rollback()
    assert proof.differences == []
    assert proof.agrees

"""The office, over a fresh database."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cast import Cast
from tests.commission import Office


@pytest.fixture
def office(app: Flask, cast: Cast) -> Office:
    """Agents, a policy, no deals."""
    return Office(cast)

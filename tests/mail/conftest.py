"""A post office for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal.core.ports import cast_role
from portal.mail.ports import PostOffice
from tests.mail.twin import Twin, open_counter


@pytest.fixture
def twin(app: Flask) -> Iterator[Twin]:
    """A post office of the test's own."""
    with open_counter() as twin:
        cast_role(app, PostOffice, twin.office())
        yield twin

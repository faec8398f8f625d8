"""A parcel on the packing table. Afterwards every quantity must be what its movements say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal import demo
from portal.core.database import db
from portal.core.unit_of_work import atomic
from portal.stock import replay
from tests import story
from tests.cast import Cast
from tests.packing import Table, prepared
from tests.story import FILM, TAPE
from tests.world import SandboxControl


@pytest.fixture
def table(app: Flask, cast: Cast, sandbox: SandboxControl) -> Iterator[Table]:
    """Three rolls of tape, fourteen of film, paid and prepared."""
    with atomic():
        demo.fill_shelves()
    order = story.paid(app, cast, sandbox, (TAPE, 3), (FILM, 14))[0]
    yield Table(cast, prepared(cast, order.id))
    db.session.rollback()
    proof = replay.prove()
    db.session.rollback()
    assert proof.differences == []

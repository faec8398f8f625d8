"""Backup, restore into a new cluster, books verified; unsent calls wait for the operator's word. Then the cluster dies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from jobs.sweep import sweep
from portal.app import create_app
from portal.core.database import DB_NOW, db
from portal.core.unit_of_work import atomic
from portal.embedded.for_tests import _fast_place
from portal.embedded.home import ROOT
from portal.embedded.postgres import Postgres, _binaries
from portal.health.books import ask_the_books
from portal.outbox.models import ProviderIntent
from portal.settings import Settings
from tests import story
from tests.cast import Cast
from tests.world import SandboxControl

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults")]


@pytest.fixture
def new_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Another PostgreSQL, with nothing in it."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="emanet-restore-", dir=_fast_place()))
    folder.chmod(0o711)
    cluster = Postgres(folder / "postgres", password="new", log=folder / "postgres.log", fast=True)
    cluster.start()
    cluster.wait()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


def script(name: str, *arguments: str, settings: Settings, url: str) -> subprocess.CompletedProcess[str]:
    """One of deploy's scripts, with the programs that came with our PostgreSQL."""
    from tests.faults.conftest import Processes

    env = Processes(settings, Path("/nonexistent")).environment()
    env |= {
        "PATH": f"{_binaries(None)}:{os.environ['PATH']}", "DATABASE_URL": url,
        "FLASK": str(Path(sys.executable).with_name("flask")),
    }  # fmt: skip
    return subprocess.run(
        ["bash", str(ROOT / "deploy" / name), *arguments],
        env=env,
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
    )


def test_a_restored_house_agrees_with_itself_and_pays_nothing_by_itself(
    app: Flask, cast: Cast, sandbox: SandboxControl, settings: Settings, new_cluster: Postgres, tmp_path: Path
) -> None:
    story.completed(app, cast, sandbox)
    done_meanwhile = story.paid(app, cast, sandbox)[0]
    story.confirmed(done_meanwhile, cast)
    not_done = story.paid(app, cast, sandbox)[0]
    story.confirmed(not_done, cast)
    db.session.rollback()
    done = script("backup.sh", str(tmp_path), settings=settings, url=settings.database_url)
    assert done.returncode == 0, done.stderr
    dump = Path(done.stdout.strip())
    assert dump.stat().st_mode & 0o077 == 0
    pay_one_after_the_backup(done_meanwhile.id)
    before = dict(sandbox.effects("approve"))
    assert sum(before.values()) == 2

    spoilt = tmp_path / "emanet-spoilt.dump"
    spoilt.write_bytes(dump.read_bytes()[:-100] + b"x" * 100)
    Path(f"{spoilt}.sha256").write_text(Path(f"{dump}.sha256").read_text().replace(dump.name, spoilt.name))
    assert script("restore.sh", str(spoilt), settings=settings, url=new_cluster.url()).returncode != 0
    restored = script("restore.sh", str(dump), settings=settings, url=new_cluster.url())
    assert restored.returncode == 0, restored.stderr
    assert "The books agree." in restored.stdout and "2 calls wait for an operator's word." in restored.stdout
    again = script("restore.sh", str(dump), settings=settings, url=new_cluster.url())
    assert again.returncode == 1 and "not empty" in again.stderr

    house = create_app(replace(settings, database_url=new_cluster.url()))
    with house.app_context():
        due_now()
        sweep(house)
        assert sandbox.effects("approve") == before  # nobody pays by himself
        released = house.test_cli_runner().invoke(args=["outbox", "release"])
        assert "2 calls are asked about now." in released.output
        for _ in range(3):
            due_now()
            sweep(house)
            story.drain("provider_calls")
        after = sandbox.effects("approve")
        assert set(after.values()) == {1} and len(after) == 3  # the one that was done is not done again
        assert ask_the_books() == []
        open_ = select(ProviderIntent.id).where(ProviderIntent.state.in_(("READY", "SENDING", "UNKNOWN")))
        assert list(db.session.scalars(open_)) == []
        db.session.rollback()
        the_database_stops(house, new_cluster)
        db.session.remove()
        db.engine.dispose()


def pay_one_after_the_backup(order_id: int) -> None:
    """What was done between the backup and the disaster, and the restored house does not know."""
    from portal.escrow import queries as escrow

    mine = [str(hold.id) for hold in escrow.holds_of([order_id])]
    with atomic():
        others = ProviderIntent.subject_id.not_in(mine) & (ProviderIntent.operation == "approve_item")
        db.session.execute(
            update(ProviderIntent).where(others, ProviderIntent.state == "READY").values(needs_person=True)
        )
    story.drain("provider_calls")


def due_now() -> None:
    """Time passes."""
    with atomic():
        open_ = ProviderIntent.state.in_(("READY", "SENDING", "UNKNOWN"))
        db.session.execute(update(ProviderIntent).where(open_).values(next_attempt_at=DB_NOW))


def the_database_stops(house: Flask, cluster: Postgres) -> None:
    """The fifth trouble of the health check: 503 in words, and not an error page."""
    client = house.test_client()
    secret = {"X-Cron-Secret": house.config["CRON_SECRET"]}
    assert client.get("/api/admin/health", headers=secret).status_code == 200
    signed_in = house.test_client()
    signed_in.set_cookie(house.config["SESSION_COOKIE_NAME"], "somebody")
    cluster.stop()
    assert signed_in.get("/buyer/").status_code == 503
    answer = client.get("/api/admin/health", headers=secret)
    assert (answer.status_code, answer.get_json()["checks"]["database"]["status"]) == (503, "down")
    assert answer.get_json()["checks"]["redis"]["status"] == "ok"
    assert client.get("/healthz").status_code == 503
    assert client.get("/api/admin/metrics", headers=secret).status_code == 200

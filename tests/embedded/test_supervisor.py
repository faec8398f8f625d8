"""One home, one portal; and nothing is left behind when it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.embedded.children import free_port
from portal.embedded.home import ROOT, Home
from portal.embedded.postgres import Postgres

pytestmark = pytest.mark.xdist_group("embedded")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home the database's account can pass into."""
    folder = Path(tempfile.mkdtemp(prefix="emanet-home-"))
    folder.chmod(0o711)
    yield folder / "home"
    shutil.rmtree(folder)


def start(home: Path, **more: str) -> tuple[subprocess.Popen[str], str]:
    """`make run`'s program until it is ready; and what it said."""
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    env |= {"PORTAL_HOME": str(home), "PORT": str(free_port()), "SANDBOX_PORT": str(free_port()), **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.embedded"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    words = ""
    for line in process.stdout:
        words += line
        if "Ctrl-C" in line:
            break
    return process, words


def left_behind(home: Path) -> list[str]:
    """Processes that still have this home in their environment or command."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(home).encode() in words and int(folder.name) != os.getpid():
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_nothing_is_left_and_the_data_are_kept(home: Path, how: signal.Signals) -> None:
    process, words = start(home)
    assert "Ready: http://127.0.0.1:" in words
    assert all(
        f"{who}@demo.tr" in words for who in ("buyer", "seller", "seller2", "packer", "finance", "broker", "admin")
    )
    assert len(left_behind(home)) > 5
    process.send_signal(how)
    process.wait(20)
    deadline = time.monotonic() + 15
    while left_behind(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_behind(home) == []
    assert people(home) == 9  # and two agents who never sign in


def people(home: Path) -> int:
    """How many people the stopped home's database knows."""
    kept = Home(home)
    server = Postgres(
        kept.folder / "postgres", password=kept.secrets()["postgres_password"], log=kept.logs / "again.log"
    )
    server.start()
    server.wait()
    with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT count(*) FROM person").fetchone()
    server.stop()
    assert found
    return int(found[0])


def test_two_portals_never_share_a_home(tmp_path: Path) -> None:
    first = Home(tmp_path / "home")
    first.lock()
    _process, words = start(tmp_path / "home")
    assert "already runs" in words


def test_secrets_are_random_kept_and_readable_only_by_their_owner(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    secrets = home.secrets()
    assert home.secrets() == secrets
    assert Home(tmp_path / "other").secrets() != secrets
    assert (tmp_path / "home/secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root leaves its data with another account")
def test_a_planted_link_in_a_public_folder_is_refused(tmp_path: Path) -> None:
    from portal.embedded.postgres import _must_be_ours

    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    for planted in ("link", "theirs"):
        with pytest.raises(SystemExit, match="not ours"):
            _must_be_ours(tmp_path / planted, {0})
    _must_be_ours(tmp_path / "nothing there", {0})

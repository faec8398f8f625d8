"""One PostgreSQL and one Valkey for a whole test run, in memory where there is any."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import psycopg

from portal.embedded.postgres import Postgres
from portal.embedded.valkey import Valkey

ENOUGH_MEMORY = 2 * 1024**3


class Servers(NamedTuple):
    """Where they answer; `database_url` is an administrator's, for making databases."""

    database_url: str
    redis_url: str


def ensure_servers() -> Servers:
    """Those the environment names, or our own; they die with this process."""
    database_url, redis_url = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    if database_url and redis_url:
        return Servers(database_url, redis_url)
    folder = Path(tempfile.mkdtemp(prefix="emanet-tests-", dir=_fast_place()))
    folder.chmod(0o711)
    postgres = Postgres(folder / "postgres", password="tests", log=folder / "postgres.log", fast=True)  # noqa: S106
    valkey = Valkey(folder / "valkey", password="tests", log=folder / "valkey.log")  # noqa: S106
    postgres.start()
    valkey.start()
    postgres.wait()
    valkey.wait()
    found = Servers(postgres.url(), valkey.url())
    os.environ.update(TEST_DATABASE_URL=found.database_url, TEST_REDIS_URL=found.redis_url, TEST_FOLDER=str(folder))
    return found


def clone_database(admin_url: str, template: str, name: str) -> str:
    """A fresh copy of a template database: some tens of milliseconds."""
    with psycopg.connect(_plain(admin_url), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    return admin_url.rsplit("/", 1)[0] + f"/{name}"


def drop_database(admin_url: str, name: str) -> None:
    """Away with it, whoever is still connected."""
    with psycopg.connect(_plain(admin_url), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _fast_place() -> str | None:
    memory = Path("/dev/shm")  # noqa: S108 (a random folder below it)
    if not memory.is_dir():
        return None
    room = os.statvfs(memory)
    return str(memory) if room.f_bavail * room.f_frsize > ENOUGH_MEMORY else None

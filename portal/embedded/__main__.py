"""`make run`: everything on one machine, from nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from portal.embedded import children
from portal.embedded.home import ROOT, Home
from portal.embedded.postgres import Postgres
from portal.embedded.supervisor import Child, Stopped, Supervisor, environment, stop_on_signals
from portal.embedded.valkey import Valkey
from portal.sandbox import access as sandbox_access

SIGN_INS = (
    ("buyer@demo.tr", "Fatma, alıcı / buyer"),
    ("seller@demo.tr", "Deniz, satıcı / seller"),
    ("seller2@demo.tr", "Ece, satıcı / another seller"),
    ("packer@demo.tr", "Cem, depo / packer"),
    ("finance@demo.tr", "Ayşe, finans / finance"),
    ("broker@demo.tr", "Burak, denetçi / broker"),
    ("admin@demo.tr", "Gül, yönetici / admin"),
)
PASSWORD = "emanet-demo-2026"  # noqa: S105 (the demo has no secrets)


def main() -> None:
    """Start, say when it is ready, keep it alive, stop."""
    began = time.monotonic()
    port, sandbox_port = int(os.environ.get("PORT") or 8000), int(os.environ.get("SANDBOX_PORT") or 8900)
    home = Home()
    home.lock()
    for wanted, name in ((port, "PORT"), (sandbox_port, "SANDBOX_PORT")):
        if children.is_busy(wanted):
            raise SystemExit(f"Port {wanted} is taken. Choose another: {name}=… make run")
    stop_on_signals()
    env = _settings(home, port, sandbox_port)
    supervisor = Supervisor(home, env)
    postgres, valkey = _servers(home, supervisor)
    try:
        supervisor.env.update(_addresses(postgres, valkey))
        for child in (_sandbox(sandbox_port), _web(port)):
            supervisor.start(child)
        _prepare(supervisor.env)
        for child in _behind_the_web():
            supervisor.start(child)
        supervisor.wait_ready()
        _say_ready(port, sandbox_port, time.monotonic() - began)
        supervisor.keep()
    except Stopped:
        print("Stopping …", flush=True)
    finally:
        supervisor.stop()
        for server in (valkey, postgres):
            if server:
                server.stop()
        supervisor.dismiss_warden()


def _settings(home: Home, port: int, sandbox_port: int) -> dict[str, str]:
    secrets = home.secrets()
    ours = {
        "SECRET_KEY": secrets["secret_key"],
        "JWT_SECRET": secrets["jwt_secret"],
        "CRON_SECRET": secrets["cron_secret"],
        "IYZICO_API_KEY": secrets["iyzico_api_key"],
        "IYZICO_SECRET_KEY": secrets["iyzico_secret_key"],
        "IYZICO_BASE_URL": f"http://127.0.0.1:{sandbox_port}",
        "SANDBOX_SMTP_PORT": (smtp_port := str(children.free_port())),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": smtp_port,
        **sandbox_access.environment(f"http://127.0.0.1:{sandbox_port}"),
        "SANDBOX_HANA_PORT": (hana_port := str(children.free_port())),
        **sandbox_access.ledger(int(hana_port)),
        "PORTAL_URL": f"http://127.0.0.1:{port}",
        "SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
        "SANDBOX_WEBHOOK_URL": f"http://127.0.0.1:{port}/api/webhooks/payments/iyzico",
        "SANDBOX_HOME": str(home.folder / "sandbox"),
        "PORTAL_HOME": str(home.folder),
        "LOG_FOLDER": str(home.logs / "modules"),
        "ENABLE_JOBS": "1",
        "DEMO": "1",
        # The sandbox answers in milliseconds: the demo need not wait a quarter of an hour before it asks again.
        "OUTBOX_QUIET_SECONDS": "15",
    }
    return environment({**ours, **{k: v for k, v in os.environ.items() if v}})


def _servers(home: Home, supervisor: Supervisor) -> tuple[Postgres | None, Valkey | None]:
    """Our own, where no other address is given. (An empty address counts as none.)"""
    secrets = home.secrets()
    postgres = valkey = None
    if not os.environ.get("DATABASE_URL"):
        postgres = Postgres(
            home.folder / "postgres", password=secrets["postgres_password"], log=home.logs / "postgres.log"
        )
        postgres.start()
    if not os.environ.get("REDIS_URL"):
        valkey = Valkey(home.folder / "valkey", password=secrets["valkey_password"], log=home.logs / "valkey.log")
        valkey.start()
    for server in (postgres, valkey):
        if server and server.process:
            server.wait()
            supervisor.watch(server.process.pid)
    return postgres, valkey


def _addresses(postgres: Postgres | None, valkey: Valkey | None) -> dict[str, str]:
    found = {}
    if postgres:
        found["DATABASE_URL"] = postgres.url()
    if valkey:
        found["REDIS_URL"] = valkey.url()
    return found


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _granian(app: str, port: int, workers: int, threads: int) -> list[str]:
    return [
        _program("granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(threads), "--backlog", "1024",
        "--no-ws", "--respawn-failed-workers", app,
    ]  # fmt: skip


def _sandbox(port: int) -> Child:
    ping = f"http://127.0.0.1:{port}/_sandbox/ping"
    return Child("sandbox", _granian("portal.sandbox.wsgi:app", port, 1, 24), ping)


def _web(port: int) -> Child:
    """It loads while the database is made ready; nobody is told of it before."""
    return Child("web", _granian("wsgi:app", port, 2, 12), f"http://127.0.0.1:{port}/healthz")


def _behind_the_web() -> list[Child]:
    flask = [_program("flask")]
    return [
        Child("worker", [*flask, "jobs", "work"]),
        Child("scheduler", [*flask, "jobs", "schedule"]),
        Child("sweeper", [*flask, "jobs", "sweep"]),
    ]


def _prepare(env: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603
        [_program("flask"), "prepare"], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"The database could not be prepared:\n{done.stderr[-3000:]}")


def _say_ready(port: int, sandbox_port: int, seconds: float) -> None:
    lines = [f"Ready: http://127.0.0.1:{port}", f"  (after {seconds:.1f} s; password for all: {PASSWORD})"]
    lines += [f"  {email:<18} {who}" for email, who in SIGN_INS]
    lines += [f"  Sandbox: http://127.0.0.1:{sandbox_port}", "  Ctrl-C stops everything."]
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()

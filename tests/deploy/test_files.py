"""The files in `deploy/` are what nginx, systemd and the portal itself accept."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import MISSING, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from portal.embedded.home import ROOT
from portal.settings import Settings, WrongSettings
from portal.settings_erp import ErpSettings

DEPLOY = ROOT / "deploy"
LINE = re.compile(r"(#?)([A-Z][A-Z0-9_]+)=(.*)")


def example() -> dict[str, tuple[bool, str]]:
    """Every setting of the example: whether it is set there, and its value."""
    lines = (DEPLOY / "emanet.env.example").read_text().splitlines()
    return {found[2]: (not found[1], found[3]) for line in lines if (found := LINE.fullmatch(line))}


# What is not said to be of one ERP or another is said to be of the ERP.
OF_ANY_ERP = ("connect_seconds", "patience_seconds", "date_basis")


def settings_and_defaults() -> dict[str, Any]:
    """Every setting by the name it has in the environment, and what it is when nobody says."""
    own = {field.name.upper(): field.default for field in fields(Settings) if field.name != "erp"}
    erp = {(f"erp_{f.name}" if f.name in OF_ANY_ERP else f.name).upper(): f.default for f in fields(ErpSettings)}
    return own | erp


def test_every_setting_is_explained_and_no_other() -> None:
    assert example().keys() == settings_and_defaults().keys()


def test_what_is_commented_out_shows_the_default() -> None:
    shown = {name: value for name, (is_set, value) in example().items() if not is_set}
    for name, default in settings_and_defaults().items():
        if name not in shown:
            continue
        assert default is not MISSING, name
        written = shown[name]
        if isinstance(default, bool):
            assert (written in ("1", "on")) is default, name
        elif isinstance(default, (int, Decimal)):
            assert Decimal(written) == default, name
        elif isinstance(default, tuple):
            assert written == ",".join(default), name
        else:
            assert written.casefold() == str(default).casefold(), name


def test_the_example_starts_once_its_secrets_are_filled_in() -> None:
    filled = {name: value.replace("CHANGE-ME", "x" * 40) for name, (is_set, value) in example().items() if is_set}
    assert Settings.from_env(filled).https
    with pytest.raises(WrongSettings, match="SECRET_KEY"):
        Settings.from_env({name: value for name, (is_set, value) in example().items() if is_set})


def test_each_setting_has_its_words_above_it() -> None:
    previous = ""
    alone = []
    for line in (DEPLOY / "emanet.env.example").read_text().splitlines():
        if (found := LINE.fullmatch(line)) and not (previous.startswith("# ") or LINE.fullmatch(previous)):
            alone.append(found[2])
        previous = line
    assert alone == []


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine: its file was not tried")
def test_nginx_accepts_its_files(tmp_path: Path) -> None:
    conf = nginx_conf(tmp_path)
    done = subprocess.run(
        ["nginx", "-t", "-c", str(conf), "-p", str(tmp_path)], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    (tmp_path / "emanet.conf").write_text("upstream { nonsense")
    assert (
        subprocess.run(
            ["nginx", "-t", "-c", str(conf), "-p", str(tmp_path)], capture_output=True, check=False
        ).returncode
        != 0
    )


def nginx_conf(folder: Path) -> Path:
    """Our own files, with this test's folders and a certificate of its own."""
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=portal.example.com",
           "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]  # fmt: skip
    subprocess.run(key, check=True, capture_output=True)
    site = (DEPLOY / "nginx/emanet.conf").read_text()
    site = site.replace("/etc/emanet/tls/fullchain.pem", str(folder / "cert.pem"))
    site = site.replace("/etc/emanet/tls/privkey.pem", str(folder / "key.pem"))
    site = site.replace("/etc/nginx/emanet-proxy.conf", str(DEPLOY / "nginx/emanet-proxy.conf"))
    site = site.replace("/opt/emanet", str(ROOT))
    (folder / "emanet.conf").write_text(site)
    conf = folder / "nginx.conf"
    conf.write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; include {folder}/emanet.conf; }}\n"
    )
    return conf


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here: the units were not tried")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text().replace("/opt/emanet/.venv/bin", str(Path(shutil.which("true") or "/bin/true").parent))
        text = re.sub(r"ExecStart=(\S+)/(granian|flask)", r"ExecStart=\1/true", text)
        text = text.replace("WorkingDirectory=/opt/emanet", "WorkingDirectory=/").replace(
            "User=emanet\nGroup=emanet\n", ""
        )
        (tmp_path / unit.name).write_text(text)
    units = [str(tmp_path / unit.name.replace("@.", "@1.")) for unit in (DEPLOY / "systemd").iterdir()]
    for unit in (DEPLOY / "systemd").glob("*@.service"):
        (tmp_path / unit.name.replace("@.", "@1.")).symlink_to(tmp_path / unit.name)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *units], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    ours = [line for line in done.stderr.splitlines() if "emanet" in line]
    assert ours == []
    (tmp_path / "emanet-broken.service").write_text("[Service]\nExecStart=nowhere\nNonsense=1\n")
    broken = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "emanet-broken.service")],
        capture_output=True,
        check=False,
        text=True,
    )
    assert "emanet-broken" in broken.stderr


@pytest.mark.parametrize("script", ["backup.sh", "restore.sh", "roll.sh", "bounce.sh"])
def test_the_scripts_can_be_read_and_run(script: str) -> None:
    path = DEPLOY / script
    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0

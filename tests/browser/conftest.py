"""The whole portal as `make run` starts it, and a real Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from portal.embedded.children import free_port
from portal.embedded.home import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PICTURES = Path(os.environ.get("PICTURES") or Path(tempfile.gettempdir()) / "emanet-pictures")


class Running(NamedTuple):
    """Where the portal and the sandbox answer."""

    url: str
    sandbox_url: str


@pytest.fixture(scope="session")
def running(chromium: Browser) -> Iterator[Running]:
    """`make run`'s own program, in a home of its own; only where there is a browser to look at it."""
    assert chromium.is_connected()
    home = tempfile.mkdtemp(prefix="emanet-browser-")
    Path(home).chmod(0o711)
    port, sandbox_port = free_port(), free_port()
    env = {
        **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")},
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
        "PORTAL_HOME": home,
    }
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
        if line.startswith("Ready: "):
            break
    else:
        pytest.fail(f"the portal did not start:\n{words}")
    yield Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}")
    process.terminate()
    process.wait(30)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or a plain word that there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the browser tests were skipped")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


HERE: list[Visitor] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Whoever still looks at a page when a test fails leaves a picture of it, and goes."""
    report = yield
    for number, visitor in enumerate(HERE if call.excinfo else []):
        with suppress(Error):
            visitor.page.screenshot(path=PICTURES / f"failed-{item.name}-{number}.png", full_page=True)
            report.sections.append((f"visitor {number}", visitor.page.url))
            visitor.context.close()  # who looks on would disturb the next test
    if report.when == "teardown":
        HERE.clear()
    return report


class Visitor:
    """Somebody at a screen. Whatever the console complains about fails the test."""

    def __init__(
        self, browser: Browser, portal: Running, *, phone: bool, javascript: bool, scheme: str = "light"
    ) -> None:
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 800}
        self.portal, self.javascript = portal, javascript
        self.context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            java_script_enabled=javascript,
            locale="tr-TR",
            has_touch=phone,
            color_scheme=scheme,  # type: ignore[arg-type]
            base_url=portal.url,
        )
        self.context.set_default_timeout(30_000)
        self.page: Page = self.context.new_page()
        HERE.append(self)
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url')}, on {self.page.url})")

    def sign_in(self, email: str) -> None:
        """Through the form, as a person would."""
        self.page.goto(f"/sign-in?email={email}")
        self.page.click("#sign-in")
        self.page.wait_for_selector("#sign-out")

    def sign_out(self) -> None:
        """Leave the seat to the next one."""
        self.page.click("#sign-out")
        self.page.wait_for_selector("#sign-in")

    def no_barriers(self) -> None:
        """Nothing axe complains about on this page. (axe is a script: only where scripts run.)"""
        if self.javascript:
            verdict = Axe().run(self.page).response
            assert len(verdict["passes"]) > 10  # it did look
            found = [(v["id"], v["nodes"][0]["html"][:160]) for v in verdict["violations"]]
            assert found == [], self.page.url

    def picture(self, name: str) -> None:
        """For people to look at; and nothing may push the page sideways."""
        # Asked of the body: on the way from one page to the next there is a moment without any.
        width = self.page.locator("body").evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1], f"{name} is {width[0]} px wide on a screen of {width[1]}"
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def close(self) -> None:
        """Leave; nothing may have been complained about."""
        self.context.close()
        assert self.complaints == []

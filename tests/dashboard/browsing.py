"""A real browser, without a screen: Debian's Chromium, driven by selenium."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--no-first-run",
]
_PATIENCE = 20.0
_MAKE_A_MAP = """
    const [rows, key] = arguments;
    return [...document.querySelectorAll(rows)].map((row) =>
        [...row.querySelectorAll(key)].map((cell) => cell.textContent));
"""


def need(name: str) -> str:
    """Find a program, or say how it is installed: these tests are never left out."""
    found = shutil.which(name)
    if found is None:
        raise AssertionError(
            f"the tests of the page need {name}, which is not installed: "
            "apt-get install --yes chromium chromium-driver"
        )
    return found


class Browser:
    """A browser with one page.

    Attributes:
        driver: what drives it.
    """

    def __init__(self, folder: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = need("chromium")
        for flag in (*_FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        wanted = {"browser": "ALL", "performance": "ALL"}
        options.set_capability("goog:loggingPrefs", wanted)
        service = Service(need("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.resize(1280, 800)

    def resize(self, width: int, height: int) -> None:
        """Have the page be of some size, in pixels; a narrow one is a telephone's."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def turn(self, scheme: str) -> None:
        """Have the system be dark, or light."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, address: str) -> None:
        """Open a page anew, and wait until it has something to show."""
        self.driver.get("about:blank")
        self.driver.get(address)
        self.until(lambda: self.text("#link") == "live" and self.count("#nav a") > 0)

    def go(self, place: str) -> None:
        """Go to another panel of the page."""
        self.driver.execute_script("location.hash = arguments[0]", place)

    def ask(self, script: str, *given: Any) -> Any:
        """Ask a script of the page for something."""
        return self.driver.execute_script(script, *given)

    def text(self, selector: str) -> str | None:
        """Return the text of the first of some elements; None if there is none."""
        script = "return document.querySelector(arguments[0])?.textContent ?? null"
        found: str | None = self.ask(script, selector)
        return found

    def count(self, selector: str) -> int:
        """Return how many there are that are seen."""
        script = """return [...document.querySelectorAll(arguments[0])]
            .filter((node) => node.checkVisibility()).length"""
        return int(self.ask(script, selector))

    def table(self, rows: str, cells: str = "th, td") -> list[list[str]]:
        """Return the texts of the cells of some rows."""
        found: list[list[str]] = self.ask(_MAKE_A_MAP, rows, cells)
        return found

    def click(self, selector: str) -> None:
        """Click the first of some elements."""
        self.ask("document.querySelector(arguments[0]).click()", selector)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds, and return it."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            found = holds()
            if found:
                return found
            time.sleep(0.02)
        what = self.ask("return document.body.innerText")
        raise AssertionError(f"it never came to hold on {self.driver.current_url}:\n{what}")

    def complaints(self) -> list[str]:
        """Return what the console says since the last time: errors, and what the policy forbids."""
        told = self._log("browser")
        return [entry["message"] for entry in told if entry["level"] not in ("DEBUG", "INFO")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last time."""
        told = (json.loads(each["message"]) for each in self._log("performance"))
        return [
            each["message"]["params"]["request"]["url"]
            for each in told
            if each["message"]["method"] == "Network.requestWillBeSent"
        ]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        driver: Any = self.driver
        told: list[dict[str, Any]] = driver.get_log(kind)
        return told

    def close(self) -> None:
        """End it."""
        self.driver.quit()


@contextmanager
def browsing() -> Generator[Browser]:
    """Start a browser, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(Path(folder))
        try:
            yield browser
        finally:
            browser.close()

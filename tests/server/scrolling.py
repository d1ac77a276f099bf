"""How a long list scrolls: `python -m tests.server.scrolling` says it of a thousand runs."""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from tests.dashboard.browsing import Browser, browsing
from tests.server.recording import made_up
from tests.server.serving import served

SCROLL = """
    const done = arguments[0];
    const rows = document.querySelector('.rows');
    const [times, step] = [[], 435];
    let [most, missing] = [0, 0];
    let before = performance.now();
    const turn = () => {
        const now = performance.now();
        times.push(now - before);
        before = now;
        most = Math.max(most, document.querySelectorAll('#runs tr').length);
        missing += document.querySelectorAll('#runs tr.missing').length;
        if (rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 1) done([times, most, missing]);
        else { rows.scrollTop += step; requestAnimationFrame(turn); }
    };
    requestAnimationFrame(turn);
"""


class Scrolled(NamedTuple):
    """What was seen.

    Attributes:
        first: the run on top,
        last: and the last one.
        most_rows: how many rows were there at once.
        missing: how many were seen before they had come.
        median: of the milliseconds between two frames,
        slow: and what one in a hundred was longer than.
    """

    first: str
    last: str
    most_rows: int
    missing: int
    median: float
    slow: float


def scroll(browser: Browser) -> Scrolled:
    """Scroll through a list that is open, fifteen rows a frame."""
    browser.until(lambda: browser.count("#runs a.row") > 10)
    # All of a list of this length come by themselves, some moments later.
    total = int((browser.text("#total") or "0").split()[0].replace("\N{THIN SPACE}", ""))
    asked: set[str] = set()

    def has_come() -> bool:
        asked.update(
            each.rpartition("offset=")[2] for each in browser.requests() if "offset=" in each
        )
        return len(asked) >= -(-total // 100) and browser.text("#link") == "live"

    browser.until(has_come)
    first = browser.text("#runs tr a.row") or ""
    times, most, missing = browser.driver.execute_async_script(SCROLL)
    browser.until(lambda: browser.ask("return document.querySelectorAll('#runs a.row').length"))
    last = browser.ask("return [...document.querySelectorAll('#runs a.row')].at(-1).textContent")
    return Scrolled(first, last, most, missing, median(times), quantiles(times, n=100)[-1])


def main(count: int = 1_000) -> None:
    """Measure it."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), rate=1e6) as server:
        with server.client() as client:
            made_up(client, count, "many")
        with browsing() as browser:
            began = time.perf_counter()
            browser.driver.get(f"{server.address}/#token={server.token}")
            browser.until(lambda: browser.count("#runs a.row") > 10)
            seconds = time.perf_counter() - began
            found = scroll(browser)
    print(f"{count} runs: the first are there after {seconds * 1e3:.0f} ms")
    print(
        f"scrolled fifteen rows a frame: {found.median:.1f} ms between frames, p99 {found.slow:.1f} ms"
    )
    print(f"{found.most_rows} rows at once, {found.missing} seen before they had come")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""The pictures of the dashboard that the docs show: `python -m tests.dashboard.screenshots`.

They are of the sample, at a time that never was, so that the same page gives the same pictures.
"""

import io
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from PIL import Image

from tests.dashboard.browsing import Browser, browsing
from tests.dashboard.sample import Demo, told
from tests.dashboard.serving import Served, served

FOLDER = Path(__file__).parents[2] / "docs" / "dashboard"
START = 1_795_255_200.0  # 10:00 on a day of 2026, in UTC
SECONDS = 296.0
WATCHED = 60
"""So many seconds, in as many patches, are seen by a page that is open meanwhile."""
CLOCK = f"""
    const now = {(START + SECONDS) * 1e3:.0f};
    window.Date = class extends Date {{
        constructor(...given) {{ super(...(given.length ? given : [now])); }}
        static now() {{ return now; }}
    }};
"""

FRAMES = """
    const [done] = arguments;
    let left = 20;
    const step = () => (left-- ? requestAnimationFrame(step) : done());
    step();
"""


class Picture(NamedTuple):
    """One of them: where, in which size and how."""

    name: str
    place: str
    scheme: str = "dark"
    width: int = 1280
    height: int = 800


PICTURES = [
    Picture("overview", "", height=760),
    Picture("overview-light", "", "light", height=760),
    Picture("experiment", "experiment/answer?all=1", height=1180),
    Picture("calls", "calls?q=experiment:answer", "light", height=560),
    Picture("call", "call/CALL", height=430),
    Picture("actors", "actors", "light", height=760),
    Picture("tail", "tail?level=info", height=560),
    Picture("runs", "runs", "light", height=340),
    Picture("telephone", "", width=390, height=844),
    Picture("telephone-experiment", "experiment/answer", "light", width=390, height=844),
    Picture("telephone-call", "call/CALL", width=390, height=844),
]


def main(folder: Path = FOLDER) -> None:
    """Take them all."""
    folder.mkdir(exist_ok=True)
    demo = Demo(START)
    with served(told(demo.until(START + SECONDS - WATCHED))) as it, browsing() as browser:
        browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CLOCK})
        browser.open(it.address)
        for second in range(WATCHED):
            it.take(told(demo.until(START + SECONDS - WATCHED + second + 1)))
            expected = str(it.document()["overview"]["calls"])
            browser.until(partial(_has_heard_of, browser, expected))
        for picture in PICTURES:
            path = folder / f"{picture.name}.png"
            path.write_bytes(small(_take(browser, it, picture)))
            print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def _has_heard_of(browser: Browser, calls: str) -> bool:
    """Whether the page has heard of so many calls from outside."""
    note = (browser.text(".tile[data-tile=calls] .note") or "").partition("+")[0]
    return "".join(each for each in note if each.isascii() and each.isdigit()) == calls


def _take(browser: Browser, it: Served, picture: Picture) -> bytes:
    browser.resize(picture.width, picture.height)
    browser.turn(picture.scheme)
    browser.go(f"#/{picture.place.replace('CALL', quote(_most_telling(it)))}")
    selector = ".waterfall li" if "CALL" in picture.place else "#panel tr, #panel li"
    browser.until(lambda: browser.count(selector) > 1)
    browser.driver.execute_async_script(FRAMES)
    return browser.driver.get_screenshot_as_png()


def _most_telling(it: Served) -> str:
    """Return the call in which most kinds of things happened, others inside it among them."""
    ended: dict[str, int] = {}
    for each in it.document()["calls"]:
        call = it.page._board.call(each["call_id"])
        statuses = {branch["status"] for branch in call["branches"]}
        if call["inner"] and "running" not in statuses:
            ended[each["call_id"]] = len(statuses)
    return max(ended, key=lambda call_id: ended[call_id])


def small(picture: bytes) -> bytes:
    """Return a picture in fewer colours, and fewer bytes."""
    with Image.open(io.BytesIO(picture)) as whole:
        fewer = whole.convert("RGB").quantize(
            200, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    written = io.BytesIO()
    fewer.save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

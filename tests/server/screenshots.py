"""The pictures of the server's page that the docs show: `python -m tests.server.screenshots`."""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.dashboard.browsing import Browser, browsing
from tests.dashboard.screenshots import FRAMES, small
from tests.server.recording import begin, send, train
from tests.server.serving import Served, served
from understudy.runs import Run

FOLDER = Path(__file__).parents[2] / "docs" / "server"


class Picture(NamedTuple):
    """One of them: where, what has to be there, in which size and how."""

    name: str
    place: str
    awaited: str
    scheme: str = "dark"
    width: int = 1280
    height: int = 800


PICTURES = [
    Picture("runs", "runs/vision?pick=RUN0&pick=RUN3&pick=RUN6", "#runs tr", height=620),
    Picture("filter", f"runs/vision?filter={quote('metrics.train.loss < 0.1 and and')}", "#problem", "light", height=330),
    Picture("compare", "compare/vision?run=RUN0&run=RUN3&run=RUN6&smooth=0.6", ".curve", height=760),
    Picture("compare-light", "compare/vision?run=RUN0&run=RUN3&run=RUN6&log=1", ".curve", "light", height=760),
    Picture("run", "run/vision/RUN2", ".curve", height=700),
    Picture("log", "run/vision/RUN2?tab=log", ".log li", "light", height=560),
    Picture("files", "run/vision/RUN2?tab=files", ".files tbody tr", height=420),
    Picture("empty", "runs/new-project", ".empty", "light", height=640),
    Picture("telephone", "runs/vision", "#runs tr", width=390, height=844),
    Picture("telephone-run", "run/vision/RUN3", ".curve", "light", width=390, height=844),
    Picture("telephone-compare", "compare/vision?run=RUN0&run=RUN3&run=RUN6&smooth=0.6", ".curve", width=390, height=844),
]  # fmt: skip


def main(folder: Path = FOLDER) -> None:
    """Take them all."""
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as root,
        served(Path(root) / "data", rate=1e6) as server,
        browsing() as browser,
    ):
        runs = _record(Path(root), server)
        browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})
        browser.driver.get(f"{server.address}/#token={server.token}")
        browser.until(lambda: browser.text("#link") == "live")
        for picture in PICTURES:
            path = folder / f"{picture.name}.png"
            path.write_bytes(small(_take(browser, picture, runs)))
            print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def _record(root: Path, server: Served) -> list[Run]:
    """Make the runs of a team: some trainings, of which one fails, and one goes on."""
    runs: list[Run] = []
    for number in range(14):
        lr = [0.003, 0.01, 0.3, 0.03, 0.02][number % 5]
        kind = ["resnet", "vit", "mlp"][number % 3]
        run = begin(
            root,
            f"{kind}-{number:02d}",
            tags=[["baseline"], ["ablation", "night"], []][number % 3],
            description="The learning rate is too large." if number == 2 else None,
            capture=["environment"],
        )
        run.params.set(lr=lr, model={"name": kind, "size": 128 << number % 3}, seed=number)
        run.log("Training started", device="gpu-1")
        train(run, lr / 2, steps=300, seed=number)
        for epoch in range(0, 30, 3):
            run.log(f"epoch {epoch} ended", epoch=epoch, loss=round(2 / (1 + epoch), 3))
        run.log("the gradient is clipped", level="warning", norm=17.4)
        run.files("models").save(b"weights" * (1_000 + 317 * number), to="model.pth")
        run.files("plots").save(b"<svg></svg>", to="loss.svg")
        if number == 2:
            run.log("loss is nan", level="error", step=300)
            _fail(run)
        elif number == 4:
            run.cancel()
        elif number < 12:
            run.complete()
        runs.append(run)
    with server.client() as client:
        for run in runs:
            send(client, run)
    for run in runs[12:]:
        run.complete()
    return runs


def _fail(run: Run) -> None:
    program = "def check(loss):\n    if loss != loss:\n        raise FloatingPointError('loss is nan')\n\n\ncheck(float('nan'))"
    try:
        exec(compile(program, "train.py", "exec"), {})
    except FloatingPointError as error:
        assert error.__traceback__ is not None
        run.fail(error.with_traceback(error.__traceback__.tb_next))


def _take(browser: Browser, picture: Picture, runs: list[Run]) -> bytes:
    place = picture.place
    for number in reversed(range(len(runs))):
        place = place.replace(f"RUN{number}", runs[number].id)
    browser.resize(picture.width, picture.height)
    browser.turn(picture.scheme)
    browser.go(f"#/{place}")
    browser.until(lambda: browser.count(picture.awaited) > 0)
    if picture.awaited == ".curve":
        browser.until(lambda: browser.count(".curve .u-over") > 1)
    browser.driver.execute_async_script(FRAMES)
    return browser.driver.get_screenshot_as_png()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

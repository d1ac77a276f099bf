"""Writers that are ended at random moments: whatever was acknowledged is on disk, once.

    python -m tests.runs.kills --times 100 --seed 1      `make kills` calls this

A writer logs points to several metrics, messages and parameters, and tells through a pipe what was
acknowledged: that the call came back, and nothing was counted as a problem. It is ended by SIGKILL
or SIGTERM, its files may grow only so far (RLIMIT_FSIZE), or its disk is full: `/dev/full`, or a
small tmpfs where one can be mounted. Then the run is read, and compared.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Literal

from understudy.runs import RunFolder

from .programs import begin

Trouble = Literal["kill", "term", "fork", "limit", "full", "tmpfs"]

WRITER = """
    import logging, random, resource, signal
    logging.disable()
    who, trouble, seed = (os.environ[name] for name in ('WHO', 'TROUBLE', 'SEED'))
    chance = random.Random(seed + who)
    if trouble == 'limit':
        resource.setrlimit(resource.RLIMIT_FSIZE, (chance.randrange(3_000, 60_000),) * 2)
    run = Run(prefix='r', root=os.environ['ROOT'], capture=False).start()
    os.write(1, b'ready\\n')
    if trouble == 'fork' and not os.fork():
        who += '-child'
    for step in range(int(os.environ['STEPS'])):
        before = dict(run.problems)
        filling = 'x' * chance.choice((0, 1, 50, 5000))
        name = f'm{chance.randrange(3)}'
        run.metrics(name).log(step=step, who=who, filling=filling)
        if dict(run.problems) == before:
            os.write(1, f'{name} {who} {step}\\n'.encode())
        if step % 20 == 0:
            before = dict(run.problems)
            run.log('message', step=step, who=who)
            if dict(run.problems) == before:
                os.write(1, f'log {who} {step}\\n'.encode())
    os._exit(0)
"""


class Outcome(Counter[str]):
    """How many were acknowledged, and lost, and there twice."""

    @property
    def is_right(self) -> bool:
        """Whether nothing is lost, and nothing twice."""
        return not self["lost"] and not self["twice"]


def play(trouble: Trouble, writers: int, chance: random.Random, root: Path) -> Outcome:
    """Let writers write, end them at some moment, and compare what is there."""
    endless = trouble in ("kill", "term", "fork")
    if trouble == "full":
        for name in ("m0", "m1"):
            folder = root / "project/r/metrics" / name
            folder.mkdir(parents=True)
            (folder / "data.jsonl").symlink_to("/dev/full")
    environment = {
        "ROOT": str(root),
        "TROUBLE": trouble,
        "SEED": str(chance.random()),
        "STEPS": "1000000" if endless else "400",
    }
    processes = [
        begin(WRITER, cwd=root, environment={**environment, "WHO": f"w{n}"}) for n in range(writers)
    ]
    acknowledged: set[str] = set()
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", _rest(process)
    for process in processes:
        if endless:
            acknowledged.update(_some_lines(process, chance.randrange(1, 400)))
            _end_group(process, signal.SIGTERM if trouble == "term" else signal.SIGKILL)
        out, errors = _rest(process)
        assert endless or process.returncode == 0, errors
        acknowledged.update(line for line in out.splitlines(keepends=True) if line.endswith("\n"))
    return compared(root / "project/r", {line.strip() for line in acknowledged})


def compared(path: Path, acknowledged: set[str]) -> Outcome:
    """Compare what was acknowledged with what is read."""
    folder = RunFolder(path)
    there = Counter(
        f"{name} {point['who']} {point['step']}"
        for name in folder.metric_names
        if (path / "metrics" / name / "data.jsonl").is_file()
        for point in folder.metrics(name)
    )
    there.update(f"log {line['who']} {line['step']}" for line in folder.log.read())
    return Outcome(
        acknowledged=len(acknowledged),
        lost=sum(each not in there for each in acknowledged),
        twice=sum(count > 1 for count in there.values()),
    )


def _some_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def _rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what else it told; `communicate` would forget what was read and not handed out."""
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        return process.stdout.read(), process.stderr.read()


def _end_group(process: subprocess.Popen[str], sign: int) -> None:
    """End a process, and the child that it may have."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        subprocess.run(["kill", f"-{sign}", child], check=False)
    process.send_signal(sign)


def main() -> int:
    """Return 0 if nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="how often each")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    troubles: list[Trouble] = ["kill", "term", "fork", "limit", "full"]
    chance = random.Random(given.seed)
    wrong = 0
    with tempfile.TemporaryDirectory() as probe:
        if _mount(probe):
            subprocess.run(["umount", probe], check=True)
            troubles.append("tmpfs")
    for trouble in troubles:
        for writers in (1, 4):
            told: Outcome = Outcome()
            for _ in range(given.times):
                with tempfile.TemporaryDirectory() as folder:
                    is_mounted = trouble == "tmpfs" and _mount(folder)
                    outcome = play(trouble, writers, chance, Path(folder))
                    if is_mounted:
                        subprocess.run(["umount", "--lazy", folder], check=True)
                wrong += not outcome.is_right
                told.update(outcome)
            print(f"{trouble:6} {writers} writers, {given.times} times: {dict(told)}", flush=True)
    return 1 if wrong else 0


def _mount(folder: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", folder]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())

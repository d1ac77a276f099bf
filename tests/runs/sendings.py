"""Senders that are killed at random moments: what was acknowledged is at the server, once.

    python -m tests.runs.sendings --times 100 --seed 1      `make kills` calls this

A writer logs points and saves files, and tells what was acknowledged, while a thread of it sends
them to a server that has bad moments, and may lose its last seconds. It is killed, maybe begun
again, and `understudy sync` sends what is left. Then what the server has is compared.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from .kills import Outcome
from .programs import begin, finish
from .servers import TOKEN, Mood, Server, compare

MOODS: tuple[Mood, ...] = ("503", "429", "500", "close", "midway", "rubbish", "gap", "html")

WRITER = """
    import logging, random
    logging.disable()
    from understudy.runs import _sender
    _sender._EVERY = _sender._FIRST_WAIT = 0.003
    chance = random.Random(os.environ['SEED'])
    who = os.environ['WHO']
    run = Run(prefix='r', root=os.environ['ROOT'], remote=os.environ['REMOTE'], capture=False)
    run.start()
    os.write(1, b'ready\\n')
    for step in range(1_000_000):
        name = f'm{chance.randrange(3)}'
        run.metrics(name).log(step=step, who=who, filling='x' * chance.choice((0, 1, 50, 5000)))
        os.write(1, f'{name} {who} {step}\\n'.encode())
        if step % 50 == 0:
            run.params.set(step=step)
            run.files('f').save(b'x' * chance.randrange(100_000), to='x')
            time.sleep(0.01)
"""

SYNC = """
    from understudy.cli import main
    sys.exit(main(['sync', os.environ['ROOT']]))
"""


def play(chance: random.Random, root: Path) -> Outcome:
    """Record, kill, begin again, send what is left, and compare."""
    acknowledged: list[str] = []
    with Server() as server:
        server.retry_after = "0.01"
        environment = {
            "ROOT": str(root),
            "REMOTE": server.address,
            "UNDERSTUDY_REMOTE": server.address,
            "UNDERSTUDY_TOKEN": TOKEN,
        }
        for attempt in range(chance.choice((1, 2))):
            server.moods.extend(chance.choice((*MOODS, "well", "well")) for _ in range(20))
            more = {"SEED": str(chance.random()), "WHO": str(attempt)}
            process = begin(WRITER, cwd=root, environment={**environment, **more})
            acknowledged += _killed(process, chance, server)
        server.moods.clear()
        # several at once are harmless
        senders = [begin(SYNC, cwd=root, environment=environment) for _ in range(2)]
        for sender in senders:
            finish(sender)
        kept = server.kept
    compare(root / "project/r", kept)
    there = Counter(
        f"{path.split('/')[1]} {line['who']} {line['step']}\n"
        for path, data in kept.lines.items()
        if path.startswith("metrics/")
        for line in map(json.loads, data.split(b"\n")[:-1])
    )
    return Outcome(
        acknowledged=len(acknowledged),
        lost=sum(each not in there for each in acknowledged),
        twice=sum(count > 1 for count in there.values()),
    )


def _killed(process: subprocess.Popen[str], chance: random.Random, server: Server) -> list[str]:
    """Kill a writer after some lines, and return what it told; the server may lose some before."""
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        lines = [process.stdout.readline() for _ in range(chance.randrange(1, 500))]
        backup = server.backup()
        lines += [process.stdout.readline() for _ in range(chance.randrange(1, 500))]
        if chance.random() < 0.5:
            server.restore(backup)
            lines += [process.stdout.readline() for _ in range(chance.randrange(1, 100))]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    return [line for line in lines if line.endswith("\n")]


def main() -> int:
    """Return 0 if nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="how often")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    wrong = 0
    told: Outcome = Outcome()
    for _ in range(given.times):
        with tempfile.TemporaryDirectory() as folder:
            outcome = play(chance, Path(folder))
        wrong += not outcome.is_right
        told.update(outcome)
    print(f"sent   1 writer, {given.times} times: {dict(told)}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

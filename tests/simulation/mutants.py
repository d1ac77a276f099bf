"""`python -m tests.simulation.mutants`: put classic bugs back, one at a time; each must be caught.

The mutant is a copy of the package with one change. First the simulation plays it, until a seed
fails; if none does, the tests of the actors and the runtime are run. A mutant that survives both
is a hole in the tests.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent


class Mutant(NamedTuple):
    """One bug: in a file, a text that is right, and one that is wrong."""

    name: str
    file: str
    right: str
    wrong: str


MUTANTS = [
    Mutant(
        "a permit is lost when its new holder is cancelled at the hand-over",
        "actors/_case_actor.py",
        "                    finally:\n                        branch.holds_permit = step_out",
        "                    except BaseException:\n                        step_out(branch, turn)\n"
        "                        raise\n                    else:\n"
        "                        branch.holds_permit = step_out",
    ),
    Mutant(
        "a new call overtakes those who wait",
        "actors/_mailbox.py",
        "        if not (self.waiting and self.is_open and self._admit_first()):\n",
        "        self._admit_first()\n        if True:\n",
    ),
    Mutant(
        "a cancelled call keeps its permit",
        "actors/_case_actor.py",
        "        if branch.holds_permit and not branch.threads:\n",
        "        if branch.holds_permit and not isinstance(error, asyncio.CancelledError):\n",
    ),
    Mutant(
        "a task that is cancelled before its first step keeps its permit",
        "actors/_message.py",
        "            branch.task.add_done_callback(self._never_begin)\n",
        "            pass\n",
    ),
    Mutant(
        "one who left is counted again when the mailbox is cleared",
        "actors/_mailbox.py",
        "        self.waiting -= len(sent_away)\n",
        "        self.waiting -= len(queue or ())\n",
    ),
    Mutant(
        "nobody looks for deadlocks",
        "actors/_permit.py",
        "cycle = find_cycle(actor.stage, actor, branch.parent)",
        "cycle = None",
    ),
    Mutant(
        "the search for deadlocks does not see who waits for all branches",
        "actors/_deadlock.py",
        "        if node in self._stage.gathering:\n",
        "        if False:\n",
    ),
    Mutant(
        "the search for deadlocks takes a re-entered call for the holder of a permit",
        "actors/_deadlock.py",
        "{branch for branch in actor.active if branch.holds_permit}",
        "set(actor.active)",
    ),
    Mutant(
        "a deadline is not disarmed",
        "actors/_case_actor.py",
        "        if branch.timer is not None:\n            branch.timer.cancel()\n"
        "            branch.timer = None\n",
        "",
    ),
    Mutant(
        "a cancelled call leaves its branches behind",
        "actors/_cast.py",
        '        self._left = len(self.awaited())\n        self._cancel("caller", ("branch",))\n',
        "        return False\n",
    ),
    Mutant(
        "a message that is gone is played all the same",
        "actors/_message.py",
        "        if self.is_gone:\n            return False\n        self.branch.holds_permit",
        "        self.branch.holds_permit",
    ),
    Mutant(
        "a re-entered call gives back a permit that it never had",
        "actors/_permit.py",
        "        if ancestor.part.actor is actor and not ancestor.is_over:\n            return False",
        "        if ancestor.part.actor is actor and not ancestor.is_over:\n"
        "            branch.holds_permit = True\n            return False",
    ),
    Mutant(
        "a cancellation of ours stays with the caller's task",
        "actors/_outcome.py",
        "            branch.task.uncancel()",
        "            pass",
    ),
    Mutant(
        "a deadline swallows the cancellation by somebody else",
        "actors/_outcome.py",
        "    if left > branch.cancelling:",
        "    if False:",
    ),
    Mutant(
        "the shadows enter a mailbox before the primary that waits in it",
        "actors/_permit.py",
        "    actor.mailbox.wait(Parked(turn))\n    stage.parked[turn] = actor\n"
        "    if beside is not None:\n        beside.start()\n",
        "    if beside is not None:\n        beside.start()\n"
        "    actor.mailbox.wait(Parked(turn))\n    stage.parked[turn] = actor\n",
    ),
    Mutant(
        "shadows in flight are counted up only",
        "actors/_message.py",
        "            actor.shadows -= 1\n",
        "",
    ),
    Mutant(
        "a branch that lapses in the mailbox stays counted there",
        "actors/_message.py",
        '            self.end("timeout", error.reason or "deadline", error)\n'
        "            self.actor.mailbox.leave()\n",
        '            self.end("timeout", error.reason or "deadline", error)\n',
    ),
    Mutant(
        "a drain does not wait",
        "runtime/_drain.py",
        "    while any(_in_flight(actor, spared) for actor in _actors(stage)):",
        "    while False:",
    ),
    Mutant(
        "a closed mailbox admits",
        "actors/_mailbox.py",
        "self.waiting and self.is_open and self._admit_first()",
        "self.waiting and self._admit_first()",
    ),
    Mutant(
        "a call inherits the deadline of a branch that is over",
        "actors/_deadline.py",
        "if theirs and not parent.is_over and",
        "if theirs and",
    ),
    Mutant(
        "a call re-enters under the permit of a branch that is over",
        "actors/_permit.py",
        "        if ancestor.part.actor is actor and not ancestor.is_over:",
        "        if ancestor.part.actor is actor:",
    ),
    Mutant(
        "the limit of shadows is not kept",
        "actors/_case_actor.py",
        "if cast.limit is not None and self.shadows >= cast.limit:",
        "if False:",
    ),
    Mutant(
        "shadows wait without a bound",
        "actors/_case_actor.py",
        'return "mailbox_full" if is_busy and self.mailbox.is_full else None',
        "return None",
    ),
    Mutant(
        "shadows start inside shadows",
        "actors/_experiment_supervisor.py",
        "is_shadowed = caller.is_shadowed",
        "is_shadowed = False",
    ),
    Mutant(
        "a choice does not join the case",
        "actors/_experiment_supervisor.py",
        "                root.grown_case = casting.grown\n",
        "                pass\n",
    ),
    Mutant(
        "a casting is taken for that of another case",
        "actors/_lineup.py",
        "        place = (id(plan), id(outer), is_shadowed)\n",
        "        place = (id(plan), 0, is_shadowed)\n",
    ),
    Mutant(
        "a result that somebody waits for is not made",
        "actors/_message.py",
        "if (cast is not None and cast.waits_for_all) or is_observed:",
        "if is_observed:",
    ),
    Mutant(
        "a permit is not given back when its branch has ended in a task of its own",
        "actors/_message.py",
        "        if branch.holds_permit and not branch.threads:\n",
        "        if False:\n",
    ),
    Mutant(
        "a branch runs in the context of its caller",
        "actors/_case_actor.py",
        "                awaited = context.run(coroutine.send, None)\n",
        "                _enter(branch)\n                awaited = coroutine.send(None)\n",
    ),
    Mutant(
        "a strategy that crashed goes on choosing",
        "actors/_strategy_actor.py",
        "            self._crash(error)\n",
        "            pass\n",
    ),
    Mutant(
        "a try of a half-open circuit that ends otherwise blocks it for ever",
        "actors/_circuit.py",
        '        """Count one that tells nothing: it was cancelled, or never played."""\n'
        "        if turn == self.turn:\n            self._is_trying = False\n",
        '        """Count one that tells nothing: it was cancelled, or never played."""\n',
    ),
    Mutant(
        "an asker who goes away leaves the message behind",
        "actors/_actor.py",
        "                envelope.withdraw()\n",
        "                pass\n",
    ),
    Mutant(
        "a stopped actor does not answer those who wait",
        "actors/_actor.py",
        "            self.mailbox.close()\n            self._send_away()\n            await",
        "            self.mailbox.close()\n            await",
    ),
]


def plant(mutant: Mutant | None, folder: Path) -> None:
    """Write the package into a folder, as it is installed, with a bug in it."""
    parts = {"runtime": "understudy"} | {
        part: f"understudy/{part}" for part in ("actors", "configs", "strategies")
    }
    for source, target in parts.items():
        shutil.copytree(ROOT / source, folder / target, dirs_exist_ok=True)
    if mutant is None:
        return
    part, name = mutant.file.split("/")
    path = folder / parts[part] / name
    text = path.read_text()
    assert text.count(mutant.right) == 1, f"{mutant.file} has changed: {mutant.name}"
    path.write_text(text.replace(mutant.right, mutant.wrong))


def catch(mutant: Mutant, seeds: int) -> str | None:
    """Return what caught a mutant; None if nothing did."""
    with tempfile.TemporaryDirectory() as folder:
        plant(mutant, Path(folder))
        simulation = ["tests.simulation", "--seeds", str(seeds), "--until-failure"]
        found = _run(["-m", *simulation], folder, 120)
        if found is not None:
            failed = [line for line in found.splitlines() if line.startswith("seed")]
            if found and not failed:
                raise RuntimeError(f"{mutant.name}: the simulation does not even start")
            return failed[0] if failed else "a hang"
        tests = ["pytest", "-x", "-q", "--timeout=20", "tests/actors", "tests/runtime"]
        found = _run(["-m", *tests, "-p", "no:cacheprovider"], folder, 300)
        if found is None:
            return None
        ends = ("FAILED tests", "ERROR tests")  # in a test, or in the fixture around it
        failed = [line for line in found.splitlines() if line.startswith(ends) and "::" in line]
        if found and not failed:
            raise RuntimeError(f"{mutant.name}: the tests do not even start\n{found}")
        return failed[0].split(" - ")[0] if failed else "a hang"


def _run(command: list[str], folder: str, timeout: float) -> str | None:
    """Return what a command printed if it failed or hung."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": folder},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            told, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # those that it started hang, too
            return ""
    return told if process.returncode else None


def main() -> int:
    """Try all, or those whose name has a word in it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.mutants", description="put classic bugs back"
    )
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("word", nargs="?", default="")
    given = parser.parse_args()
    survivors = 0
    for mutant in MUTANTS:
        if given.word in mutant.name:
            caught = catch(mutant, given.seeds)
            survivors += caught is None
            print(f"{mutant.name:78s} {caught or 'SURVIVES'}", flush=True)
    print(f"{survivors} survive")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

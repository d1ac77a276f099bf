"""What an import costs, over starting the interpreter: the price of `from understudy import ...`.

Each statement runs in an interpreter of its own; what is told is the CPU time of that process. The
import hook of an editable install runs in the bare interpreter too, and imports modules that the
package would import: measure a package that is installed as its users install it.
"""

import resource
import subprocess
import sys
from collections.abc import Callable, Iterator

from benchmarks._command import main
from benchmarks._harness import Case, Goal, Table
from benchmarks._peers import OMEGACONF, PYDANTIC, SPEARMINT

_BARE = "the bare interpreter"
_GOAL = Goal(extra=60e-3)


def spent_by_children() -> int:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((used.ru_utime + used.ru_stime) * 1e9)


def _in_new_process(statement: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", statement], check=True)


def _works(statement: str) -> bool:
    """Tell whether a peer can be imported, and leave its compiled modules where they are kept."""
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, check=False)
    return done.returncode == 0


def tables() -> Iterator[Table]:
    """Yield the table of this benchmark."""
    own = ("import understudy", "from understudy import Config")
    peers = ("import pydantic", "import omegaconf", "import spearmint")
    cases = [Case(_BARE, _in_new_process("pass"))]
    for statement in own:
        cases.append(Case(statement, _in_new_process(statement), 1, _BARE, _GOAL))
    for statement in filter(_works, peers):
        cases.append(Case(statement, _in_new_process(statement), 1, _BARE))
    yield Table("one import, per process", cases, clock=spent_by_children)


if __name__ == "__main__":
    main(tables, peers=(SPEARMINT, PYDANTIC, OMEGACONF))

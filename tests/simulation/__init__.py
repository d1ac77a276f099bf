"""Virtual time, and the deterministic simulation: the same seed is the same run, to the step."""

from ._loop import SimulatedLoop as SimulatedLoop
from ._loop import run_virtual as run_virtual

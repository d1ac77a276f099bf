"""Where the values of a config were written, for error messages."""

from collections.abc import Mapping
from typing import NamedTuple

from ._keypath import KeyPath


class Layer(NamedTuple):
    """What one file, or one Python object, wrote into a config: paths and their lines."""

    name: str
    lines: Mapping[KeyPath, int]


class Origin(NamedTuple):
    """The layers a config was composed from, the last one on top."""

    layers: tuple[Layer, ...]

    def locate(self, path: KeyPath) -> str:
        """Return `file:line` of the value under `path`, as exactly as it is known."""
        for name, lines in reversed(self.layers):
            for length in range(len(path), 0, -1):
                if path[:length] in lines:
                    return f"{name}:{lines[path[:length]]}"
        for name, lines in reversed(self.layers):
            inside = [line for known, line in lines.items() if known[: len(path)] == path]
            if path and inside:
                return f"{name}:{min(inside)}"
        name, lines = self.layers[-1]
        return f"{name}:{lines[()]}" if () in lines else name


def named(name: str) -> Origin:
    """Return the origin of a config that was not read from a file: `configs[2]`."""
    return Origin((Layer(name, {}),))

"""Where the values of a config were written, for error messages."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ._keypath import KeyPath


class Layer(NamedTuple):
    """What one file, or one Python object, wrote into a config.

    `lines` are the paths that were written, each with its line; there is none in an object.
    """

    name: str
    lines: Mapping[KeyPath, int | None]

    def at(self, line: int | None) -> str:
        return self.name if line is None else f"{self.name}:{line}"


class Origin(NamedTuple):
    """The layers a config was composed from, the last one on top."""

    layers: tuple[Layer, ...]

    def locate(self, path: KeyPath) -> str:
        """Return `file:line` of the value under `path`, as exactly as it is known."""
        for layer in reversed(self.layers):
            for length in range(len(path), 0, -1):
                if path[:length] in layer.lines:
                    return layer.at(layer.lines[path[:length]])
        for layer in reversed(self.layers):
            inside = [line for known, line in layer.lines.items() if known[: len(path)] == path]
            if path and inside:
                return layer.at(inside[0])
        whole = [layer for layer in self.layers if () in layer.lines] or self.layers[:1]
        return whole[-1].at(whole[-1].lines.get(()))

    def over(self, other: "Origin | None") -> "Origin":
        """Return the origin of a config that was laid over another."""
        return self if other is None else Origin((*other.layers, *self.layers))


def named(name: str, paths: Iterable[KeyPath] = ((),)) -> Origin:
    """Return the origin of values that were not read from a file: `sources[2]`.

    Without paths, all of them were written there.
    """
    return Origin((Layer(name, dict.fromkeys(paths)),))

"""The parameters of a run: nested, with all that was ever said of them.

`parameters.jsonl` has a line for each `set`; `parameters.json` is what they come to, replaced
whole. The lines are what counts: several processes may set, and none undoes what another said.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any, cast

import msgspec

from ._append import Appender
from ._errors import RunError
from ._lines import Line, read_chunks
from ._problems import Problems
from ._state import read_state, replace
from ._values import decode, encode


class Parameters:
    """The parameters of a run, as they are on disk.

    Example:
        >>> from understudy.runs import Run, RunFolder
        >>> with Run(prefix="my-experiment") as run:
        ...     run.params.set(lr=0.1, model={"size": 3})
        >>> RunFolder(run.path).params.get(flat=True)
        {'lr': 0.1, 'model.size': 3}
    """

    __module__ = "understudy.runs"
    __slots__ = ("_folder",)

    def __init__(self, run: Path) -> None:
        self._folder = run

    def get(self, *, flat: bool = False) -> dict[str, Any]:
        """Return the parameters as they are now.

        Args:
            flat: whether what is nested has one key, with dots, as it is compared.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.params.set(model={"size": 3})
            ...     run.params.get(), run.params.get(flat=True)
            ({'model': {'size': 3}}, {'model.size': 3})
        """
        values, end = self._folded()
        if not end:  # brought from elsewhere: no history
            values = read_state(self._folder / "parameters.json")
        return flattened(values) if flat else values

    def history(self) -> list[Line]:
        """Return what was set, in order: each with `ts`, `set`, and `attempt` from the second on.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.params.set(lr=0.1)
            ...     run.params.set(lr=0.01)
            ...     [line["set"] for line in run.params.history()]
            [{'lr': 0.1}, {'lr': 0.01}]
        """
        return [line for lines, _ in read_chunks(self._history) for line in lines]

    @property
    def _history(self) -> Path:
        return self._folder / "parameters.jsonl"

    def _folded(self) -> tuple[dict[str, Any], int]:
        """Return what all lines come to, and the byte at which they end."""
        values: dict[str, Any] = {}
        end = 0
        for lines, place in read_chunks(self._history):
            end = place
            for line in lines:
                said = line.get("set")
                if isinstance(said, dict):
                    _lay_over(values, cast("dict[str, Any]", said))
        return values, end

    def __repr__(self) -> str:
        return f"<the parameters in {self._folder}>"


class Params(Parameters):
    """The parameters of a run that is recorded.

    Example:
        >>> from understudy.runs import Run
        >>> with Run(prefix="my-experiment") as run:
        ...     run.params.set(lr=0.1, model={"size": 3})
        ...     run.params.set({"model": {"depth": 2}})
        ...     run.params.get()
        {'lr': 0.1, 'model': {'size': 3, 'depth': 2}}
    """

    __module__ = "understudy.runs"
    __slots__ = ("_attempt", "_file", "_problems")

    def __init__(self, run: Path, attempt: int, problems: Problems, is_synced: bool) -> None:
        super().__init__(run)
        self._attempt = attempt
        self._problems = problems
        self._file = Appender(
            self._history, lambda: run.mkdir(parents=True, exist_ok=True), is_synced
        )

    def set(self, values: object = None, /, **more: object) -> None:
        """Set parameters; those that were set before and are not named stay.

        Mappings are laid over each other, key by key; a dot in a key means nothing.

        Args:
            values: a mapping, a Config, a dataclass, a Struct: what has fields.
            more: further ones.

        Example:
            >>> from understudy.runs import Run
            >>> with Run(prefix="my-experiment") as run:
            ...     run.params.set({"gpt-4.1": True}, lr=0.1)
            ...     run.params.get()
            {'gpt-4.1': True, 'lr': 0.1}
        """
        try:
            said: Any = {} if values is None else decode(encode(values, self._report))
            if not isinstance(said, dict) or "$repr" in said:
                self._problems.tell(
                    "params", f"params.set() takes what has fields, not a {type(values).__name__}"
                )
                return
            line: dict[str, Any] = {"ts": time(), "set": {**cast("dict[str, Any]", said), **more}}
            if self._attempt > 1:
                line["attempt"] = self._attempt
            self._file.append(encode(line, self._report) + b"\n")
        except RunError:
            raise
        except Exception as error:
            self._problems.tell("params", "parameters are lost", error)
            return
        self._publish()

    def close(self) -> None:
        """Let go of the file; what is set nevertheless is kept."""
        self._file.close()

    def _publish(self) -> None:
        """Write parameters.json, again if somebody set further ones meanwhile."""
        try:
            end = -1
            while end < os.stat(self._history).st_size:
                values, place = self._folded()
                if place <= end:  # what follows is torn
                    break
                end = place
                data = msgspec.json.format(encode(values, self._report), indent=2)
                replace(self._folder / "parameters.json", data + b"\n", is_synced=False)
        except Exception as error:
            self._problems.tell("state", "parameters.json is not up to date", error)

    def _report(self, text: str) -> None:
        self._problems.tell("value", f"parameters: {text}")


def _lay_over(values: dict[str, Any], said: Mapping[str, Any]) -> None:
    for key, value in said.items():
        before = values.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            _lay_over(cast("dict[str, Any]", before), cast("dict[str, Any]", value))
        else:
            values[key] = value


def flattened(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return parameters with one key each, with dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat.update(flattened(cast("dict[str, Any]", value), f"{before}{key}."))
        else:
            flat[before + key] = value
    return flat

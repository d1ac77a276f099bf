"""What is shown of a run, folded together from what is new of it, batch by batch."""

from pathlib import Path
from typing import Any, Final, cast, final

import msgspec

from understudy.runs import Attempt, Failure, RunInfo
from understudy.runs.replica import OURS, Line, Sums, flattened, name_of, summaries, take

from ._chunks import line_pieces
from ._errors import TooBigError
from ._intake import object_of
from ._limits import Limits
from ._paths import metric_folder
from ._rows import Document, Lines, RunRow, Taken
from ._tame import tame, tame_lines

_LONGEST: Final = 1_000
"""How many bytes of JSON a first or last value has in a summary."""
_MOST_ATTEMPTS: Final = 100_000
_DESCRIBED: Final = (
    "bindrs",
    "created",
    "description",
    "ended",
    "folder",
    "started",
    "status",
    "tags",
)


class State(msgspec.Struct):
    """What is kept to go on from.

    Attributes:
        sums: what the fields of each metric come to, by its folder.
        names: what the metrics are called, by folder.
        attempts: what the attempts say of themselves.
        published: what run.json says of them: it tells of those that are gone.
        run: what else run.json says,
        commit: and git.json.
        is_rewound: whether points may be hidden; then the sums are not what is to be shown.
    """

    sums: dict[str, dict[str, Sums]] = {}
    names: dict[str, str] = {}
    attempts: dict[int, Attempt] = {}
    published: dict[int, Attempt] = {}
    run: dict[str, Any] = {}
    commit: str | None = None
    is_rewound: bool = False


_REWOUND: Final = b"R"
_STRAIGHT: Final = b"-"
"""What a kept state begins with, so that it need not be read to know."""
_read: Final = msgspec.msgpack.Decoder(State).decode
_write: Final = msgspec.msgpack.Encoder().encode


def state_of(row: RunRow) -> State:
    """Return what was kept of a run."""
    return _read(row.state[1:]) if row.state else State()


def is_rewound(row: RunRow) -> bool:
    """Tell whether points of a run may be hidden, so that its sums are not what is to be shown."""
    return row.state[:1] == _REWOUND


@final
class Digest:
    """Folds what is new of a run into its row.

    Args:
        limits: how much a run may have.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def __call__(self, row: RunRow, taken: Taken) -> RunRow:
        """Return the row as it is with what is new.

        Raises:
            TooBigError: the run would have too many metrics.
            Refused: a document is none.
        """
        state = state_of(row)
        params = row.info.params if row.info is not None else {}
        for document in taken.documents:
            if document.path == "parameters.json":
                params = tame(flattened(object_of(document, self._limits)))
            else:
                self._document(state, document)
        fields = sum(map(len, state.sums.values()))
        for lines in taken.lines:
            fields = self._lines(state, lines, fields)
        if len(state.sums) > self._limits.metrics:
            raise TooBigError("metrics", self._limits.metrics)
        info = RunInfo.told(
            run={**state.run, "id": row.id},
            attempts=_attempts_of(state),
            params=params,
            metrics={
                state.names.get(folder, folder): summaries(sums)
                for folder, sums in state.sums.items()
            },
            git={"commit": state.commit},
            project=row.project,
            prefix=row.prefix,
        )
        mark = _REWOUND if state.is_rewound else _STRAIGHT
        return msgspec.structs.replace(row, info=info, state=mark + _write(state))

    def _document(self, state: State, document: Document) -> None:
        """Note what a document says."""
        path = document.path
        if path.startswith("metrics/"):
            state.names[path.split("/")[1]] = document.data.decode("utf-8", "replace")
        elif path == "git.json":
            commit = object_of(document, self._limits).get("commit")
            state.commit = commit if isinstance(commit, str) else None
        elif path == "run.json":
            said = tame(object_of(document, self._limits))
            state.run = {name: said[name] for name in _DESCRIBED if name in said}
            told = said.get("attempts")
            for each in cast("list[object]", told) if isinstance(told, list) else []:
                _note(state.published, each)
        elif path.startswith("attempts/"):
            _note(state.attempts, tame(object_of(document, self._limits)))

    def _lines(self, state: State, lines: Lines, fields: int) -> int:
        """Sum up new points, and return how many fields there are now."""
        if lines.path == "rewinds.jsonl":
            state.is_rewound = True
        folder = metric_folder(lines.path)
        if folder is None:
            return fields
        state.names.setdefault(folder, metric_name(folder))
        sums = state.sums.setdefault(folder, {})
        before = len(sums)
        room = before + self._limits.fields - fields
        for piece in line_pieces(
            lines.data
        ):  # what they say takes many times the room of the lines
            take(sums, _with_fields_of(tame_lines(piece), sums, room))
        for kept in sums.values():
            kept.first, kept.last = shortened(kept.first), shortened(kept.last)
        return fields + len(sums) - before


def _with_fields_of(points: list[Line], sums: dict[str, Sums], most: int) -> list[Line]:
    """Return points with so many fields at most: those that are summed up already come first."""
    names = dict.fromkeys(name for point in points for name in point)
    if len(sums.keys() | names.keys()) <= most:
        return points
    new = [name for name in names if name not in sums and name not in OURS]
    kept = {*sums, *new[: max(0, most - len(sums))]}
    return [{name: point[name] for name in point if name in kept} for point in points]


def metric_name(folder: str) -> str:
    """Return the name that a folder of a metric stands for; one that stands for none is it."""
    try:
        name = name_of(Path(folder))
        name.encode()
    except UnicodeError:
        return folder
    return name


def shortened(value: Any) -> Any:
    """Return a value as it is shown among others: a long one is cut."""
    if value is None or type(value) in (int, float, bool):
        return value
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
    text = msgspec.json.encode(value)
    return value if len(text) <= _LONGEST else f"{text[:_LONGEST].decode(errors='replace')}..."


def _note(attempts: dict[int, Attempt], said: object) -> None:
    """Keep what is shown of an attempt; what is none is left out, as in a folder."""
    try:
        attempt = msgspec.convert(said, Attempt)
    except msgspec.ValidationError:
        return
    if 0 < attempt.n <= _MOST_ATTEMPTS and len(attempt.beside) <= _MOST_ATTEMPTS:
        error = attempt.error and Failure(
            type=attempt.error.type[:_LONGEST], message=attempt.error.message[:_LONGEST]
        )
        attempts[attempt.n] = msgspec.structs.replace(attempt, error=error, command=None)


def _attempts_of(state: State) -> list[Attempt]:
    """Return the attempts in order: each as it says itself, or LOST, if another saw it gone."""
    found = {**state.published, **state.attempts}
    for number, published in state.published.items():
        if found[number].status == "RUNNING":
            found[number] = published
    return [found[number] for number in sorted(found)]

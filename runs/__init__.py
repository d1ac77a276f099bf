"""Recorded runs: parameters, metrics, logs and files, as plain files on disk.

Layout, in the order something travels that is logged:

    _run        Run, and `fork`: the face; _recorded: the decorator, _current: `current_run`
    _arguments  what a run may be told; _settings holds it, _errors says what is wrong
    _recording  what goes on between start and end: _claim finds the folder, _attempts who records,
                _process whether they live, _manifest writes run.json, _ending says how it ended
    _metrics    what is recorded; _params, _files, _log
    _values     what people log -> JSON; _names: names -> folders; _ids
    _append     lines, each by one write; _state: small files, replaced whole; _problems
    _capture    git (_git), the environment, the command line; _system samples; _pulse, the thread
    _reading    RunFolder: a run as it is on disk; _points, _lines read, _rewinds hides,
                _numbers sums up, _overview keeps long metrics in short; _fork, _forking;
                _by_config compares the results of experiments that a runtime recorded
    _finding    list, find, get, best; _compare; _found: Runs, _info: RunInfo, _tables print them
    _commands   `understudy runs`: a room for each, as _list_command, with _command in common;
                _which run is meant, _export, _removal, _import_command
    _plot       plots by matplotlib, of _curves; _chart: plots in a terminal
    _query      filters, which _clauses reads; _scores, _times
    _catalog    all runs of a root: the _index, and what _looking finds to have changed since, by
                _marks, and by the _changes that writers told of
    _sender     the thread that sends a run to a server (_remote), only if there is one; _sync sends
                what is left: _sync_command. _shipment: what is at the server and what is not
                (_batches, _documents), _contents what there is, _uploads files in parts, _wire
                the connection
    _importing  runs of other tools: _sources finds them, _arrival puts them together, and
                _from_ml_dash, _from_mlflow, _from_wandb and _from_tensorboard read them, the last
                two by _frames (with checksums) and _protobuf

A room is imported when a name of it is first used.
"""

from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for true; importing it would cost more than we do

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._attempts import Attempt as Attempt
    from ._attempts import Failure as Failure
    from ._by_config import ByConfig as ByConfig
    from ._by_config import ConfigResults as ConfigResults
    from ._by_config import by_config as by_config
    from ._commands import add_runs_command as add_runs_command
    from ._compare import Comparison as Comparison
    from ._compare import compare as compare
    from ._current import current_run as current_run
    from ._errors import FilterError as FilterError
    from ._errors import RunArgumentError as RunArgumentError
    from ._errors import RunError as RunError
    from ._files import Files as Files
    from ._files import SavedFile as SavedFile
    from ._files import SavedFiles as SavedFiles
    from ._finding import best as best
    from ._finding import find as find
    from ._finding import get as get
    from ._finding import list as list
    from ._fork import fork as fork
    from ._found import Runs as Runs
    from ._importing import ImportedRun as ImportedRun
    from ._importing import import_from as import_from
    from ._info import RunInfo as RunInfo
    from ._log import Log as Log
    from ._log import Messages as Messages
    from ._metrics import Metric as Metric
    from ._names import folder_name as folder_name
    from ._numbers import Summary as Summary
    from ._params import Parameters as Parameters
    from ._params import Params as Params
    from ._plot import plot as plot
    from ._points import Points as Points
    from ._problems import Problems as Problems
    from ._query import Filter as Filter
    from ._reading import RunFolder as RunFolder
    from ._recorded import recorded as recorded
    from ._run import Run as Run
    from ._sync_command import add_sync_command as add_sync_command

__all__ = [
    "Attempt",
    "ByConfig",
    "Comparison",
    "ConfigResults",
    "Failure",
    "Files",
    "Filter",
    "FilterError",
    "ImportedRun",
    "Log",
    "Messages",
    "Metric",
    "Parameters",
    "Params",
    "Points",
    "Problems",
    "Run",
    "RunArgumentError",
    "RunError",
    "RunFolder",
    "RunInfo",
    "Runs",
    "SavedFile",
    "SavedFiles",
    "Summary",
    "add_runs_command",
    "add_sync_command",
    "best",
    "by_config",
    "compare",
    "current_run",
    "find",
    "folder_name",
    "fork",
    "get",
    "import_from",
    "list",
    "plot",
    "recorded",
]

_ROOMS = {
    "Attempt": "_attempts",
    "ByConfig": "_by_config",
    "Comparison": "_compare",
    "ConfigResults": "_by_config",
    "Failure": "_attempts",
    "Files": "_files",
    "Filter": "_query",
    "FilterError": "_errors",
    "ImportedRun": "_importing",
    "Log": "_log",
    "Messages": "_log",
    "Metric": "_metrics",
    "Parameters": "_params",
    "Params": "_params",
    "Points": "_points",
    "Problems": "_problems",
    "Run": "_run",
    "RunArgumentError": "_errors",
    "RunError": "_errors",
    "RunFolder": "_reading",
    "RunInfo": "_info",
    "Runs": "_found",
    "SavedFile": "_files",
    "SavedFiles": "_files",
    "Summary": "_numbers",
    "add_runs_command": "_commands",
    "add_sync_command": "_sync_command",
    "best": "_finding",
    "by_config": "_by_config",
    "compare": "_compare",
    "current_run": "_current",
    "find": "_finding",
    "folder_name": "_names",
    "fork": "_fork",
    "get": "_finding",
    "import_from": "_importing",
    "list": "_finding",
    "plot": "_plot",
    "recorded": "_recorded",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> "Iterable[str]":
    return __all__

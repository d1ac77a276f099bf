"""All trackers, in the order of the columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from ._aim import Aim
from ._by_hand import ByHand, Floor
from ._ml_dash import MlDash
from ._mlflow import MlflowFile, MlflowSqlite
from ._tensorboardx import TensorboardX
from ._tracker import Tracker
from ._trackio import Trackio
from ._understudy import Understudy
from ._wandb import Wandb


@dataclass(frozen=True, slots=True)
class Entry:
    """A tracker, and how it takes part."""

    title: str
    open: Callable[[], Tracker]
    how: str
    """How it is used."""
    distribution: str = ""
    """What to install; nothing, if it is here anyway."""
    imports: str = "pass"
    """The import that a script which only records needs."""
    points: int = 4_000
    """How many points it logs in one measurement at most: fewer, if each takes long."""
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why it does not do some of the work."""


BY_HAND: Final = "by_hand"
UNDERSTUDY: Final = "understudy"
TRACKERS: Final[Mapping[str, Entry]] = {
    BY_HAND: Entry(
        "by hand",
        ByHand,
        "`json.dumps`, write, flush; small files replaced whole; `shutil.copyfile`",
        imports="pass",
    ),
    "floor": Entry(
        "floor",
        Floor,
        "msgspec and one write of each; a file copied and summed in one pass",
        imports="import msgspec",
    ),
    UNDERSTUDY: Entry(
        "understudy",
        Understudy,
        "`Run(..., capture=False)`; nothing is deferred, begin and end wait for the disk (`fsync`)",
        imports="from understudy.runs import Run",
    ),
    "ml_dash": Entry(
        "ml-dash",
        MlDash,
        "local mode, buffered as it is by default, without its look for a newer version",
        "ml-dash",
        "import ml_dash",
    ),
    "mlflow_sqlite": Entry(
        "MLflow, sqlite",
        MlflowSqlite,
        "a `sqlite:///` store; read page by page with `get_metric_history`",
        "mlflow",
        "import mlflow",
        points=100,
    ),
    "mlflow_file": Entry(
        "MLflow, files",
        MlflowFile,
        "a `file://` store, which has to be allowed by a variable of the environment",
        "mlflow",
        "import mlflow",
        points=500,
    ),
    "trackio": Entry(
        "trackio",
        Trackio,
        "its store on this machine, without samples of graphics cards",
        "trackio",
        "import trackio",
        cannot={"parameter": "only all at once, at the start"},
    ),
    "wandb": Entry(
        "wandb, offline",
        Wandb,
        "without console, samples and code; the CPU time of its second process is not told",
        "wandb",
        "import wandb",
        points=1_000,
        cannot={"read": "has no reader of what it keeps offline"},
    ),
    "tensorboardx": Entry(
        "tensorboardX",
        TensorboardX,
        "`add_scalar`, for ten keys ten times; read with its own protobuf, as it has no reader",
        "tensorboardX",
        "from tensorboardX import SummaryWriter",
        cannot={"parameter": "has none but tables of them", "file": "keeps none"},
    ),
    "aim": Entry(
        "aim",
        Aim,
        "without samples and terminal; indexed before it is read, which does not count",
        "aim",
        "from aim import Run",
        points=500,
    ),
}


def version_of(entry: Entry) -> str | None:
    """Return the version of what is installed of a tracker; None where nothing is."""
    try:
        return version(entry.distribution) if entry.distribution else ""
    except PackageNotFoundError:
        return None

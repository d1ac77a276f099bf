"""The language of filters: `metrics.train.loss < 0.1 and "baseline" in tags`.

It looks like Python, and is none: _clauses reads it, and nothing is ever evaluated.
"""

from ._clauses import Look, Reader
from ._info import RunInfo
from ._scores import is_true


class Filter:
    """Tells of each run whether it is one of those that a text describes.

    Known are `params.lr`, `params["model.size"]`, `metrics.train.loss` (its last value),
    `metrics.train.loss.min` (`count`, `first`, `last`, `min`, `max`, `mean`),
    `metrics["train/loss"].value`, `status`, `tags`, `bindrs`, `prefix`, `project`, `id`,
    `description`, `folder`, `error`, `attempts`, `git_commit`, `path`, and the times `created`,
    `started`, `ended` and `duration`. They are compared by `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`
    and `not in` with texts, numbers, True, False, None and lists of them, and put together by
    `and`, `or`, `not` and parentheses. `matches(prefix, "resnet*")` compares with a pattern, and
    `has(params.lr)` tells whether something is there: what is not makes a comparison false.

    Times are compared with "2026-11-01", "2026-11-01T10:00" (here, if no zone is said), "-7d" or
    "-3h", so long ago; `duration` with seconds, or with "90s", "5m", "2h", "1d", "1w".

    Args:
        text: what they are to be like.

    Attributes:
        text: what they are to be like.
        names: the parameters and metrics that it asks for: `("metrics", "train", "loss")`.

    Raises:
        FilterError: the text is no filter; it says where, and what is known.

    Example:
        >>> from understudy.runs import Filter, RunInfo
        >>> is_good = Filter("params.lr >= 0.1 and 'baseline' in tags and created > '-7d'")
        >>> is_good(RunInfo(id="1", project="p", prefix="r", params={"lr": 0.1}))
        False
        >>> try:
        ...     Filter("status = 'FAILED'")
        ... except Exception as error:
        ...     print(error)
        the filter is not understood: compare with ==
          status = 'FAILED'
                 ^
    """

    __module__ = "understudy.runs"
    __slots__ = ("_look", "names", "text")

    def __init__(self, text: str) -> None:
        self.text: str = text
        reader = Reader(text)
        self._look: Look = reader.read()
        self.names: tuple[tuple[str, ...], ...] = tuple(reader.names)

    def __call__(self, info: RunInfo) -> bool:
        """Tell whether a run is one of them."""
        return is_true(self._look(info))

    def __repr__(self) -> str:
        return f"Filter({self.text!r})"

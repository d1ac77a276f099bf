"""Names of parameters and metrics that no run has: a word misspelt, or something yet to come."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from ._info import RunInfo
from ._missing import told_known
from ._scores import MISSING, metric_value

Name = tuple[str, ...]
"""`("params", "lr")`, or `("metrics", "val", "loss")`, without or with a statistic."""

_MOST: Final = 3
"""Of so many names at most it is told."""
_COMPARED: Final = 200
"""With so many others, and by so many of its characters, a name is compared at most."""


def note_of(names: Iterable[Name], infos: Sequence[RunInfo]) -> str | None:
    """Return which of the names that are asked for no run has, and which there are.

    Args:
        names: what is asked for.
        infos: the runs; where there are none, nothing is to be told.

    Example:
        >>> from understudy.runs import RunInfo, Summary
        >>> from understudy.runs._unknown import note_of
        >>> metrics = {"val": {"loss": Summary(count=1, last=0.5)}}
        >>> infos = [RunInfo(id="1", project="p", prefix="r", metrics=metrics)]
        >>> note_of([("metrics", "val", "loss")], infos)
        >>> note_of([("metrics", "vall", "loss")], infos)
        "no run has metrics.vall: did you mean 'val'? There are 'val'"
    """
    if not infos:
        return None
    told = (_told(name, infos) for name in dict.fromkeys(names))
    return "; ".join(islice((each for each in told if each is not None), _MOST)) or None


def _told(name: Name, infos: Sequence[RunInfo]) -> str | None:
    kind, key, *rest = name
    if kind == "params":
        if any(key in info.params for info in infos):
            return None
        return _none_has(name, key, (each for info in infos for each in info.params))
    field = rest[0] if rest else None
    if any(metric_value(info, key, field, "count") is not MISSING for info in infos):
        return None
    having = [info.metrics[key] for info in infos if key in info.metrics]
    if not having:
        return _none_has(name[:2], key, (each for info in infos for each in info.metrics))
    fields = (each for metric in having for each in metric)
    if field is None:
        return f"say which field of {'.'.join(name)}{told_known('', _some(fields))}"
    return _none_has(name[:3], field, fields)


def _none_has(name: Name, part: str, known: Iterable[str]) -> str:
    advice = told_known(part[:_COMPARED], _some(known))
    return f"no run has {'.'.join(name)[:_COMPARED]}{advice}"


def _some(names: Iterable[str]) -> list[str]:
    """Return names, each once: no more than can be compared at once."""
    found: dict[str, None] = {}
    for name in names:
        found[name[:_COMPARED]] = None
        if len(found) >= _COMPARED:
            break
    return [*found]

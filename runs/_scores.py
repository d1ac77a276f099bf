"""What a run scored in a metric: one number, or whatever was logged last."""

from collections.abc import Iterator, Mapping
from math import isnan
from typing import Any, Final

from ._info import RunInfo
from ._numbers import Summary

STATISTICS: Final = ("count", "first", "last", "min", "max", "mean")


class _Missing:
    """Stands for what is not there; None may be."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def is_true(value: object) -> bool:
    """Tell whether something holds: what is not there does not."""
    return value is not MISSING and bool(value)


def metric_value(info: RunInfo, metric: str, field: str | None, statistic: str) -> Any:
    """Return what a field of a metric comes to in a run; MISSING if it is not there.

    Args:
        info: the run.
        metric: the name of the metric.
        field: the name of the field; if it is None, `value`, or the only one beside `step`.
        statistic: one of `STATISTICS`.

    Example:
        >>> from understudy.runs import RunInfo, Summary
        >>> from understudy.runs._scores import metric_value
        >>> metrics = {"val_loss": {"value": Summary(count=2, last=0.5, min=0.25)}}
        >>> info = RunInfo(id="1", project="p", prefix="r", metrics=metrics)
        >>> metric_value(info, "val_loss", None, "min"), metric_value(info, "train", None, "min")
        (0.25, MISSING)
    """
    fields = info.metrics.get(metric)
    name = field if field is not None else _only_field(fields or {})
    summary = (fields or {}).get(name or "")
    if summary is None:
        return MISSING
    found = getattr(summary, statistic)
    return MISSING if found is None and statistic in ("min", "max", "mean") else found


def score(info: RunInfo, name: str, mode: str) -> float | None:
    """Return the number that a run is compared by in a metric; None if it has none.

    Args:
        info: the run.
        name: `train.loss`, `train.loss.last`, `val_loss`.
        mode: what it is of what was logged, if the name does not say: `min` or `max`.
    """
    value = next((each for each in _readings(info, name, mode) if each is not MISSING), None)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and not isnan(value)
    return value if is_number else None


def numbers_of(info: RunInfo) -> list[str]:
    """Return what a run can be compared by: `train.loss`, ..."""
    return [
        f"{metric}.{field}"
        for metric, fields in info.metrics.items()
        for field, summary in fields.items()
        if summary.min is not None and field not in ("step", "epoch")
    ]


def _readings(info: RunInfo, name: str, mode: str) -> Iterator[Any]:
    """Yield what a name may mean; dots may be in the names of metrics and fields as well."""
    yield metric_value(info, name, None, mode)
    before, dot, last = name.rpartition(".")
    ways = [(name, mode), *([(before, last)] if dot and last in STATISTICS else [])]
    for text, statistic in ways:
        parts = text.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            yield metric_value(info, ".".join(parts[:cut]), ".".join(parts[cut:]), statistic)
        if text != name:
            yield metric_value(info, text, None, statistic)
        with_field = [metric for metric, fields in info.metrics.items() if text in fields]
        if len(with_field) == 1:
            yield metric_value(info, with_field[0], text, statistic)


def _only_field(fields: Mapping[str, Summary]) -> str | None:
    if "value" in fields:
        return "value"
    names = [name for name in fields if name not in ("step", "epoch")]
    return names[0] if len(names) == 1 else None

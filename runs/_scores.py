"""What a run scored in a metric: one number, or whatever was logged last."""

from collections.abc import Mapping
from typing import Any, Final

from ._info import RunInfo
from ._numbers import Summary

STATISTICS: Final = ("count", "first", "last", "min", "max", "mean")


class _Missing:
    """Stands for what is not there; None may be."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


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


def _only_field(fields: Mapping[str, Summary]) -> str | None:
    if "value" in fields:
        return "value"
    names = [name for name in fields if name not in ("step", "epoch")]
    return names[0] if len(names) == 1 else None

"""What the context of a call holds for its events: what structlog has bound there, a span."""

import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from understudy.actors import Bound

from ._plain import plain

_FLAT: Final = frozenset({str, int, float, bool, type(None)})
_MOST: Final = 2_000
"""How many bytes of what is bound are told."""


def look_around(at: int, prefix: str, call_id: int) -> Bound | None:
    """Return what there is to tell of the context that runs; None if there is nothing.

    Whatever goes wrong with that is nothing to tell: a call waits.
    """
    try:
        context, span = _bound_by_structlog(), _span()
    except Exception:
        return None
    if context is None and span is None:
        return None
    return ("bound", at, prefix, call_id, context, span)


def _bound_by_structlog() -> dict[str, Any] | None:
    module: Any = sys.modules.get("structlog.contextvars")
    if module is None:
        return None
    variables: Mapping[str, ContextVar[Any]] | None = getattr(module, "_CONTEXT_VARS", None)
    if variables is None:  # another version than those that are known
        bound: dict[str, Any] = module.get_contextvars()
    else:  # it looks at these only, and not through the whole context for them
        start, bound = len(module.STRUCTLOG_KEY_PREFIX), {}
        for name in [*variables]:
            value = variables[name].get(...)
            if value is not ...:
                bound[name[start:]] = value
    if not bound:
        return None
    if _FLAT.issuperset(map(type, bound.values())):
        return bound
    copy: dict[str, Any] = plain(bound, _MOST)  # what may be changed is copied now
    return copy


def _span() -> tuple[int, int] | None:
    """Return the ids of the trace and the span of OpenTelemetry that are active here."""
    module: Any = sys.modules.get("opentelemetry.trace")
    if module is None:
        return None
    span = module.get_current_span().get_span_context()
    return (span.trace_id, span.span_id) if span.is_valid else None

"""What the context of a call holds for its events: what structlog has bound there, a span."""

import sys
from typing import Any, Final

from understudy.actors import Bound

from ._plain import plain

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
    if module is None or not getattr(module, "_CONTEXT_VARS", True):  # nothing was ever bound
        return None
    bound: dict[str, Any] = module.get_contextvars()
    return plain(bound, _MOST) if bound else None


def _span() -> tuple[int, int] | None:
    """Return the ids of the trace and the span of OpenTelemetry that are active here."""
    module: Any = sys.modules.get("opentelemetry.trace")
    if module is None:
        return None
    span = module.get_current_span().get_span_context()
    return (span.trace_id, span.span_id) if span.is_valid else None

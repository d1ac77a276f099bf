"""What stands behind an address: each thing once, known, and of its type."""

from typing import Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from ._answers import Refused

T = TypeVar("T")

_MOST: Final = 20


def read_query(text: bytes, kind: type[T]) -> T:
    """Return what is asked for.

    Raises:
        Refused: it is not understood.

    Example:
        >>> from understudy.server._queries import read_query
        >>> from understudy.server._reading import WhichPoints
        >>> read_query(b"max_points=500&by=epoch", WhichPoints)
        WhichPoints(max_points=500, start=None, stop=None, by='epoch')
    """
    try:
        pairs = parse_qsl(
            text.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST, errors="strict"
        )
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("something is asked for twice")
        return msgspec.convert(found, kind, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise Refused(400, "query", f"the query is not understood: {error}") from None

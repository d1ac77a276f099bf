"""For who keeps the files of runs elsewhere than in folders, as a server does: how to read them.

Nobody who records or reads runs needs this.
"""

from ._lines import Line, decode_lines
from ._names import name_of
from ._numbers import OURS, Sums, summaries, take
from ._order import in_order, names_in
from ._overview import Overview, thinned
from ._params import flattened
from ._rewinds import Span, is_seen, spans_in
from ._unknown import note_of
from ._values import decode, encode

__all__ = [
    "OURS",
    "Line",
    "Overview",
    "Span",
    "Sums",
    "decode",
    "decode_lines",
    "encode",
    "flattened",
    "in_order",
    "is_seen",
    "name_of",
    "names_in",
    "note_of",
    "spans_in",
    "summaries",
    "take",
    "thinned",
]

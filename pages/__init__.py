"""What the pages in a browser have in common: how they are served, how they look.

_parts    the files of a page, ready to be sent
shared/   the look, small helpers and charts, served with each page as if they were its own
"""

from ._parts import HEADERS as HEADERS
from ._parts import Parts as Parts

__all__ = ["HEADERS", "Parts"]

"""Seeing in: what the events of runtimes come to, live or afterwards, from their logs alone.

Layout:

    _sketch    Sketch: quantiles in bounded memory; _counted: Counted, the most frequent names
    _state     State: all that is known; _bounds: what makes room in it (_texts: in a text)
    _fold      fold: what one more event makes of it (_places: where it belongs; _branches, _calls,
               _lives, _works, _recording, _notices: what it changes there); _merge: of two, one
    _lines     Line, read_line; _follow: Follower, logs that grow and rotate (_splitter)
    _board     Board: a state, and what has changed of it; _document: the form that it is shown in
    _commands  tail, report, top: _tail, _report, _top make their lines (understudy.terminal),
               _screen is where to
    _app       `app`: the page, as an ASGI application; _web: how it answers; _control: to whom
    _hub       Hub: who looks on, and what they have not seen yet; _host: the server they are on
    _serve     the command that serves it; page/: what the browser is given
"""

from ._app import app as app
from ._board import Board as Board
from ._commands import add_commands as add_commands
from ._control import Control as Control
from ._counted import Counted as Counted
from ._fold import fold as fold
from ._fold import fold_lines as fold_lines
from ._follow import Follower as Follower
from ._lines import Line as Line
from ._lines import read_line as read_line
from ._merge import merge as merge
from ._shared import SharedBoard as SharedBoard
from ._sketch import Sketch as Sketch
from ._state import Limits as Limits
from ._state import State as State

__all__ = [
    "Board",
    "Control",
    "Counted",
    "Follower",
    "Limits",
    "Line",
    "SharedBoard",
    "Sketch",
    "State",
    "add_commands",
    "app",
    "fold",
    "fold_lines",
    "merge",
    "read_line",
]

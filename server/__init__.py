"""The server of a team: keeps the runs of many machines, and shows them.

Layout:

    _storage    the interface: where runs, their lines and documents, and tokens are kept
    _rows       what goes in and comes out of it; _fitting: what can be kept; _errors
    _tables     how it is kept in tables, whichever database has them (_schema); _appending: what a
                batch changes; _chunks: how lines are kept; _runs: all else; _database: connections
    _sqlite, _postgres  the databases
    _blobs      the interface: where the contents of files are kept; _keys: what they are called
    _disk, _s3  the places for them
    _app        the ASGI application, which _making makes of _settings: every request goes through
                it; _serve serves it, patiently (_patience); _commands offers that; _page, the page
    _routes     all addresses, in a table, and _openapi, its description; _calls: a request on its
                way; _queries, _bodies, _paths, _intake: what comes in; _answers: what goes out
    _tokens     who is let in; _rates: how often; _limits: how much; _depth, _tame: of which shape
    _writing    what senders ask for; _digest: what is new, folded into what is shown
    _reading    what is read: _catalog, the runs; _curves, the points; _messages, the log;
                _contents, documents and files
"""

from ._commands import add_commands as add_commands
from ._errors import ServerError as ServerError
from ._limits import Limits as Limits
from ._making import app as app
from ._settings import ServerSettings as ServerSettings

__all__ = ["Limits", "ServerError", "ServerSettings", "add_commands", "app"]

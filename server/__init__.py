"""The server of a team: keeps the runs of many machines, and shows them.

Layout:

    _storage    the interface: where runs, their lines and documents, and tokens are kept
    _rows       what goes in and comes out of it; _fitting: what can be kept; _errors
    _tables     how it is kept in tables, whichever database has them (_schema); _appending: what a
                batch changes; _chunks: how lines are kept; _database: connections to one
    _sqlite, _postgres  the databases
    _blobs      the interface: where the contents of files are kept; _keys: what they are called
    _disk, _s3  the places for them
"""

from ._commands import add_commands as add_commands
from ._errors import ServerError as ServerError
from ._limits import Limits as Limits
from ._making import app as app
from ._settings import ServerSettings as ServerSettings

__all__ = ["Limits", "ServerError", "ServerSettings", "add_commands", "app"]

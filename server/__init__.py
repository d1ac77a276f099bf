"""The server of a team: keeps the runs of many machines, and shows them.

Layout:

    _storage    the interface: where runs, their lines and documents, and tokens are kept
    _rows       what goes in and comes out of it; _fitting: what can be kept; _errors
    _tables     how it is kept in tables, whichever database has them (_schema); _appending: what a
                batch changes; _chunks: how lines are kept; _runs: all else; _database: connections
    _sqlite, _postgres  the databases
    _blobs      the interface: where the contents of files are kept; _keys: what they are called
    _disk, _s3  the places for them
"""

from ._errors import ServerError as ServerError

__all__ = ["ServerError"]

"""The rooms of the server that tests look into, behind its face.

Type checkers find them as the folder they are in: they do not know what is installed.
"""

# ruff: noqa: TID251
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server._blobs import *
    from server._chunks import *
    from server._disk import *
    from server._errors import *
    from server._keys import *
    from server._postgres import *
    from server._rows import *
    from server._s3 import *
    from server._schema import *
    from server._sqlite import *
    from server._storage import *
else:
    from understudy.server._blobs import *
    from understudy.server._chunks import *
    from understudy.server._disk import *
    from understudy.server._errors import *
    from understudy.server._keys import *
    from understudy.server._postgres import *
    from understudy.server._rows import *
    from understudy.server._s3 import *
    from understudy.server._schema import *
    from understudy.server._sqlite import *
    from understudy.server._storage import *

__all__ = [
    "CHUNK",
    "OF_A_RUN",
    "AwayError",
    "Batch",
    "Blob",
    "Blobs",
    "DiffersError",
    "DiskBlobs",
    "Document",
    "FileRow",
    "GapError",
    "Lengths",
    "Lines",
    "MissingError",
    "PostgresStorage",
    "RunRow",
    "S3Blobs",
    "SqliteStorage",
    "Stamp",
    "Storage",
    "Taken",
    "Token",
    "TooBigError",
    "UnfitError",
    "file_key",
    "part_key",
    "part_of",
    "parts_prefix",
    "run_prefix",
]

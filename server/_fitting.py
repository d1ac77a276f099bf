"""What can be kept: names that every database takes, whole lines, numbers that fit."""

from math import isfinite

from ._errors import UnfitError
from ._rows import Batch, FileRow, Token

LONGEST_NAME = 1_300
"""How many bytes a name may have that is looked up: two of them have to fit into an index."""
LONGEST_TEXT = 64 * 1024
"""How many bytes other names may have."""
LARGEST = 2**63 - 1


def check_names(*names: str, longest: int = LONGEST_NAME) -> None:
    """Raise if one of them is no name that every database takes."""
    for name in names:
        try:
            length = len(name.encode())
        except UnicodeEncodeError:
            raise UnfitError(f"{name[:100]!r} is no text: it has half a character") from None
        if "\0" in name:
            raise UnfitError(f"{name[:100]!r} is no name: it has a NUL character")
        if length > longest:
            raise UnfitError(f"{name[:100]!r}... is {length:,} bytes long: it may have {longest:,}")


def check_batch(batch: Batch) -> None:
    """Raise if something in a batch cannot be kept as it is."""
    check_names(batch.prefix, longest=LONGEST_TEXT)
    for document in batch.documents:
        check_names(document.path)
        if abs(document.version) > LARGEST:
            raise UnfitError(f"{document.path}: {document.version} is no version, it has 64 bits")
    for lines in batch.lines:
        check_names(lines.path)
        if lines.start < 0:
            raise UnfitError(f"{lines.path}: no line starts at byte {lines.start}")
        if lines.data and not lines.data.endswith(b"\n"):
            raise UnfitError(f"{lines.path}: the last line is not whole. Send it when it has ended")


def check_file(file: FileRow) -> None:
    """Raise if what is known of a file cannot be kept as it is."""
    check_names(file.id, file.sha256)
    check_names(file.prefix, file.name, longest=LONGEST_TEXT)
    if not 0 <= file.size <= LARGEST or not isfinite(file.ts):
        raise UnfitError(f"file {file.id}: {file.size} bytes, saved at {file.ts}, cannot be")


def check_token(token: Token) -> None:
    """Raise if a token cannot be kept as it is."""
    check_names(token.id, token.project, token.sha256)
    check_names(token.name, longest=LONGEST_TEXT)

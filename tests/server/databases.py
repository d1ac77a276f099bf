"""What the tests of the storage share."""

from contextlib import suppress

from tests.server.rooms import OF_A_RUN, Batch, Lines, RunRow, Storage, Taken

NOW = 1_800_000_000.0


def batch(*lines: tuple[str, int, bytes], prefix: str = "first", is_ended: bool = False) -> Batch:
    """Return a batch of some lines."""
    return Batch(prefix=prefix, lines=[Lines(*each) for each in lines], is_ended=is_ended)


def unfolded(row: RunRow, taken: Taken) -> RunRow:
    """Make nothing of what is new."""
    del taken
    return row


def counted(row: RunRow, taken: Taken) -> RunRow:
    """Make of a row how many bytes of lines it was ever told of: what a fold must see once."""
    import msgspec

    told = int(row.state or b"0") + sum(len(lines.data) for lines in taken.lines)
    return msgspec.structs.replace(row, state=str(told).encode())


async def content(storage: Storage, run: str = "r", path: str = "m", project: str = "p") -> bytes:
    """Return all lines of a file."""
    return b"".join([piece async for piece in storage.lines(project, run, path)])


def emptied(url: str) -> str:
    """Take everything out of a database, and return its address."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("runs", "tokens", *OF_A_RUN):
            with suppress(psycopg.errors.UndefinedTable):
                connection.execute(f"DELETE FROM {table}")
    return url

"""Appends to a database for as long as it lives, and says what was acknowledged: to be killed."""

import asyncio
import sys

from tests.server.databases import NOW, batch, counted
from tests.server.rooms import SqliteStorage


def line(number: int) -> bytes:
    """Return a line of a file; all of them have the same length."""
    return b'{"step":%08d}\n' % number


LENGTH = len(line(0))
BATCH = 20


async def main(path: str) -> None:
    """Append batches of two files from where they end."""
    storage = SqliteStorage(path)
    await storage.open()
    kept = await storage.lengths("p", "r")
    number = kept.lengths["m"] // LENGTH if kept else 0
    while True:
        lines = b"".join(line(each) for each in range(number, number + BATCH))
        sent = batch(("m", number * LENGTH, lines), ("n", number * LENGTH, lines))
        await storage.append("p", "r", sent, counted, NOW)
        number += BATCH
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

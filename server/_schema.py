"""The tables, as every database understands them."""

VERSION = 1
"""Which form the tables have; another one would need to be brought into this."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        project TEXT NOT NULL, scope TEXT NOT NULL, created DOUBLE PRECISION NOT NULL)""",
    # The rows of a run go by its number, which is never given again: who still reads a run that
    # was removed does not read another that came after it.
    """CREATE TABLE IF NOT EXISTS runs (
        number {number}, project TEXT NOT NULL, id TEXT NOT NULL, prefix TEXT NOT NULL,
        seen DOUBLE PRECISION NOT NULL, is_ended INTEGER NOT NULL, version BIGINT NOT NULL,
        info {bytes}, state {bytes} NOT NULL, UNIQUE (project, id))""",
    """CREATE TABLE IF NOT EXISTS documents (
        run BIGINT NOT NULL, path TEXT NOT NULL, version BIGINT NOT NULL, data {bytes} NOT NULL,
        PRIMARY KEY (run, path))""",
    """CREATE TABLE IF NOT EXISTS streams (
        run BIGINT NOT NULL, path TEXT NOT NULL, length BIGINT NOT NULL, packed BIGINT NOT NULL,
        loose INTEGER NOT NULL, PRIMARY KEY (run, path))""",
    # By where they end: the first that ends behind a place is the one that holds it.
    """CREATE TABLE IF NOT EXISTS chunks (
        run BIGINT NOT NULL, path TEXT NOT NULL, start BIGINT NOT NULL, stop BIGINT NOT NULL,
        data {bytes} NOT NULL, PRIMARY KEY (run, path, stop))""",
    """CREATE TABLE IF NOT EXISTS files (
        run BIGINT NOT NULL, id TEXT NOT NULL, prefix TEXT NOT NULL, name TEXT NOT NULL,
        size BIGINT NOT NULL, sha256 TEXT NOT NULL, ts DOUBLE PRECISION NOT NULL,
        about {bytes} NOT NULL, PRIMARY KEY (run, id))""",
)
OF_A_RUN = ("documents", "streams", "chunks", "files")
"""The tables whose rows belong to a run."""

"""A real PostgreSQL, in a folder of its own, as it is shipped: it syncs what it acknowledges."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.server.waiting import free_port, wait_until


class Postgres:
    """A server that can be killed, and started again.

    Attributes:
        folder: where its data is.
        port: where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log"
        self._bin = _programs()
        if (user := _id()) is not None:
            os.chown(folder, user, -1)
        self._run(
            "initdb", "--no-sync", "--pgdata", self._data, "--username=understudy", "--auth=trust"
        )
        self.start()

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://understudy@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, encoding: str = "UTF8") -> str:
        """Make a database, and return its address."""
        import psycopg.sql

        with psycopg.connect(self.url(), autocommit=True) as connection:
            name = psycopg.sql.Identifier(database)
            making = psycopg.sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0")
            connection.execute(making.format(name, encoding))
        return self.url(database)

    def start(self) -> None:
        """Start it, and wait until it answers; where it listens stays."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._bin / "postgres", "-D", self._data, "-p", str(self.port)),
                    *("-h", "127.0.0.1", "-c", "unix_socket_directories="),
                ],
                stdout=log,
                stderr=log,
                user=_id(),
                cwd=self.folder,
            )
        wait_until(self._answers, "PostgreSQL answers")

    def kill(self) -> None:
        """End it, and all its processes, as a crash does: at once."""
        if self._process is None:
            return
        children = self._children()
        self._process.kill()
        for child in children:  # who would end by themselves, but a little later
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self._process.wait()
        self._process = None
        wait_until(lambda: not any(map(_is_there, children)), "PostgreSQL has ended")

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Have it, and all that work for it, do nothing for as long as the block lasts."""
        assert self._process is not None
        frozen = [self._process.pid, *map(int, self._children())]
        for process in frozen:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in frozen:
                os.kill(process, signal.SIGCONT)

    def _children(self) -> list[str]:
        assert self._process is not None
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    def _answers(self) -> bool:
        import psycopg

        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            check=False,
            capture_output=True,
            cwd=self.folder,
            user=_id(),
        )
        assert done.returncode == 0, done.stderr.decode()


@contextmanager
def postgres() -> Generator[Postgres]:
    """Run one, for as long as the block lasts."""
    # Not among the folders of pytest: those are for its own user alone.
    folder = Path(tempfile.mkdtemp(prefix="understudy-postgres-"))
    server = None
    try:
        server = Postgres(folder)
        yield server
    finally:
        if server is not None:
            server.kill()
        shutil.rmtree(folder)


def _programs() -> Path:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    found = installed[-1] if installed else shutil.which("initdb")
    assert found, "these tests need PostgreSQL: make postgresql, or apt-get install postgresql"
    return Path(found).resolve().parent


def _is_there(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _id() -> int | None:
    """Return who runs it: nobody, if we are root, which it refuses to be run by."""
    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None

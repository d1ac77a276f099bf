"""Sending what is left of runs: those made offline, those that crashed, those cut short."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep
from typing import Final

import msgspec

from ._errors import RunArgumentError, RunError
from ._manifest import FILE as MANIFEST
from ._remote import Remote
from ._sender import no_token, refused_by
from ._shipment import FILE, Shipment
from ._state import read_state
from ._wire import Refused, Unreachable, Wire

_TRIES: Final = 6
"""How often a run is tried to be sent."""
_FIRST_WAIT: Final = 0.5


class Synced(msgspec.Struct, kw_only=True):
    """What was sent of a run.

    Attributes:
        run: its folder.
        project: what it belongs to.
        prefix: its name.
        remote: the server; None if nobody said which.
        is_complete: whether the server has all of it now.
        bytes: how many were sent, before they were compressed.
        files: how many of the files that were saved were sent.
        problems: what was in the way.
    """

    run: str
    project: str
    prefix: str
    remote: str | None = None
    is_complete: bool = False
    bytes: int = 0
    files: int = 0
    problems: list[str] = []


class Syncer:
    """Sends runs, one after the other; the connection to a server is kept in between.

    Args:
        address: the server that all are sent to; else each to its own.
        progress: told about every step.
    """

    def __init__(self, address: str | None, progress: Callable[[Synced], None]) -> None:
        self._remote = Remote(address) if address is not None else None
        self._progress = progress
        self._wires: dict[str, Wire] = {}
        self._away: set[str] = set()

    def sync(self, run: Path) -> Synced:
        """Send what is left of a run, and look whether the server has all of it then."""
        said = read_state(run / MANIFEST)
        synced = Synced(
            run=str(run),
            project=str(said.get("project") or run.parent.name),
            prefix=str(said.get("prefix") or run.name),
        )
        try:
            remote = self._remote or _remote_of(run)
        except RunArgumentError as error:
            synced.problems.append(str(error))
            return synced
        if remote is None:
            synced.problems.append("it was made without a remote: say --remote URL")
        elif remote.token is None:
            synced.remote = remote.address
            synced.problems.append(no_token(remote))
        elif not said.get("id"):
            synced.problems.append("run.json does not say which run it is")
        else:
            synced.remote = remote.address
            self._send(run, remote, synced)
        return synced

    def close(self) -> None:
        """Let go of all connections."""
        for wire in self._wires.values():
            wire.close()

    def _send(self, run: Path, remote: Remote, synced: Synced) -> None:
        wire = self._wires.setdefault(remote.address, Wire(remote))
        shipment = Shipment(run, wire, remote.address, synced.problems.append)

        def goes_on() -> bool:
            synced.bytes, synced.files = shipment.size, shipment.files
            self._progress(synced)
            return True

        try:
            failures = 0
            while True:
                heard = shipment.spoke_at
                try:
                    synced.is_complete = shipment.send_all(goes_on) and shipment.is_complete
                    self._away.discard(remote.address)
                    break
                except Unreachable as problem:
                    # one that only wants it slower, and took something, is well
                    failures += problem.wait is None or shipment.spoke_at == heard
                    if failures >= (1 if remote.address in self._away else _TRIES):
                        self._away.add(remote.address)  # the next run is not to wait as long
                        synced.problems.append(str(problem))
                        break
                    shipment.doubt()
                    wait = _FIRST_WAIT * 2 ** max(0, failures - 1) * random.uniform(0.5, 1)
                    sleep(max(wait, problem.wait or 0.0))
        except Refused as refused:
            synced.problems.append(f"it is not taken by {refused_by(remote, refused)}")
        finally:
            synced.bytes, synced.files = shipment.size, shipment.files
            shipment.keep()


def runs_in(place: Path) -> Iterator[Path]:
    """Yield the folders of runs: the place itself, those of a project, or those of all projects.

    Raises:
        RunError: there is no such folder.
    """
    if not place.is_dir():
        raise RunError(f"there is no folder {place}")
    if (place / MANIFEST).is_file():
        yield place
        return
    found = [*place.glob(f"*/{MANIFEST}"), *place.glob(f"*/*/{MANIFEST}")]
    yield from sorted(each.parent for each in found)


def _remote_of(run: Path) -> Remote | None:
    """Return the server that a run was sent to so far, or was to be sent to."""
    for name in (MANIFEST, FILE):
        address = read_state(run / name).get("remote")
        if isinstance(address, str) and address:
            return Remote(address, is_named=False)
    return None

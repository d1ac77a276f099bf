"""The thread that sends a run to a server while it is recorded, out of everybody's way.

It reads what is on disk: who records does not know of it, and waits for nothing. What cannot be
sent stays in the folder, and `understudy sync` sends it.
"""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from math import isnan
from pathlib import Path
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Final

from ._problems import Problems

if TYPE_CHECKING:
    from ._remote import Remote
    from ._shipment import Shipment
    from ._wire import Wire

PATIENCE: Final = "UNDERSTUDY_SYNC_PATIENCE"

_PATIENCE: Final = 5.0
_EVERY: Final = 1.0
"""How many seconds lie between two looks at the folder."""
_SILENCE: Final = 15.0
"""After how many without anything to send the server is told that we live."""
_SHARE: Final = 0.1
"""Which share of a processor the thread takes while the run goes on."""
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 60.0
_TOLD_AFTER: Final = 3
"""After how many failures in a row there is a warning."""
_GRACE: Final = 0.5


class Sender:
    """A thread that sends what a run records, until it is told to finish.

    It is a daemon: it holds nobody up. A process that is forked off has none.

    Args:
        run: the folder of the run.
        remote: the server.
        problems: told what goes wrong.
    """

    def __init__(self, run: Path, remote: Remote, problems: Problems) -> None:
        self._run = run
        self._remote = remote
        self._problems = problems
        self._told: set[str] = set()
        self._is_ending = threading.Event()
        self._is_given_up = threading.Event()
        self._until = 0.0
        self._patience = 0.0
        self._wire: Wire | None = None
        self._is_settled = False
        """Whether all is there, or it was told why it is not."""
        self._thread = threading.Thread(target=self._send, name="understudy sender", daemon=True)
        self._thread.start()

    def finish(self, patience: float) -> None:
        """Send what is left, for so many seconds at most; then a warning says what to do."""
        self._patience = patience
        self._until = monotonic() + patience
        self._is_ending.set()
        self._thread.join(max(0.0, patience))
        if self._thread.is_alive():
            self._is_given_up.set()
            if self._wire is not None:
                self._wire.cut()
            self._thread.join(_GRACE)
        if not self._is_settled:
            self._warn(
                "left",
                f"not all of the run has reached {self._remote.address}; nothing is lost, and this "
                f"sends it{_with_token(self._remote)}: "
                f"understudy sync --remote {self._remote.address} {self._run}",
            )

    def _send(self) -> None:
        try:
            # imported here, since it takes longer than all the rest of a start
            from ._shipment import Shipment
            from ._wire import Refused, Wire

            self._wire = Wire(self._remote)
            shipment = Shipment(
                self._run, self._wire, self._remote.address, lambda why: self._warn("aside", why)
            )
            try:
                self._is_settled = self._sent(shipment)
            except Refused as refused:
                self._is_settled = True
                self._warn("refused", refusal(self._remote, self._run, refused))
            finally:
                shipment.keep()
                self._wire.close()
        except Exception as error:
            self._warn("broken", f"sending failed: {type(error).__name__}: {error}")

    def _sent(self, shipment: Shipment) -> bool:
        """Send until the run has ended; True if the server has all of it then."""
        from ._wire import Unreachable

        failures = 0
        since = 0.0
        while True:
            heard = shipment.spoke_at
            try:
                if self._is_ending.is_set():
                    return shipment.send_all(lambda: not self._is_given_up.is_set())
                self._send_some(shipment)
                failures = 0
                self._is_ending.wait(_EVERY)
            except Unreachable as problem:
                shipment.doubt()
                failures = failures + 1 if shipment.spoke_at == heard else 1
                since = monotonic() if failures == 1 else since
                if failures == _TOLD_AFTER:
                    self._warn("away", f"{problem}. All is kept in {self._run}, and sent later")
                if not self._wait(problem.wait, failures, since):
                    return False

    def _send_some(self, shipment: Shipment) -> None:
        """Send what there is, and no faster than may be."""
        while not self._is_ending.is_set():
            before = thread_time()
            if not shipment.step(is_last=False):
                break
            self._is_ending.wait((thread_time() - before) * (1 / _SHARE - 1))
        if monotonic() - shipment.spoke_at > _SILENCE:
            shipment.beat()

    def _wait(self, wanted: float | None, failures: int, since: float) -> bool:
        """Wait until it may be tried again; False if that is not worth it."""
        wait = min(_FIRST_WAIT * 2 ** min(failures - 1, 20), _LONGEST_WAIT)
        wait *= random.uniform(0.5, 1)
        due = monotonic() + max(wait, wanted or 0.0)
        if not self._is_ending.wait(due - monotonic()):
            return True
        # The run has ended. What the server wanted is heeded, what we thought of ourselves is not;
        # and one that has been away for long is tried once.
        now = monotonic()
        is_long_away = since < self._until - 2 * self._patience
        if self._is_given_up.is_set() or (is_long_away and self._once("last")):
            return False
        soon = now if is_long_away else min(due, now + _FIRST_WAIT)
        again = soon if wanted is None else due
        return again < self._until and not self._is_given_up.wait(again - now)

    def _once(self, what: str) -> bool:
        """Tell whether something was done before; from now on it was."""
        done = what in self._told
        self._told.add(what)
        return done

    def _warn(self, what: str, text: str) -> None:
        with suppress(Exception):  # in this thread there is nobody to raise to
            if not self._once(what):
                self._problems.warn("remote", text)


def start_sender(run: Path, remote: Remote, problems: Problems) -> Sender | None:
    """Begin to send a run; without a token there is a warning, and nothing is sent."""
    if remote.token is None:
        problems.warn(
            "remote",
            f"nothing is sent, and all is recorded nevertheless: {no_token(remote)};"
            " Run(..., token=...) takes one, too",
        )
        return None
    return Sender(run, remote, problems)


def no_token(remote: Remote) -> str:
    """Return what has a token, if there is none."""
    from ._remote import REMOTE, TOKEN, tokens_file

    if not remote.is_named:
        return (
            f"only its folder names {remote.address}, and it may be somebody else's: say --remote,"
            f" or {REMOTE}, to have {TOKEN} sent there; or keep a token for it in {tokens_file()}"
        )
    return (
        f"there is no token for {remote.address}: {TOKEN} of the environment, or "
        f'{{"{remote.address}": "us_..."}} in {tokens_file()} has one'
    )


def refusal(remote: Remote, run: Path, refused: Exception) -> str:
    """Return what to tell, while a run is recorded, of a server that will not have it."""
    return (
        f"{run} is no longer sent to {refused_by(remote, refused)}. All is recorded nevertheless; "
        f"`understudy sync --remote {remote.address} {run}` tries again{_with_token(remote)}"
    )


def refused_by(remote: Remote, refused: Exception) -> str:
    """Return which server will not have a run, why, and what to do."""
    from ._wire import Refused

    status = refused.status if isinstance(refused, Refused) else 0
    if status == 401:
        advice = "the token is not one of its own: `understudy server token add` there makes one"
    elif status == 403:
        advice = "the token is not for this project, or only for reading"
    elif status == 404:
        advice = "is that the address of a server of runs?"
    else:
        advice = "what it has stays as it is"
    return f"{remote.address}: {refused}: {advice}"


def _with_token(remote: Remote) -> str:
    """Return where a token is to be put for another command, which would not find it itself."""
    from ._remote import TOKEN, tokens_file

    return f", with its token in {TOKEN} or in {tokens_file()}" if remote.is_handed else ""


def patience() -> float:
    """Return how many seconds the end of a run waits for a server."""
    try:
        seconds = float(os.environ.get(PATIENCE, ""))
    except ValueError:
        return _PATIENCE
    return min(max(0.0, seconds), threading.TIMEOUT_MAX) if not isnan(seconds) else _PATIENCE

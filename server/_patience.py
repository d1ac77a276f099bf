"""How long the head of a request may take, and what nobody waits for: who dawdles is let go."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def patient(seconds: float) -> type[asyncio.Protocol]:
    """Return the protocol of HTTP that waits so long for the head of a request, and no longer.

    uvicorn itself waits for ever: only between two requests it has an end.

    Args:
        seconds: how long.
    """

    class Patient(H11Protocol):
        _end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            """Begin to wait."""
            super().connection_made(transport)
            self._end = self.loop.call_later(seconds, self._give_up)

        def data_received(self, data: bytes) -> None:
            """Wait for the rest of a head, from its first byte on."""
            super().data_received(data)
            if self._is_waiting() and self._end is None:
                self._end = self.loop.call_later(seconds, self._give_up)
            elif not self._is_waiting() and self._end is not None:
                self._end.cancel()
                self._end = None

        def connection_lost(self, exc: Exception | None) -> None:
            """Wait no longer."""
            if self._end is not None:
                self._end.cancel()
            super().connection_lost(exc)

        def _give_up(self) -> None:
            self._end = None
            if self._is_waiting() and not self.transport.is_closing():
                self.transport.close()

        def _is_waiting(self) -> bool:
            """Tell whether a head is on its way, or a body that was answered before its end."""
            return self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE

    return Patient

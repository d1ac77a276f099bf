"""The sources of a sink: who has something for it, which it has to come for."""

import threading
import weakref
from typing import Protocol, final


class Source(Protocol):
    """Who has something for a sink, and hands it over when asked to."""

    def hand_over(self) -> bool:
        """Put what there is; False if there was nothing, and it tells when there is again."""
        ...


@final
class Sources:
    """Those who have said that they have something, until they have nothing any more.

    Example:
        >>> from understudy._sources import Sources
        >>> class Letters:
        ...     left = 1
        ...     def hand_over(self) -> bool:
        ...         self.left -= 1
        ...         return self.left >= 0
        >>> sources = Sources()
        >>> sources.add(Letters())
        >>> sources.fetch(), bool(sources)
        (None, True)
        >>> sources.fetch(), bool(sources)
        (None, False)
    """

    def __init__(self) -> None:
        self._said: dict[Source, int] = {}
        """How often anybody had said so when each did: to see that one says it again."""
        self._known: weakref.WeakSet[Source] = weakref.WeakSet()
        self._count = 0
        self.begin()

    def begin(self) -> None:
        """Have a lock that nobody holds, as in a forked child a thread may that is gone."""
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._said)

    def add(self, source: Source) -> None:
        """Be told that a source has something."""
        with self._lock:
            self._count += 1
            self._said[source] = self._count
            self._known.add(source)

    def ask_all(self) -> None:
        """Ask also those, next time, that have had something before."""
        for source in [*self._known]:
            self.add(source)

    def fetch(self) -> None:
        """Have all of them hand over what they have, in this thread."""
        with self._lock:
            said = [*self._said.items()]
        for source, number in said:
            try:
                is_left = source.hand_over()
            except Exception:  # out of memory, say: it tells when there is more
                is_left = False
            if not is_left:
                with self._lock:
                    if self._said.get(source) == number:
                        del self._said[source]

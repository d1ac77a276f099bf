"""Counted: how often each of many names came up, the most frequent by name."""

from typing import final

import msgspec

from ._texts import name_of


@final
class Counted(msgspec.Struct, gc=False):
    """How often each name came up; of too many names the rarest are kept as one number.

    It holds up to twice as many names as it is to keep; on top of that the rarest half goes to
    `rest`. So `total` is exact always, and each count as long as there are not too many names; then
    a count is what was seen since the name was last among the kept ones.

    Attributes:
        most: how many names are kept.
        names: the names and how often each came up.
        rest: how often all the others did.

    Example:
        >>> from understudy.dashboard import Counted
        >>> counted = Counted()
        >>> for reason in ["limit", "circuit_open", "limit"]:
        ...     counted.add(reason)
        >>> counted.ranked(), counted.total
        ({'limit': 2, 'circuit_open': 1}, 3)
    """

    most: int = 20
    names: dict[str, int] = {}
    rest: int = 0

    def add(self, name: str, count: int = 1) -> None:
        """Count a name."""
        names = self.names
        if name in names:
            names[name] += count
        else:
            name = name_of(name)
            names[name] = names.get(name, 0) + count
            if len(names) > 2 * self.most:
                self._keep_most()

    def merge(self, other: "Counted") -> None:
        """Add what another one counted."""
        for name, count in other.names.items():
            self.names[name] = self.names.get(name, 0) + count
        self.rest += other.rest
        if len(self.names) > 2 * self.most:
            self._keep_most()

    @property
    def total(self) -> int:
        """How often any name came up."""
        return sum(self.names.values()) + self.rest

    def ranked(self) -> dict[str, int]:
        """Return the most frequent names, those first; all the others as `(others)`."""
        ordered = sorted(self.names.items(), key=_by_count)
        found = dict(ordered[: self.most])
        others = self.rest + sum(count for _, count in ordered[self.most :])
        return {**found, "(others)": others} if others else found

    def _keep_most(self) -> None:
        ordered = sorted(self.names.items(), key=_by_count)
        self.names = dict(ordered[: self.most])
        self.rest += sum(count for _, count in ordered[self.most :])


def _by_count(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]

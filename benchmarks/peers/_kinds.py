"""The kinds of call that are measured, and what an answer has to be."""

from typing import Final

import msgspec

ITEMS: Final = 100


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of call."""

    key: str
    title: str
    floor: str
    """What the same work costs without any library: all ratios are to that."""
    calls: int = 1_000
    """How many calls are made in one run."""
    is_fixed: bool = False
    """Whether it has to be that many, as they are in flight at once."""
    per_call: int = 1
    """How many operations one call is; times are told per operation."""
    is_wall: bool = False
    """Whether it is told in wall time, as threads are part of it."""

    def right(self, calls: int) -> int:
        """Return what the last of so many calls has to answer; each answers what it is given."""
        return ITEMS - 1 if self.per_call == ITEMS else calls - 1


_T: Final = "await create_task(fn(x))"
_TASKS: Final = "as many tasks, each awaited"

KINDS: Final = {
    kind.key: kind
    for kind in (
        Kind(key="single", title="single: one call at a time", floor=_T),
        Kind(
            key="shadow_1",
            title="shadow with 1, until all have played",
            floor="a task for the shadow, await fn(x), await the task",
            calls=300,
        ),
        Kind(
            key="shadow_3",
            title="shadow with 3, until all have played",
            floor="a task for each shadow, await fn(x), await the tasks",
            calls=300,
        ),
        Kind(
            key="multi_4",
            title="multi-branch of 4: all four answers",
            floor="await gather of four",
            calls=300,
        ),
        Kind(key="robin_4", title="round-robin over 4", floor=_T),
        Kind(
            key="nested_2",
            title="nested, two deep",
            floor="await create_task(outer(x)), which awaits fn(x)",
        ),
        Kind(
            key="stream_100",
            title="a stream of 100 items, per item",
            floor="async for, over the bare async generator",
            calls=20,
            per_call=ITEMS,
        ),
        Kind(key="sync_direct", title="a sync function, called directly", floor="fn(x)"),
        Kind(
            key="sync_shadow",
            title="a sync function, called directly, shadow with 1, until both have played",
            floor="executor.submit(fn, x), fn(x), and a wait at the end",
            calls=300,
            is_wall=True,
        ),
        Kind(
            key="bridge",
            title="a sync function, awaited, out of the loop's way",
            floor="loop.run_in_executor, one thread",
            calls=300,
            is_wall=True,
        ),
        Kind(
            key="bridge_1000",
            title="the same, 1,000 in flight",
            floor="1,000 x loop.run_in_executor, one thread",
            calls=1_000,
            is_fixed=True,
            is_wall=True,
        ),
        Kind(
            key="flight_1000",
            title="1,000 in flight, each suspends once",
            floor=_TASKS,
            is_fixed=True,
        ),
        Kind(
            key="flight_10000",
            title="10,000 in flight, each suspends once",
            floor=_TASKS,
            calls=10_000,
            is_fixed=True,
        ),
    )
}

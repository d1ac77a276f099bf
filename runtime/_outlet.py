from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Outlet(Generic[T]):
    def __init__(self, name: str, consume: Any, capacity: int = 1) -> None:
        self.c = consume
        self.dropped = 0

    def put(self, x: T) -> bool:
        self.c([x])
        return True

    def flush(self, t: float) -> bool:
        return True

    def close(self, t: float) -> bool:
        return True

"""Every runtime that a test makes is left in order, as in tests/runtime."""

import pytest

from tests.runtime.conftest import in_order

__all__ = ["in_order"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

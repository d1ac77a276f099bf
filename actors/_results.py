"""What a branch ends with: the FunctionResult; and what a call ends with: all of them."""

import reprlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from understudy.configs import UnderstudyError

from ._branch import Role
from ._case import ExperimentCase, roles_in

T = TypeVar("T")

Status = Literal["ok", "error", "timeout", "cancelled", "shed", "skipped"]

_LONGEST: Final = 60
"""How many characters of a value are shown."""

_MOST: Final = 20
"""How many results are shown."""


class FunctionResult(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """The one terminal message of a branch.

    Attributes:
        result: what the function returned; None unless the status is `ok`. Of a stream the items,
            whatever the status, as far as they were kept: a lead's too are kept up to
            `StreamLimits`, with the status `ok` where more came. Then `items` is more than
            `len(result)`.
        exception_info: the exception it raised, the object itself.
        experiment_case: which config it played, and which the experiments inside it.
        status: `ok`, `error`, `timeout`, `cancelled`, `shed` or `skipped`.
        reason: why it was played, or why not.
        role: `primary`, `shadow` or `branch`.
        timestamp: when it started (or, if it did not, ended), in seconds since 1970.
        duration: how many seconds it ran.
        queue_time: how many seconds it waited in the mailbox first.
        call_id: the call it belongs to.
        branch_id: itself.
        parent_branch_id: the branch that made the call; None for a call from outside.
        items: how many items a stream gave, before a limit ended it, also those that were not
            kept; None for a function that gives one value.
        first_item: after how many seconds the first came, waiting in the mailbox included.

    Example:
        >>> import asyncio
        >>> from understudy import Config, Runtime
        >>> runtime = Runtime(configs=[{"model": "large"}])
        >>> @runtime.experiment()
        ... async def answer(prompt: str, config: Config) -> str:
        ...     return f"{config.model}: {prompt}"
        >>> outcome = asyncio.run(runtime.collect(answer, "hello")).main_result
        >>> outcome.status, outcome.role, outcome.unwrap()
        ('ok', 'primary', 'large: hello')
        >>> outcome  # doctest: +ELLIPSIS
        <FunctionResult answer[large] primary ok 'large: hello' ... ms>
    """

    result: T | None
    exception_info: BaseException | None
    experiment_case: ExperimentCase
    status: Status
    reason: str
    role: Role
    timestamp: float
    duration: float
    queue_time: float
    call_id: str
    branch_id: str
    parent_branch_id: str | None
    items: int | None = None
    first_item: float | None = None

    @property
    def started_at(self) -> datetime:
        """When it started, with the time zone UTC."""
        return datetime.fromtimestamp(self.timestamp, UTC)

    def unwrap(self) -> T:
        """Return the value, or raise what was raised.

        Raises:
            UnderstudyError: it did not run: shed or skipped.
        """
        if self.exception_info is not None:
            raise self.exception_info
        if self.status != "ok":
            config = self.experiment_case.config.label
            raise UnderstudyError(
                f"{self.experiment_case.experiment} did not play {config!r}: "
                f"{self.status} ({self.reason})"
            )
        return self.result  # type: ignore[return-value]  # ok: it is what the function returned

    def __repr__(self) -> str:
        return f"<FunctionResult {_line(self)}>"


class ExperimentCaseResults(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """What all branches of one call ended with: the main one first, then in config order.

    Attributes:
        main_result: that of the config that answers.
        variant_results: those of the others, also of those that did not run.

    Example:
        >>> import asyncio
        >>> from understudy import Config, MultiBranchStrategy, Runtime
        >>> runtime = Runtime(configs=[{"n": 1}, {"n": 2}], strategy=MultiBranchStrategy())
        >>> @runtime.experiment()
        ... async def double(config: Config) -> int:
        ...     return 2 * config.n
        >>> [each.result for each in asyncio.run(double())]
        [2, 4]
        >>> asyncio.run(double())  # doctest: +ELLIPSIS
        <ExperimentCaseResults
          double[1] branch ok 2 ... ms
          double[2] branch ok 4 ... ms>
    """

    main_result: FunctionResult[T]
    variant_results: list[FunctionResult[T]]

    def __iter__(self) -> Iterator[FunctionResult[T]]:
        yield self.main_result
        yield from self.variant_results

    def __len__(self) -> int:
        return 1 + len(self.variant_results)

    def __getitem__(self, place: int) -> FunctionResult[T]:
        results: list[FunctionResult[T]] = [*self]
        return results[place]

    def by_config(self, config: str) -> FunctionResult[T]:
        """Return the result of a config, by its id or label.

        Raises:
            UnderstudyError: there is none, or more than one.
        """
        found = [
            each
            for each in self
            if config in (each.experiment_case.config.id, each.experiment_case.config.label)
        ]
        if len(found) == 1:
            return found[0]
        known = ", ".join(repr(each.experiment_case.config.label) for each in self)
        raise UnderstudyError(f"{len(found)} results of config {config!r}; there are {known}")

    @property
    def succeeded(self) -> list[FunctionResult[T]]:
        """Those with status `ok`."""
        return [each for each in self if each.status == "ok"]

    @property
    def failed(self) -> list[FunctionResult[T]]:
        """Those with status `error` or `timeout`."""
        return [each for each in self if each.status in ("error", "timeout")]

    def __repr__(self) -> str:
        lines = [_line(each) for each in [*self][:_MOST]]
        if len(self) > _MOST:
            lines.append(f"and {len(self) - _MOST} more")
        return "\n  ".join(["<ExperimentCaseResults", *lines]) + ">"


def _line(result: FunctionResult[Any]) -> str:
    """Say in one line who played, and what came of it."""
    words = [roles_in(result.experiment_case), result.role, result.status]
    if result.status in ("shed", "skipped"):
        return " ".join([*words, f"({result.reason})"])
    error = result.exception_info
    words.append(_shown(result.result if error is None else error))
    milliseconds = 1e3 * result.duration
    return " ".join([*words, f"{milliseconds:.{1 if milliseconds >= 1 else 2}f} ms"])


def _shown(value: object) -> str:
    """Return the repr of a value in one line, cut; a value that has none is named."""
    try:
        text = _short.repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
    if "\n" in text:
        text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


_short: Final = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = _LONGEST

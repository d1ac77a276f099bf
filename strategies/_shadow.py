"""ShadowStrategy: the first config answers, the others run out of the caller's way."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, final

from understudy.configs import Config

from ._errors import StrategyError
from ._kept import Kept
from ._options import flag_problem, limit_problem, rate_problem, timeout_problem
from ._plan import Call, Plan
from ._share import share_of

if TYPE_CHECKING:
    from random import Random

_set = object.__setattr__

_DEFAULTS: dict[str, Any] = {
    "sample": 1.0,
    "by": "call",
    "limit": None,
    "timeout": None,
    "after_primary": False,
    "cancel_with_primary": False,
    "seed": None,
    "salt": "",
}


@final
class ShadowStrategy:
    """The first config answers; the others run beside it, where the caller does not notice.

    Args:
        sample: of how many calls, or keys, the shadows run: a rate from 0 to 1. Where they do
            not, they are among the `skipped` of the plan, as `sampled_out`.
        by: `call` draws for each call. `key` decides by the key of the call: a user or session
            always or never has shadows, in every process, and one that has them at some rate has
            them at any higher rate. A call without a key is drawn for.
        limit: how many shadows of each config may be in flight; more are shed, and a config that
            hangs takes nothing from the others.
        timeout: how many seconds a shadow may take.
        after_primary: start the shadows when the primary has ended, instead of beside it.
        cancel_with_primary: cancel the shadows when the caller is cancelled.
        seed: makes the draws of `by="call"` repeatable.
        salt: another one makes another choice of keys, independent of the first.

    Raises:
        StrategyError: an option is not what it can be.

    Example:
        >>> from understudy import Config
        >>> from understudy.strategies import Call, ShadowStrategy
        >>> configs = (Config(model="large"), Config(model="small"))
        >>> strategy = ShadowStrategy(sample=0.1, by="key")
        >>> users = [Call(print, key=f"user-{number}") for number in range(1000)]
        >>> sum(len(strategy.plan(user, configs).shadows) for user in users)
        108
        >>> strategy
        ShadowStrategy(sample=0.1, by='key')
    """

    __module__ = "understudy.strategies"

    __slots__ = (*_DEFAULTS, "_plans_of", "_random")

    sample: float
    by: Literal["call", "key"]
    limit: int | None
    timeout: float | None
    after_primary: bool
    cancel_with_primary: bool
    seed: int | None
    salt: str
    _random: "Random"
    _plans_of: Kept[tuple[Plan, Plan]]

    def __init__(
        self,
        *,
        sample: float = 1.0,
        by: Literal["call", "key"] = "call",
        limit: int | None = None,
        timeout: float | None = None,
        after_primary: bool = False,
        cancel_with_primary: bool = False,
        seed: int | None = None,
        salt: str = "",
    ) -> None:
        options = (sample, by, limit, timeout, after_primary, cancel_with_primary, seed, salt)
        for name, value in zip(_DEFAULTS, options, strict=True):
            problem = _problem(name, value)
            if problem is not None:
                raise StrategyError(f"ShadowStrategy({name}={value!r}): {problem}")
            _set(self, name, value)
        if sample not in (0, 1):
            from random import Random  # not before it is needed: it takes long to import

            _set(self, "_random", Random(seed))
        _set(self, "_plans_of", Kept(self._plans))

    def plan(self, call: Call, configs: Sequence[Config]) -> Plan:
        """Return the plan of one call.

        Raises:
            StrategyError: the key of the call, which decides, has no stable form.
        """
        return self._plans_of(configs)[self._is_sampled(call)]

    def fixed(self, configs: Sequence[Config]) -> Plan | None:
        """Return the plan of every call, if all calls have shadows or none has."""
        return self._plans(tuple(configs))[self.sample == 1] if self.sample in (0, 1) else None

    def fresh(self) -> "ShadowStrategy":
        """Return a strategy with the same options, whose draws begin anew."""
        return _made(self._options())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShadowStrategy) and self._options() == other._options()

    def __hash__(self) -> int:
        return hash(tuple(self._options().items()))

    def __repr__(self) -> str:
        given = self._options().items()
        changed = [f"{name}={value!r}" for name, value in given if value != _DEFAULTS[name]]
        return f"ShadowStrategy({', '.join(changed)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self._options(),)

    if not TYPE_CHECKING:  # for type checkers there is nothing to call

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(f"{name}: the options of a ShadowStrategy stay: make another one")

        def __delattr__(self, name: str) -> None:
            raise AttributeError(f"{name}: the options of a ShadowStrategy stay: make another one")

    def _options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _DEFAULTS}

    def _is_sampled(self, call: Call) -> bool:
        if self.sample in (0, 1):
            return self.sample == 1
        if self.by == "key" and call.key is not None:
            return share_of(call.key, self.salt) < self.sample
        return self._random.random() < self.sample

    def _plans(self, configs: tuple[Config, ...]) -> tuple[Plan, Plan]:
        """Make the plans of a call without shadows, and of one with them."""
        return self._with(configs, ()), self._with(configs, configs[1:])

    def _with(self, configs: tuple[Config, ...], shadows: tuple[Config, ...]) -> Plan:
        skipped = () if shadows else tuple((config, "sampled_out") for config in configs[1:])
        return Plan(
            primary=configs[0],
            shadows=shadows,
            skipped=skipped,
            limit=self.limit,
            timeout=self.timeout,
            after_primary=self.after_primary,
            cancel_with_primary=self.cancel_with_primary,
        )


def _made(options: dict[str, Any]) -> ShadowStrategy:
    return ShadowStrategy(**options)


def _problem(name: str, value: object) -> str | None:
    """Say what is wrong with an option, if anything is."""
    match name:
        case "sample":
            return rate_problem(value)
        case "by":
            return None if value in ("call", "key") else "it takes 'call' or 'key'"
        case "limit":
            return limit_problem(value)
        case "timeout":
            return timeout_problem(value)
        case "seed":
            is_seed = value is None or (isinstance(value, int) and not isinstance(value, bool))
            return None if is_seed else "it takes a whole number, or None for any"
        case "salt":
            return None if isinstance(value, str) else "it takes a text"
        case _:
            return flag_problem(value)

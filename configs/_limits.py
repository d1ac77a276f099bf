"""How much a file of configs may hold before it is refused."""

from typing import NamedTuple


class Limits(NamedTuple):
    """What stops a broken or hostile source early, with an error that names the limit.

    Example:
        >>> from understudy.configs import Limits
        >>> Limits(max_bytes=50_000_000).max_configs
        100000
    """

    max_bytes: int = 10_000_000
    """The size of one file."""

    max_aliased_values: int = 100_000
    """How many values the `*aliases` of one YAML document may stand for, all told."""

    max_depth: int = 64
    """How deep mappings and lists may be nested, and imports import others."""

    max_configs: int = 100_000
    """How many configs the DynamicValues of one source may expand to."""


DEFAULT_LIMITS = Limits()

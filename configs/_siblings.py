"""Siblings: configs that were made together, told apart by their ids and labels."""

from collections.abc import Sequence

from ._config import Config, placed
from ._errors import ConfigError, ConfigTypeError
from ._labels import Siblings
from ._origin import Origin


def as_siblings(configs: Sequence[Config], origins: Sequence[Origin]) -> list[Config]:
    """Return the configs as they are known beside each other, and where they were written.

    Raises:
        ConfigError: two of them have one id.
    """
    _check_ids(configs, origins)
    siblings = Siblings(configs, lambda index: _id_if_any(configs[index]) or "no-id")
    return [
        placed(config, (siblings, index), origin)
        for index, (config, origin) in enumerate(zip(configs, origins, strict=True))
    ]


def _check_ids(configs: Sequence[Config], origins: Sequence[Origin]) -> None:
    """Refuse two configs with one id; a config that can have none is let pass."""
    first: dict[str, Origin] = {}
    for config, origin in zip(configs, origins, strict=True):
        config_id = _id_if_any(config)
        if config_id in first:
            before = first[config_id]
            problem = f"the same id {config_id!r} as {before.locate(())}: {_advice(before, origin)}"
            raise ConfigError(problem, where=origin.locate(()))
        if config_id is not None:
            first[config_id] = origin


def _advice(before: Origin, origin: Origin) -> str:
    """Say what to do about two configs with one id."""
    for one, other in ((before, origin), (origin, before)):
        name, above = one.layers[-1].name, other.layers[-1].name
        if name != above and name in [layer.name for layer in other.layers]:
            return (
                f"{above} imports {name} and changes nothing; a file that is only there to be "
                f"imported starts with a dot, or lives elsewhere"
            )
    return "configs with the same values are told apart by a `__config_id__` each"


def _id_if_any(config: Config) -> str | None:
    try:
        return config.id
    except ConfigTypeError:
        return None

"""Sources: everything a list of configs can be made from."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from ._adapt import HasFields, fields_of, in_order
from ._compose import Composer
from ._config import Config
from ._config import origin as known_origin
from ._documents import exists, files_in, not_found, read_documents
from ._errors import ConfigError, ConfigTypeError, describe
from ._expand import expand
from ._limits import DEFAULT_LIMITS, Limits
from ._origin import Origin, named
from ._siblings import as_siblings

Source = str | os.PathLike[str] | HasFields
"""A mapping, a Config, an object with fields, or the path of a file or a directory."""


def parse_configs(
    sources: Source | Iterable[Source], *, limits: Limits = DEFAULT_LIMITS
) -> list[Config]:
    """Make Configs from every source listed, in order, with their DynamicValues expanded.

    A source is a mapping, a Config, a msgspec Struct, a dataclass, an attrs or pydantic model, or
    the path of a file (`.yaml`, `.yml`, `.json`, `.jsonl`, `.toml`) or of a directory, which is
    read with all below it, in the order of the paths; names that start with a dot are left out.
    Files are composed as by `load_config`; a YAML of several documents and a JSONL give a config
    each. The keys of a mapping given here are taken as they are, dots included.

    The configs know each other as siblings: each `label` is unique among them.

    Args:
        sources: one source, or any number of them.
        limits: when a source is refused for its size.

    Raises:
        ConfigTypeError: a source is none of these, or a value gives its config no stable id.
        ConfigError: a source is broken or empty, or two configs have the same id.

    Example:
        >>> from understudy import DynamicValue, parse_configs
        >>> small = {"model": "small", "temp": DynamicValue([0, 1])}
        >>> for config in parse_configs([{"model": "large"}, small]):
        ...     print(config.label, config.to_dict())
        large {'model': 'large'}
        small-0 {'model': 'small', 'temp': 0}
        small-1 {'model': 'small', 'temp': 1}
    """
    return parse_into({}, sources, limits)


def parse_into(files: dict[Path, None], sources: Any, limits: Limits) -> list[Config]:
    """Return the configs, and put the files and directories they come from into `files`."""
    composer = Composer(limits, files)
    listed = [sources] if is_one(sources) else [*_listed(sources)]
    configs: list[Config] = []
    origins: list[Origin] = []
    for index, source in enumerate(listed):
        for values, origin in _read(source, f"sources[{index}]", composer, limits):
            expanded = _expanded(values, origin, limits)
            configs += expanded
            origins += [origin] * len(expanded)
    return as_siblings(configs, origins)


def is_one(sources: object) -> bool:
    """Tell whether this is one source, and not several."""
    return isinstance(sources, (str, os.PathLike)) or fields_of(sources) is not None


def _listed(sources: Any) -> Iterable[Any]:
    several = in_order(sources)
    if several is None or isinstance(sources, bytearray):
        raise ConfigTypeError(f"expected a list of sources, got {describe(sources)}: {_ONE_OF}")
    return several


_ONE_OF = (
    "a source is a mapping, a Config, an object with fields (Struct, dataclass, model), or a path"
)


def _read(
    source: Any, place: str, composer: Composer, limits: Limits
) -> Iterator[tuple[Mapping[str, Any], Origin]]:
    if isinstance(source, (str, os.PathLike)):
        path = Path(cast("str | os.PathLike[str]", source))
        if not os.fspath(source):
            raise ConfigError("a path is a text that is not empty", where=place)
        if not exists(path):
            raise not_found(path)
        composer.files[path] = None
        for file in files_in(path) if path.is_dir() else [path]:
            for document in read_documents(file, limits):
                yield composer.compose(file, document)
        return
    fields = source if isinstance(source, Config) else fields_of(source)
    if fields is None:
        raise ConfigTypeError(f"got {describe(source)}: {_ONE_OF}", where=place)
    known = known_origin(source) if isinstance(source, Config) else None
    yield fields, known or named(place)


def _expanded(values: Mapping[str, Any], origin: Origin, limits: Limits) -> list[Config]:
    try:
        configs = expand(values, limits=limits)
        for config in configs:
            config.id  # noqa: B018  an id that cannot be made is an error of the source
    except ConfigError as error:
        raise error.located(origin.locate(error.path)) from None
    return configs

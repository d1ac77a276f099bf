"""Configs: sources, composed, expanded, frozen, and bound to typed parameters.

Layout, in the order a config travels:

    _documents  files, and what stands in them (_yaml, _json, _numbers, _limits)
    _compose    imports and `merge` (_overlay is the rule, _origin says what came from where)
    _sources    `parse_configs`: everything a config can be made from (_adapt)
    _expand     DynamicValue; _sweep: `sweep`, `grid` and the other helpers
    _config     Config; _freeze makes it, _canonical its id, _paths reads it; _siblings, _labels
    _secret     which keys say that their values are not to be shown
    _bind       Bind; _binder: Binder (_slots, _annotations find, _missed,
                _convert, _share, _injection fill)
    _registry   `register`; _build: `build`
    _watch      reload

A room is imported when a name of it is first used.
"""

from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for true; importing it would cost more than we do

if TYPE_CHECKING:
    from ._bind import Bind as Bind
    from ._binder import Binder as Binder
    from ._build import build as build
    from ._compose import load_config as load_config
    from ._compose import merge as merge
    from ._config import Config as Config
    from ._config import origin_of as origin_of
    from ._errors import ConfigError as ConfigError
    from ._errors import ConfigFileNotFoundError as ConfigFileNotFoundError
    from ._errors import ConfigKeyError as ConfigKeyError
    from ._errors import ConfigTypeError as ConfigTypeError
    from ._errors import ExtraNotInstalledError as ExtraNotInstalledError
    from ._errors import RegistryError as RegistryError
    from ._errors import UnderstudyError as UnderstudyError
    from ._errors import describe as describe
    from ._expand import DynamicValue as DynamicValue
    from ._expand import expand as expand
    from ._injection import Injection as Injection
    from ._limits import Limits as Limits
    from ._registry import register as register
    from ._secret import is_secret as is_secret
    from ._sources import parse_configs as parse_configs
    from ._sweep import frange as frange
    from ._sweep import grid as grid
    from ._sweep import linspace as linspace
    from ._sweep import logspace as logspace
    from ._sweep import sample as sample
    from ._sweep import sweep as sweep
    from ._sweep import where as where
    from ._sweep import zip_ as zip_
    from ._watch import Reload as Reload
    from ._watch import watch_configs as watch_configs

__all__ = [
    "Bind",
    "Binder",
    "Config",
    "ConfigError",
    "ConfigFileNotFoundError",
    "ConfigKeyError",
    "ConfigTypeError",
    "DynamicValue",
    "ExtraNotInstalledError",
    "Injection",
    "Limits",
    "RegistryError",
    "Reload",
    "UnderstudyError",
    "build",
    "describe",
    "expand",
    "frange",
    "grid",
    "is_secret",
    "linspace",
    "load_config",
    "logspace",
    "merge",
    "origin_of",
    "parse_configs",
    "register",
    "sample",
    "sweep",
    "watch_configs",
    "where",
    "zip_",
]

_ROOMS = {
    "Bind": "_bind",
    "Binder": "_binder",
    "Config": "_config",
    "ConfigError": "_errors",
    "ConfigFileNotFoundError": "_errors",
    "ConfigKeyError": "_errors",
    "ConfigTypeError": "_errors",
    "DynamicValue": "_expand",
    "ExtraNotInstalledError": "_errors",
    "Injection": "_injection",
    "Limits": "_limits",
    "RegistryError": "_errors",
    "Reload": "_watch",
    "UnderstudyError": "_errors",
    "build": "_build",
    "describe": "_errors",
    "expand": "_expand",
    "frange": "_sweep",
    "grid": "_sweep",
    "is_secret": "_secret",
    "linspace": "_sweep",
    "load_config": "_compose",
    "logspace": "_sweep",
    "merge": "_compose",
    "origin_of": "_config",
    "parse_configs": "_sources",
    "register": "_registry",
    "sample": "_sweep",
    "sweep": "_sweep",
    "watch_configs": "_watch",
    "where": "_sweep",
    "zip_": "_sweep",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

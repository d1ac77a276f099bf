"""Understudy: one function under many configurations.

Layout: the folders at the root of the repository are the packages.

    understudy.configs   sources, composed, expanded, frozen, bound to typed parameters

Names are imported when they are first used, so that `import understudy` costs next to nothing.
"""

TYPE_CHECKING = False  # what type checkers take for true; importing it would cost more than we do

if TYPE_CHECKING:
    from understudy.configs import Bind as Bind
    from understudy.configs import Config as Config
    from understudy.configs import ConfigError as ConfigError
    from understudy.configs import ConfigFileNotFoundError as ConfigFileNotFoundError
    from understudy.configs import ConfigKeyError as ConfigKeyError
    from understudy.configs import ConfigTypeError as ConfigTypeError
    from understudy.configs import DynamicValue as DynamicValue
    from understudy.configs import ExtraNotInstalledError as ExtraNotInstalledError
    from understudy.configs import RegistryError as RegistryError
    from understudy.configs import UnderstudyError as UnderstudyError
    from understudy.configs import build as build
    from understudy.configs import frange as frange
    from understudy.configs import grid as grid
    from understudy.configs import linspace as linspace
    from understudy.configs import load_config as load_config
    from understudy.configs import logspace as logspace
    from understudy.configs import merge as merge
    from understudy.configs import parse_configs as parse_configs
    from understudy.configs import register as register
    from understudy.configs import sample as sample
    from understudy.configs import sweep as sweep
    from understudy.configs import where as where
    from understudy.configs import zip_ as zip_

    __version__: str

__all__ = [
    "Bind",
    "Config",
    "ConfigError",
    "ConfigFileNotFoundError",
    "ConfigKeyError",
    "ConfigTypeError",
    "DynamicValue",
    "ExtraNotInstalledError",
    "RegistryError",
    "UnderstudyError",
    "build",
    "frange",
    "grid",
    "linspace",
    "load_config",
    "logspace",
    "merge",
    "parse_configs",
    "register",
    "sample",
    "sweep",
    "where",
    "zip_",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("understudy")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from understudy import configs

    value: object = getattr(configs, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

"""What can go wrong with a config, each error saying what, where and what to do."""

from typing import Any, Self

from ._keypath import KeyPath, format_path


class UnderstudyError(Exception):
    """The base of every error this package raises by itself.

    Example:
        >>> from understudy import Config, UnderstudyError
        >>> try:
        ...     Config({"model": "large"})["modle"]
        ... except UnderstudyError as error:
        ...     print(error)
        no key 'modle' (did you mean 'model'?)
    """

    __module__ = "understudy.configs"


class ConfigError(UnderstudyError, ValueError):
    """A config, a file of configs or a path into one is not what it should be.

    Args:
        problem: what is wrong, and what to do about it.
        path: the keys that lead to the value.
        where: the file and line, or the place in a list, where the value was written.

    Example:
        >>> from understudy import ConfigError, DynamicValue
        >>> try:
        ...     DynamicValue([])
        ... except ConfigError as error:
        ...     print(error)
        a DynamicValue needs at least one value
    """

    __module__ = "understudy.configs"

    def __init__(self, problem: str, path: KeyPath = (), where: str | None = None) -> None:
        super().__init__(": ".join(part for part in (where, format_path(path), problem) if part))
        self.problem = problem
        self.path = path
        self.where = where

    def __str__(self) -> str:  # KeyError and OSError would each print it in their own way
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problem, self.path, self.where)

    def located(self, where: str | None) -> Self:
        """Return the same error, saying where; one that knows already is returned as it is."""
        return self if self.where is not None else type(self)(self.problem, self.path, where)


class ConfigTypeError(ConfigError, TypeError):
    """A value has a type that cannot stand where it stands.

    Example:
        >>> from understudy import ConfigTypeError, parse_configs
        >>> try:
        ...     parse_configs([{"model": "large"}, 7])
        ... except ConfigTypeError as error:
        ...     print(str(error).partition(":")[0])
        sources[1]
    """

    __module__ = "understudy.configs"


class ConfigKeyError(ConfigError, KeyError):
    """A config has nothing under a key or a path.

    Example:
        >>> from understudy import Config, ConfigKeyError
        >>> try:
        ...     Config({"llm": {"model": "large"}}).at("llm.temp")
        ... except ConfigKeyError as error:
        ...     print(error)
        llm: no key 'temp' (it has 'model')
    """

    __module__ = "understudy.configs"


class ConfigFileNotFoundError(ConfigError, FileNotFoundError):
    """A file or directory named as a source of configs does not exist.

    Example:
        >>> from understudy import ConfigFileNotFoundError, load_config
        >>> try:
        ...     load_config("nowhere.yaml")
        ... except ConfigFileNotFoundError as error:
        ...     print(str(error).partition(":")[0])
        nowhere.yaml
    """

    __module__ = "understudy.configs"


class ExtraNotInstalledError(UnderstudyError, ModuleNotFoundError):
    """A package is missing that only an extra of this one brings.

    Example:
        >>> from understudy.configs import ExtraNotInstalledError
        >>> print(ExtraNotInstalledError("watch_configs", "watchfiles"))
        watch_configs needs watchfiles, which is not installed: pip install watchfiles
    """

    __module__ = "understudy.configs"

    def __init__(self, what: str, package: str, *others: str) -> None:
        packages = package, *others
        absent = "which are not installed" if others else "which is not installed"
        super().__init__(
            f"{what} needs {' and '.join(packages)}, {absent}: pip install {' '.join(packages)}"
        )
        self.what = what
        self.package = package
        self._others = others

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.package, *self._others)


class RegistryError(UnderstudyError, RuntimeError):
    """A registered name is already taken by another class.

    Example:
        >>> from understudy import RegistryError, register
        >>> @register
        ... class Encoder: ...
        >>> try:
        ...     register(type("Encoder", (), {"__qualname__": "elsewhere.Encoder"}))
        ... except RegistryError as error:
        ...     print(str(error).partition(":")[0])
        'Encoder' is already registered
    """

    __module__ = "understudy.configs"


def describe(value: object) -> str:
    """Name a value for an error message without showing it.

    Example:
        >>> from understudy.configs import describe
        >>> describe([1, 2]), describe(len), describe(None)
        ('a list', 'the function len', 'None')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return f"the function {name}"
    if isinstance(value, frozenset):
        return "a set"
    kind = "None" if value is None else type(value).__name__
    article = "an " if kind[0] in "aeiouAEIOU" else "a "
    return kind if value is None else article + kind

"""Composition: files that import others, and `merge`, the rule they are laid together by."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ._adapt import fields_of
from ._config import Config, made_config
from ._documents import Document, read_documents
from ._errors import ConfigError, ConfigFileNotFoundError, ConfigTypeError, describe
from ._freeze import ID_KEY
from ._keypath import KeyPath
from ._limits import DEFAULT_LIMITS, Limits
from ._origin import Layer, Origin
from ._overlay import key_path, overlay

IMPORTS_KEY = "imports"


def merge(base: Mapping[str, Any], update: Mapping[str, Any]) -> Config:
    """Lay one mapping over another: plain keys replace, dotted keys update what is nested.

    Neither argument is changed. An id that `base` was given stays behind.

    Raises:
        ConfigError: a dotted key leads through something that has no keys.

    Example:
        >>> from understudy import merge
        >>> base = {"model": {"size": 256, "layers": 4}, "seed": 1}
        >>> merge(base, {"model.size": 512}).to_dict()
        {'model': {'size': 512, 'layers': 4}, 'seed': 1}
        >>> merge(base, {"model": {"size": 512}}).to_dict()
        {'model': {'size': 512}, 'seed': 1}
    """
    return Config(overlay(Config(_mapping(base)).to_dict(), _mapping(update)))


def load_config(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Config:
    """Read one config from a file, with the files it imports.

    `imports:` names one file or a list of them, relative to the file that says so. They are laid
    down in their order, each file once, and the file's own keys over them, by the rule of
    `merge`. The file ends in `.yaml`, `.yml`, `.json`, `.jsonl` or `.toml`.

    Raises:
        ConfigFileNotFoundError: the file, or one it imports, does not exist.
        ConfigError: what is wrong, with file, line and path.

    Example:
        >>> import pathlib
        >>> from understudy import load_config
        >>> _ = pathlib.Path("base.yaml").write_text("model: {size: 256, layers: 4}")
        >>> _ = pathlib.Path("large.yaml").write_text("{imports: base.yaml, model.size: 512}")
        >>> load_config("large.yaml").model.to_dict()
        {'size': 512, 'layers': 4}
    """
    if not isinstance(cast("object", path), (str, os.PathLike)):
        raise ConfigTypeError(f"load_config takes the path of a file, not {describe(path)}")
    file = Path(path)
    documents = read_documents(file, limits)
    if len(documents) > 1:
        problem = (
            f"holds {len(documents)} configs: `parse_configs` reads them all, `load_config` one"
        )
        raise ConfigError(problem, where=str(file))
    values, origin = Composer(limits, {}).compose(file, documents[0])
    return made_config(values, origin)


class Composer:
    """Composes documents, and remembers which files it read."""

    def __init__(self, limits: Limits, files: dict[Path, None]) -> None:
        self._limits = limits
        self.files = files

    def compose(self, file: Path, document: Document) -> tuple[dict[str, Any], Origin]:
        """Return the values of a document with its imports, and where each was written."""
        values: dict[str, Any] = {}
        layers: list[Layer] = []
        self._lay(file, document, (file,), values, layers, set())
        if ID_KEY in document.values:
            values[ID_KEY] = document.values[ID_KEY]
        return values, Origin(tuple(layers))

    def _lay(
        self,
        file: Path,
        document: Document,
        chain: tuple[Path, ...],
        values: dict[str, Any],
        layers: list[Layer],
        done: set[Path],
    ) -> None:
        for index, name in enumerate(_imports(file, document)):
            imported = Path(os.path.normpath(file.parent / name))
            where = _where(file, document, (IMPORTS_KEY, index))
            real = _real(imported, where)
            if real in {importing.resolve() for importing in chain}:
                raise ConfigError(
                    f"imports in a circle: {_arrows((*chain, imported))}", (IMPORTS_KEY,), where
                )
            if len(chain) >= self._limits.max_depth:
                raise ConfigError(
                    f"imports more than {self._limits.max_depth} deep", (IMPORTS_KEY,), where
                )
            if real in done:
                continue
            self.files[imported] = None
            self._lay(
                imported,
                self._only_document(imported, chain, where),
                (*chain, imported),
                values,
                layers,
                done,
            )
            done.add(real)
        own = {
            key: value for key, value in document.values.items() if key not in (IMPORTS_KEY, ID_KEY)
        }
        layer = _layer(file, document)
        try:
            overlay(values, own)
        except ConfigError as error:
            raise error.located(Origin((layer,)).locate(error.path)) from None
        layers.append(layer)

    def _only_document(self, file: Path, chain: tuple[Path, ...], where: str) -> Document:
        try:
            documents = read_documents(file, self._limits)
        except ConfigFileNotFoundError:
            problem = f"{file} does not exist: {_arrows((*chain, file))}"
            raise ConfigFileNotFoundError(problem, (IMPORTS_KEY,), where) from None
        if len(documents) > 1:
            raise ConfigError(
                f"{file} holds {len(documents)} configs: one can be imported", (IMPORTS_KEY,), where
            )
        return documents[0]


def _imports(file: Path, document: Document) -> list[str]:
    imports: Any = document.values.get(IMPORTS_KEY, [])
    names = cast("list[Any]", imports) if isinstance(imports, list) else [imports]
    for index, name in enumerate(names):
        if not isinstance(name, str) or not name:
            where = _where(file, document, (IMPORTS_KEY, index))
            raise ConfigTypeError(
                f"expected the path of a file, or a list of them, got {describe(name)}",
                (IMPORTS_KEY,),
                where,
            )
    return names


def _real(path: Path, where: str) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError) as error:  # links in a circle, a zero byte
        raise ConfigError(f"{str(path)!r} cannot be read: {error}", (IMPORTS_KEY,), where) from None


def _where(file: Path, document: Document, path: KeyPath) -> str:
    return Origin((Layer(str(file), document.lines),)).locate(path)


def _layer(file: Path, document: Document) -> Layer:
    """Return the lines of a document by the paths its values are laid under."""
    lines: dict[KeyPath, int] = {}
    for path, line in document.lines.items():
        try:
            lines[_laid(path)] = line
        except ConfigError as error:
            raise error.located(f"{file}:{line}") from None
    return Layer(str(file), lines)


def _laid(path: KeyPath) -> KeyPath:
    """Turn the path of a key as written into the path its value is laid under."""
    if not any(isinstance(key, str) and "." in key for key in path):
        return path
    return tuple(
        part for key in path for part in (key_path(key) if isinstance(key, str) else (key,))
    )


def _arrows(chain: tuple[Path, ...]) -> str:
    return " -> ".join(str(file) for file in chain)


def _mapping(given: Any) -> Mapping[str, Any]:
    fields = fields_of(given)
    if fields is None:
        raise ConfigTypeError(f"merge takes mappings, not {describe(given)}")
    return fields

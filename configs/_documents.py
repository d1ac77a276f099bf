"""Files of configs: which there are, and the documents in each."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from ._errors import ConfigError, ConfigFileNotFoundError, describe
from ._keypath import KeyPath
from ._limits import Limits

YAML, JSON, JSONL, TOML = frozenset({".yaml", ".yml"}), ".json", ".jsonl", ".toml"
ENDINGS = (".yaml", ".yml", JSON, JSONL, TOML)
_EXPECTED = "expected a mapping of keys to values"


class Document(NamedTuple):
    """One mapping written in a file, and the line of each path in it."""

    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int]


def files_in(directory: Path) -> list[Path]:
    """Return the config files in a directory and below it, in the order of their paths.

    Names that start with a dot are left out: they are where editors and mounts keep their own.

    Raises:
        ConfigError: there is none.
    """
    others: list[Path] = []
    found: list[Path] = []
    for path in _entries(directory, {directory.resolve()}):
        (found if path.suffix.lower() in ENDINGS else others).append(path)
    if not found:
        what = "no config among its files" if others else "an empty directory"
        there = "; there is " + ", ".join(sorted(path.name for path in others)[:5])
        problem = f"{what}: expected files ending in {' '.join(ENDINGS)}{there if others else ''}"
        raise ConfigError(problem, where=str(directory))
    return sorted(found, key=lambda path: path.parts)


def read_documents(file: Path, limits: Limits) -> list[Document]:
    """Return the documents in a file: one, or several in a `.jsonl` or a YAML with `---`.

    Raises:
        ConfigFileNotFoundError: there is no such file.
        ConfigError: it holds something else than mappings; the message says where.
    """
    ending = file.suffix.lower()
    if exists(file) and file.is_dir():
        raise ConfigError("a directory, where one file is expected", where=str(file))
    if ending not in ENDINGS:
        raise ConfigError(
            f"expected a file ending in {' '.join(ENDINGS)}, or a directory", where=str(file)
        )
    text = _read_text(file, limits)
    try:
        if not text.strip():
            raise ConfigError(f"an empty file: {_EXPECTED}")
        documents = [*_READERS[ending](text, limits)]
        if not documents:
            raise ConfigError(f"nothing but comments: {_EXPECTED}")
    except ConfigError as error:  # which knows the line at most
        where = str(file) if error.where is None else f"{file}:{error.where}"
        raise type(error)(error.problem, error.path, where) from None
    return documents


def not_found(path: Path) -> ConfigFileNotFoundError:
    """Return the error for a path that is not there, with what may have been meant."""
    text = str(path)
    hint = f"looked in {Path.cwd()}"
    if any(mark in text for mark in "*?["):
        hint = "patterns are not expanded: name the files, or their directory"
    elif text.startswith("~"):
        hint = "a ~ is not expanded: Path.expanduser() does it"
    elif any(mark in text for mark in "\n{:"):
        hint = "a text is taken for a path: parse it yourself, or write it to a file"
    elif not path.suffix and len(path.parts) == 1:
        hint = f"a string is a path, looked for in {Path.cwd()}; a value is written {{name: value}}"
    shown = repr(text)[1:-1]  # on one line, and not longer than a line
    shown = shown if len(shown) < 200 else f"{shown[:200]}..."
    return ConfigFileNotFoundError(f"no such file or directory ({hint})", where=shown)


def exists(path: Path) -> bool:
    """Tell whether something is there; what cannot be a name is not."""
    try:
        return path.exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _entries(directory: Path, inside: set[Path]) -> Iterator[Path]:
    try:
        entries = [*directory.iterdir()]
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(directory)) from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not exists(entry) and entry.suffix.lower() in ENDINGS:
            raise ConfigError("a link that leads nowhere", where=str(entry))
        if entry.is_file():
            yield entry
        elif entry.is_dir() and (real := entry.resolve()) not in inside:
            yield from _entries(entry, inside | {real})


def _read_text(file: Path, limits: Limits) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(limits.max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise not_found(file) from None
    except (OSError, ValueError) as error:  # a name may be too long, or hold a zero byte
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot be read: {reason}", where=repr(str(file))[1:-1]) from None
    if len(data) > limits.max_bytes:
        problem = (
            f"larger than {limits.max_bytes:,} bytes: split it, or raise Limits(max_bytes=...)"
        )
        raise ConfigError(problem, where=str(file))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8: {error.reason} at byte {error.start}"
        raise ConfigError(problem, where=f"{file}:{line}") from None


def _from_yaml(text: str, limits: Limits) -> Iterator[Document]:
    from ._yaml import parse_yaml

    for value, line, lines in parse_yaml(text, limits):
        yield _document(
            value, lines, line, 'several configs stand in one file with "---" between them'
        )


def _from_json(text: str, limits: Limits) -> Iterator[Document]:
    from ._json import lines_of, parse_json

    value = parse_json(text, limits.max_depth)
    lines = lines_of(text)
    yield _document(
        value,
        lines,
        lines.get((), 1),
        "several configs stand in a .jsonl, one on a line",
    )


def _from_jsonl(text: str, limits: Limits) -> Iterator[Document]:
    from ._json import parse_json

    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = parse_json(line, limits.max_depth)
        except ConfigError as error:
            raise type(error)(
                f"{error.problem}; {_EXPECTED}, as JSON on one line", error.path, str(number)
            ) from None
        yield _document(value, {(): number}, number, "each line is the JSON of one config")


def _from_toml(text: str, limits: Limits) -> Iterator[Document]:
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        if at is None:
            raise ConfigError(f"not TOML: {error}") from None
        problem = f"not TOML: {str(error)[: at.start()]}, at column {at[2]}"
        raise ConfigError(problem, where=at[1]) from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"not TOML that can be read: {error}") from None
    _check_depth(values, limits.max_depth)
    if values:
        yield Document(values, {(): 1})


def _check_depth(values: dict[str, Any], max_depth: int) -> None:
    level: list[Any] = [values]
    for _ in range(max_depth + 1):
        level = [inner for value in level for inner in _inside(value)]
    if level:
        raise ConfigError(f"nested more than {max_depth} deep")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("list[Any]", value) if isinstance(value, list) else ()


def _document(value: Any, lines: Mapping[KeyPath, int], line: int, hint: str) -> Document:
    if not isinstance(value, dict):
        if isinstance(value, str) and ":" in value:
            hint = "a key is written with a colon and a space: `key: value`"
        raise ConfigError(f"{_EXPECTED}, got {describe(value)} ({hint})", where=str(line))
    return Document(cast("dict[str, Any]", value), lines)


_READERS = {
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
    JSON: _from_json,
    JSONL: _from_jsonl,
    TOML: _from_toml,
}

"""YAML 1.2 text to plain values, with the line of each and no surprises.

PyYAML's parser gives events; the values are made here, because its own constructors follow YAML
1.1 (`no` is False, `1e-3` a text), let a key stand twice and know nothing of limits. No tag ever
makes anything but the plain values of the core schema.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import yaml
from yaml import events

from ._errors import ConfigError, describe
from ._keypath import KeyPath
from ._limits import Limits
from ._numbers import checked_float, checked_int
from ._secret import HIDDEN, has_secret

_CORE = "tag:yaml.org,2002:"
_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_MAY_BE_OTHER_THAN_TEXT = frozenset("+-.0123456789nNtTfF~")
_OTHER_BREAK = re.compile("[\x85\u2028\u2029]")  # as YAML 1.1 had them
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)")


class YamlDocument(NamedTuple):
    """One document of a YAML text: its value, the line it starts on, the line of each path."""

    value: Any
    line: int
    lines: dict[KeyPath, int]


def parse_yaml(text: str, limits: Limits) -> Iterator[YamlDocument]:
    """Yield the documents of a YAML text.

    Raises:
        ConfigError: the text is not YAML, breaks a limit, writes a key twice or has a tag that
            makes an object; `path` and `where` (the line) say where.
    """
    if other := _OTHER_BREAK.search(text):
        line = text.count("\n", 0, other.start()) + 1
        escape = other[0].encode("unicode_escape").decode()
        problem = f"a raw {escape} would be read as the end of a line: write it so, in quotes"
        raise ConfigError(problem, where=str(line))
    try:
        stream = yaml.parse(text, Loader=_LOADER)
        for event in stream:
            if isinstance(event, events.DocumentStartEvent):
                yield _Composer(stream, limits).document()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, text) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {' '.join(str(error).split())}") from None


def _not_yaml(error: yaml.MarkedYAMLError, text: str) -> ConfigError:
    problem = " ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return ConfigError(f"not YAML: {problem}")
    lines = text.splitlines()
    character = "".join(lines[mark.line : mark.line + 1])[mark.column : mark.column + 1]
    hint = ""
    if character == "\t":
        hint = ": a tab, where YAML is indented with spaces"
    elif "cannot start any token" in problem and character:
        hint = f": quote a text that starts with {character!r}"
    elif "mapping values are not allowed" in problem:
        hint = ": quote a text that has ': ' in it"
    if mark.line >= len(lines):
        return ConfigError(f"not YAML: {problem}, at its end", where=str(len(lines)))
    column = f", at column {mark.column + 1}"
    return ConfigError(f"not YAML: {problem}{column}{hint}", where=str(mark.line + 1))


class _Anchored(NamedTuple):
    value: Any
    size: int


class _Composer:
    """Makes the value of one document from its events."""

    def __init__(self, stream: Iterator[Any], limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._anchors: dict[str, _Anchored | None] = {}
        self._lines: dict[KeyPath, int] = {}
        self._made = 0
        self._aliased = 0

    def document(self) -> YamlDocument:
        event = next(self._stream)
        line = event.start_mark.line + 1
        value = self._value(event, ())
        next(self._stream)  # the end of the document
        return YamlDocument(value, line, self._lines)

    def _value(self, event: Any, path: KeyPath) -> Any:
        line = event.start_mark.line + 1
        self._lines[path] = line
        if isinstance(event, events.AliasEvent):
            return self._alias(str(event.anchor), path, line)
        if len(path) > self._limits.max_depth:
            raise ConfigError(
                f"nested more than {self._limits.max_depth} deep", path[:5], str(line)
            )
        before = self._made
        self._made += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # until it is complete it cannot be referred to
        if isinstance(event, events.ScalarEvent):
            value = _scalar(event, path, line)
        elif isinstance(event, events.SequenceStartEvent):
            _check_tag(event, "seq", path, line)
            value = self._sequence(path)
        else:
            _check_tag(event, "map", path, line)
            value = self._mapping(path)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, self._made - before)
        return value

    def _alias(self, name: str, path: KeyPath, line: int) -> Any:
        if name not in self._anchors:
            raise ConfigError(
                f"*{name} refers to an anchor that is not written before it", path, str(line)
            )
        anchored = self._anchors[name]
        if anchored is None:
            raise ConfigError(f"*{name} stands inside the value it refers to", path, str(line))
        self._made += anchored.size
        self._aliased += anchored.size
        if self._aliased > self._limits.max_aliased_values:
            limit = f"{self._limits.max_aliased_values:,}"
            raise ConfigError(
                f"its aliases stand for more than {limit} values: Limits(max_aliased_values=...)",
                path,
                str(line),
            )
        return anchored.value

    def _sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._stream), events.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first_lines: dict[tuple[str, bool], int] = {}
        while not isinstance(event := next(self._stream), events.MappingEndEvent):
            line = event.start_mark.line + 1
            key, is_merge = self._key(event, path, line)
            if (key, is_merge) in first_lines:
                first = first_lines[key, is_merge]
                raise ConfigError(f"written twice: first on line {first}", (*path, key), str(line))
            first_lines[key, is_merge] = line
            value = self._value(next(self._stream), (*path, key))
            if is_merge:
                _take_in(merged, value, (*path, key), line)
            else:
                own[key] = value
        if not merged:
            return own
        for key in merged.keys() - own.keys():
            self._lines[(*path, key)] = first_lines["<<", True]
        return {**merged, **own}

    def _key(self, event: Any, path: KeyPath, line: int) -> tuple[str, bool]:
        if not isinstance(event, (events.ScalarEvent, events.AliasEvent)):
            raise ConfigError("a list or a mapping stands where a key is expected", path, str(line))
        key = self._value(event, (*path, ""))
        del self._lines[(*path, "")]
        if not isinstance(key, str):
            raise ConfigError(f"a key is {describe(key)}, not a text: quote it", path, str(line))
        return key, key == "<<" and isinstance(event, events.ScalarEvent) and not event.style


def _take_in(merged: dict[str, Any], value: Any, path: KeyPath, line: int) -> None:
    """Take in the mappings of a `<<` key: the first to have a key wins."""
    for mapping in cast("list[Any]", value) if isinstance(value, list) else [value]:
        if not isinstance(mapping, dict):
            raise ConfigError("<< takes a mapping, or a list of mappings", path, str(line))
        for key, inner in cast("dict[str, Any]", mapping).items():
            merged.setdefault(key, inner)


def _scalar(event: Any, path: KeyPath, line: int) -> Any:
    text: str = event.value
    if event.tag is None or event.tag == "!":
        is_plain = event.implicit[0] and event.tag is None
        return _plain_scalar(text, path, line) if is_plain else text
    read = _TAGGED.get(event.tag.removeprefix(_CORE)) if event.tag.startswith(_CORE) else None
    if read is None:
        raise ConfigError(
            f"the tag {event.tag!r} makes an object: only plain values are read", path, str(line)
        )
    return read(text, path, line)


def _plain_scalar(text: str, path: KeyPath, line: int) -> Any:
    """Read an unquoted scalar by the core schema of YAML 1.2."""
    if text and text[0] not in _MAY_BE_OTHER_THAN_TEXT:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text[0] in "tT"
    if _INT.fullmatch(text):
        return checked_int(text, path, line)
    if _FLOAT.fullmatch(text):
        return checked_float(text, path, line)
    if sign := _INFINITY.fullmatch(text):
        return float(f"{sign[1]}inf")
    return float("nan") if _NAN.fullmatch(text) else text


def _explicit(kind: type) -> Callable[[str, KeyPath, int], Any]:
    """Return a reader for scalars that are tagged to be of a kind."""

    def read(text: str, path: KeyPath, line: int) -> Any:
        value = _plain_scalar(text, path, line)
        if kind is float and type(value) is int:
            return checked_float(text, path, line)
        if type(value) is not kind:
            told = HIDDEN if has_secret(path) else repr(text)
            raise ConfigError(f"{told} is tagged as {kind.__name__}, and is none", path, str(line))
        return value

    return read


_TAGGED: dict[str, Callable[[str, KeyPath, int], Any]] = {
    "str": lambda text, path, line: text,
    "null": _explicit(type(None)),
    "bool": _explicit(bool),
    "int": _explicit(int),
    "float": _explicit(float),
}


def _check_tag(event: Any, kind: str, path: KeyPath, line: int) -> None:
    if event.tag not in (None, "!", f"{_CORE}{kind}"):
        raise ConfigError(
            f"the tag {event.tag!r} makes an object: only plain values are read", path, str(line)
        )

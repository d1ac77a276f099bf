"""YAML 1.2, read without surprises."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from understudy import ConfigError, load_config, parse_configs
from understudy.configs import Limits

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Read a text as a file, with and without the C library."""
    monkeypatch.setattr("understudy.configs._yaml._LOADER", request.param)
    monkeypatch.chdir(tmp_path)

    def read(text: str) -> Any:
        Path("c.yaml").write_text(text, encoding="utf-8")
        return load_config("c.yaml").to_dict()

    return read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 0.001), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-1.5E+2", -150.0), ("0.1", 0.1),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("N", "N"),
        ("true", True), ("False", False), ("TRUE", True), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("none", "none"),
        ("012", 12), ("0o17", 15), ("0xff", 255), ("0b11", "0b11"), ("1_000", "1_000"), ("+5", 5),
        ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("2026-01-02", "2026-01-02"),
        ("1.10", 1.1), ("'1.10'", "1.10"), ('"no"', "no"), ("1.2.3", "1.2.3"), ("=", "="),
        (".inf", math.inf), ("-.Inf", -math.inf), ("+.INF", math.inf),
        ("!!str 5", "5"), ("!!float 1", 1.0), ('!!int "5"', 5), ("! 5", "5"), ("!!null ''", None),
        ("!!bool true", True), ("!!seq [1]", [1]), ("!!map {a: 1}", {"a": 1}),
    ],
)  # fmt: skip
def test_scalars(read: Any, written: str, value: object) -> None:
    found = read(f"key: {written}")["key"]
    assert found == value
    assert type(found) is type(value)


def test_nan(read: Any) -> None:
    assert math.isnan(read("key: .nan")["key"])


def test_anchors_and_merges_are_kept(read: Any) -> None:
    text = """
    base: &base {size: 1, layers: [1, 2]}
    more: &more {size: 2, extra: true}
    one: {<<: *base, size: 5}
    two: {<<: [*base, *more], '<<': plain}
    same: *base
    """
    found = read(text)
    assert found["one"] == {"size": 5, "layers": [1, 2]}
    assert found["two"] == {"size": 1, "layers": [1, 2], "extra": True, "<<": "plain"}
    assert found["same"] == found["base"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "c.yaml:3: a: written twice: first on line 1"),
        ("m:\n  x: 1\n  x: 2", "c.yaml:3: m.x: written twice: first on line 2"),
        ("m:\n- {a: 1}\n- {b: 1, b: 2}", "c.yaml:3: m[1].b: written twice"),
        ("- 1\n- 2", "c.yaml:1: expected a mapping of keys to values, got a list"),
        ("\n\njust text", "c.yaml:3: expected a mapping of keys to values, got a str"),
        ("5", "c.yaml:1: expected a mapping of keys to values, got an int"),
        ("a: 1\nb: [1, 2\n", "c.yaml:2: not YAML: while parsing a flow"),
        ("a: b: c", "c.yaml:1: not YAML: mapping values are not allowed"),
        ("a: @x", "c.yaml:1: not YAML: while scanning for the next token found character"),
        ("a:1", "c.yaml:1: expected a mapping of keys to values, got a str (a key is written with a colon and a space"),
        ("a: 1\n\tb: 2", "c.yaml:2: not YAML: while scanning "),
        ("m:\n  1: one", "c.yaml:2: m: a key is an int, not a text: quote it"),
        ("null: x", "c.yaml:1: a key is None, not a text: quote it"),
        ("[a]: 1", "c.yaml:1: a list or a mapping stands where a key is expected"),
        ("a: *nothing", "c.yaml:1: a: *nothing refers to an anchor"),
        ("a: 1\nm:\n  b..c: 2", "c.yaml:3: 'b..c' is not a path: write keys with dots"),
        ("a: &a\n  b: *a", "c.yaml:2: a.b: *a stands inside the value it refers to"),
        ("a: {<<: 5}", 'c.yaml:1: a.<<: << takes a mapping'),
        ("a: {<<: [5]}", "c.yaml:1: a"),
        ("a: !!python/object/apply:os.system ['true']", "c.yaml:1: a: the tag 'tag:yaml.org,2002:python/object"),
        ("a: !mine {b: 1}", "c.yaml:1: a: the tag '!mine' makes an object"),
        ("a: !!binary aGk=", "c.yaml:1: a: the tag 'tag:yaml.org,2002:binary' makes an object"),
        ("a: !!int x", "c.yaml:1: a: 'x' is tagged as int, and is none"),
        ("a: 1e999", "c.yaml:1: a: 1e999 is too large for a float"),
        ("a: " + "9" * 5000, "c.yaml:1: a: an integer of 5,000 digits is too long"),
        ("a: \x00", "c.yaml: not YAML: "),
        ("", "c.yaml: an empty file: expected a mapping"),
        ("  \n\n", "c.yaml: an empty file: expected a mapping"),
        ("# only a comment\n", "c.yaml: nothing but comments: expected a mapping"),
        ("a: 1\n---\nb: 1", "c.yaml: holds 2 configs: `parse_configs` reads them all"),
        ("a: 1\n---\n---\nb: 1", "c.yaml:3: expected a mapping of keys to values, got None"),
        ("a: " + "[" * 80 + "]" * 80, "c.yaml:1: a[0][0][0][0]: nested more than 64 deep"),
        ("%YAML 3.0\n---\na: 1", "c.yaml:1: not YAML: found incompatible YAML"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_path_and_what_was_expected(
    read: Any, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: 1\n\tb: 2", ", at column 1: a tab, where YAML is indented with spaces"),
        ("a: @x", ", at column 4: quote a text that starts with '@'"),
        ("prompt: Answer this: what?", ", at column 20: quote a text that has ': ' in it"),
        ("a: 'open\n", ", at its end"),
    ],
)
def test_a_common_slip_comes_with_its_cure(read: Any, text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value).endswith(hint)


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
)


def test_a_billion_laughs_are_refused(read: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read(LAUGHS)
    assert str(caught.value).startswith("c.yaml:5: a4[7]: its aliases stand for more than 100,000")
    with pytest.raises(ConfigError, match="aliases stand for more than 100,000 values"):
        read(LAUGHS.replace("[", "{<<: [").replace("]", "]}").replace("x", "{k: 1}"))


def test_a_file_of_100_mb_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as opened:
        opened.truncate(100_000_000)
    with pytest.raises(ConfigError, match=r"huge.yaml: larger than 10,000,000 bytes: split it"):
        load_config(file)
    with pytest.raises(ConfigError, match="larger than 5 bytes"):
        parse_configs(file, limits=Limits(max_bytes=5))


def test_no_object_is_ever_made(read: Any, tmp_path: Path) -> None:
    mark = tmp_path / "made"
    for tag in (
        "python/object/apply:os.mkdir",
        "python/object/new:os.mkdir",
        "python/name:os.mkdir",
    ):
        with pytest.raises(ConfigError, match="makes an object"):
            read(f"a: !!{tag} ['{mark}']")
    assert not mark.exists()


def test_utf_8_with_a_mark_and_windows_lines(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes("\ufeffname: é\r\nsize: 1\r\n".encode())
    assert load_config(file) == {"name": "é", "size": 1}
    file.write_bytes(b"name: x\nsize: \xff\n")
    with pytest.raises(ConfigError, match=r"c.yaml:2: not UTF-8: invalid start byte at byte 14"):
        load_config(file)


def test_several_documents_are_several_configs(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("---\na: 1\n---\na: 2\n...\n---\na: 3\n")
    assert [config.a for config in parse_configs(file)] == [1, 2, 3]


json_texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))).filter(
    lambda text: text != "__config_id__"
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | json_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_texts, inner, max_size=3),
    max_leaves=10,
)


class QuotingDumper(yaml.SafeDumper):
    """Writes as YAML 1.2 tools do: a text that might be something else is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


QuotingDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@given(
    st.dictionaries(st.from_regex(r"\A[a-z_]{1,5}\Z").filter(lambda key: key != "imports"), values)
)
def test_what_was_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, written: Any
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    (folder / "c.yaml").write_text(
        yaml.dump(written, Dumper=QuotingDumper, sort_keys=False), encoding="utf-8"
    )
    try:
        found = load_config(folder / "c.yaml")
    except ConfigError as error:
        assert "is not a path" in str(error) or "written twice" in str(error)
        assert any("." in key for key in keys_of(written))
        return
    if not any("." in key for key in keys_of(written)):
        assert found.to_dict() == written
        assert repr(found.to_dict()) == repr(written)


def keys_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in keys_of(inner))]
    return [key for inner in value for key in keys_of(inner)] if isinstance(value, list) else []


def test_a_secret_that_is_written_wrong_is_not_told(read: Any) -> None:
    with pytest.raises(ConfigError, match="is tagged as int") as raised:
        read("llm:\n  api_key: !!int hunter2")
    assert "***" in str(raised.value)
    assert "hunter2" not in str(raised.value)

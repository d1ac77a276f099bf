"""parse_configs: every source listed, in order, nothing silently dropped."""

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import (
    Config,
    ConfigError,
    ConfigFileNotFoundError,
    ConfigTypeError,
    DynamicValue,
    parse_configs,
)
from understudy.configs import Limits, origin_of


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8", errors="surrogatepass")


@dataclasses.dataclass
class FromDataclass:
    size: int


class FromStruct(msgspec.Struct):
    size: int


class FromPydantic(pydantic.BaseModel):
    size: int


names = st.text().filter(
    lambda key: key not in ("__config_id__", "imports") and "." not in key and "[" not in key
)


def test_every_kind_of_source_in_one_list() -> None:
    write("one.yaml", "size: 5")
    write("folder/two.json", '{"size": 6}')
    sources: list[Any] = [
        {"size": 1}, Config(size=2), FromDataclass(3), FromStruct(4), "one.yaml", Path("folder"),
        FromPydantic(size=7), {"size": DynamicValue([8, 9])},
    ]  # fmt: skip
    assert [config.size for config in parse_configs(sources)] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    "source",
    ["one.yaml", Path("one.yaml"), {"size": 5}, Config(size=5), FromStruct(5), FromDataclass(5)],
)
def test_one_source_needs_no_list(source: Any) -> None:
    write("one.yaml", "size: 5")
    assert parse_configs(source) == [Config(size=5)]


def test_generators_of_sources() -> None:
    assert parse_configs({"a": i} for i in range(3)) == [Config(a=i) for i in range(3)]
    assert parse_configs([]) == []


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([{"a": 1}, 5], "sources[1]: got an int: a source is a mapping, a Config"),
        ([None], "sources[0]: got None"),
        ([[{"a": 1}]], "sources[0]: got a list"),
        ([b"a.yaml"], "sources[0]: got a bytes"),
        ([FromStruct], "sources[0]: got the class FromStruct"),
        (5, "expected a list of sources, got an int"),
        (None, "expected a list of sources, got None"),
        (b"ab", "expected a list of sources, got a bytes"),
        ({"a.yaml", "b.yaml"}, "expected a list of sources, got a set"),
        ([{"a": {"b": len}}], "sources[0]: a.b: the function len has no canonical JSON form"),
        ([{"a": {1: 2}}], "sources[0]: a: the key 1 is an int: keys are texts"),
    ],
)
def test_an_unsupported_value_is_a_type_error_naming_it(sources: Any, message: str) -> None:
    with pytest.raises(ConfigTypeError) as caught:
        parse_configs(sources)
    assert str(caught.value).startswith(message)


def test_the_keys_of_a_dict_are_taken_as_they_are() -> None:
    config = parse_configs([{"gpt-4.1": 1, "imports": "x", "a.b": {"c.d": 2}}])[0]
    assert config == {"gpt-4.1": 1, "imports": "x", "a.b": {"c.d": 2}}


def test_a_directory_is_read_sorted_and_with_all_below_it() -> None:
    for name in ["b.yaml", "a/z.yml", "a/b/c.json", "c.jsonl", "d.TOML", "a-b.yaml"]:
        text = {"c.json": '{"n": "%s"}', "c.jsonl": '{"n": "%s"}', "d.TOML": 'n = "%s"'}
        write(f"configs/{name}", text.get(Path(name).name, "n: %s") % name)
    write("configs/README.md", "not a config")
    write("configs/.hidden/x.yaml", "n: hidden")
    write("configs/.x.yaml.swp", "n: hidden")
    assert [config.n for config in parse_configs("configs/")] == [
        "a/b/c.json", "a/z.yml", "a-b.yaml", "b.yaml", "c.jsonl", "d.TOML",
    ]  # fmt: skip


def test_a_mounted_directory_of_links_is_read_once() -> None:
    """As Kubernetes mounts one: links to files in a hidden directory that is swapped whole."""
    write("mount/..2026_01/a.yaml", "n: 1")
    Path("mount/..data").symlink_to("..2026_01")
    Path("mount/a.yaml").symlink_to("..data/a.yaml")
    assert [config.n for config in parse_configs("mount")] == [1]


def test_links_that_lead_in_a_circle_end() -> None:
    write("configs/a/x.yaml", "n: 1")
    Path("configs/a/up").symlink_to("..")
    write("other/y.yaml", "n: 2")
    Path("configs/other").symlink_to("../other")
    assert [config.n for config in parse_configs("configs")] == [1, 2]


def test_an_empty_directory_is_an_error() -> None:
    Path("empty").mkdir()
    with pytest.raises(ConfigError) as caught:
        parse_configs("empty")
    assert str(caught.value) == (
        "empty: an empty directory: expected files ending in .yaml .yml .json .jsonl .toml"
    )
    write("empty/notes.txt", "x")
    with pytest.raises(
        ConfigError, match=r"empty: no config among its files: .*; there is notes.txt"
    ):
        parse_configs("empty")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "", "a.json: an empty file: expected a mapping of keys to values"),
        ("a.jsonl", "\n \n", "a.jsonl: an empty file"),
        ("a.toml", "  ", "a.toml: an empty file"),
        ("a.json", "[1, 2]", "a.json:1: expected a mapping of keys to values, got a list (several configs stand in a .jsonl"),
        ("a.yaml", "\n- a: 1", 'a.yaml:2: expected a mapping of keys to values, got a list (several configs stand in one file with "---"'),
        ("a.json", '{"a": 1,\n "b": }', "a.json:2: not JSON: Expecting value, at column 7"),
        ("a.json", '{"a": 1}\n{"a": 2}', "a.json:2: not JSON: Extra data"),
        ("a.json", '{"a": {"b": 1,\n\n"b": 2}}', "a.json:3: a.b: written twice: first on line 1"),
        ("a.json", '[{"x": [1, {"k": 1,\n"k": 2}]}]', "a.json:2: [0].x[1].k: written twice"),
        ("a.json", '{"a": NaN}', "a.json:1: a: NaN is not JSON"),
        ("a.json", '{"a": 1e999}', "a.json:1: a: 1e999 is too large for a float"),
        ("a.json", '{"a": ' + "9" * 5000 + "}", "a.json:1: a: an integer of 5,000 digits is too long"),
        ("a.json", '{"a": ' + "[" * 100_000, "a.json:1: a[0][0][0][0]: nested more than 64 deep"),
        ("a.jsonl", '{"a": 1}\n\n{"a": 2\n', "a.jsonl:3: not JSON: Expecting ',' delimiter, at column 8; expected a mapping of keys to values, as JSON on one line"),
        ("a.jsonl", '{"a": 1}\n[1]\n', "a.jsonl:2: expected a mapping of keys to values, got a list (each line is the JSON of one config)"),
        ("a.jsonl", '{"a": 1}\n{"b": 1, "b": 2}', "a.jsonl:2: b: written twice"),
        ("a.toml", "a = 1\na = 2\nb = 3", "a.toml:2: not TOML: Cannot overwrite a value, at column 6"),
        ("a.toml", "a = " + "[" * 5000, "a.toml: not TOML that can be read: "),
        ("a.json", '{"a":' * 900 + "1" + "}" * 900, "a.json:1: a.a.a.a.a: nested more than 64 deep"),
        ("a.json", '{"b": 1,\n"a": [1,\nNaN]}', "a.json:3: a[1]: NaN is not JSON"),
        ("a.toml", ".".join("a" * 3000) + " = 1", "a.toml: nested more than 64 deep"),
        ("a.toml", "# nothing\n", "a.toml: nothing but comments"),
        ("a.yaml", 'a: 1\nb: "x\x85y"', "a.yaml:2: a raw \\x85 would be read as the end of a line"),
        ("a.yaml", "a: |\n  x\u2028b: 1", "a.yaml:2: a raw \\u2028 would be read as the end of a line"),
        ("a.json", '{"a": ' * 101 + "1" + "}" * 101, "a.json:1: a.a.a.a.a: nested more than"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_with_line_and_expectation(
    name: str, text: str, message: str
) -> None:
    write(name, text)
    with pytest.raises(ConfigError) as caught:
        parse_configs([name])
    assert str(caught.value).startswith(message)


def test_blank_lines_in_a_jsonl_are_fine_and_the_lines_are_known() -> None:
    write("a.jsonl", '{"a": 1}\n\n{"a": 2}\r\n  \n{"a": "\u2028"}\n\n')
    configs = parse_configs("a.jsonl")
    assert [config.a for config in configs] == [1, 2, "\u2028"]
    assert [origin_of(config, "a") for config in configs] == ["a.jsonl:1", "a.jsonl:3", "a.jsonl:5"]


def test_the_lines_of_a_json_are_known() -> None:
    write("a.json", '{"a": {\n"b": [1,\n{"c": 2}]},\n"d\\"e": "\\n{"}')
    config = parse_configs("a.json")[0]
    places = {path: origin_of(config, path) for path in ("a", "a.b", "a.b[1].c", '"d\\"e"')}
    assert places == {
        "a": "a.json:1",
        "a.b": "a.json:2",
        "a.b[1].c": "a.json:3",
        '"d\\"e"': "a.json:4",
    }


def test_documents_of_one_yaml_compose_each_for_itself() -> None:
    write("base.yaml", "m: {a: 1, b: 2}")
    write("all.yaml", "imports: base.yaml\nm.a: 5\n---\nimports: base.yaml\n---\n{}")
    assert [config.to_dict() for config in parse_configs(["all.yaml"])] == [
        {"m": {"a": 5, "b": 2}}, {"m": {"a": 1, "b": 2}}, {},
    ]  # fmt: skip


def test_a_path_that_is_not_there() -> None:
    with pytest.raises(ConfigFileNotFoundError) as caught:
        parse_configs(["configs/gone.yaml"])
    assert str(caught.value).startswith("configs/gone.yaml: no such file or directory (looked in /")
    for text, hint in {
        "model: large": "a text is taken for a path",
        "*.yaml": "not expanded",
        "~/a.yaml": "not expanded",
        "large": "a string is a path",
    }.items():
        with pytest.raises(FileNotFoundError, match=hint):
            parse_configs(text)


@pytest.mark.parametrize(
    ("ending", "nest"),
    [
        (".json", lambda n: '{"a":' * n + "1" + "}" * n),
        (".jsonl", lambda n: '{"a":' * n + "1" + "}" * n),
        (".yaml", lambda n: "{a: " * n + "1" + "}" * n),
        (".toml", lambda n: ".".join("a" * n) + " = 1"),
    ],
)
def test_the_same_depth_is_too_deep_in_every_format(ending: str, nest: Any) -> None:
    write(f"a{ending}", nest(64))
    assert parse_configs(f"a{ending}")[0].at(".".join("a" * 64)) == 1
    write(f"a{ending}", nest(65))
    with pytest.raises(ConfigError, match="nested more than 64 deep"):
        parse_configs(f"a{ending}")


def test_a_hostile_json_is_refused_at_once() -> None:
    for text in ('{"a":' * 20_000, "[" * 100_000, '"' + "\\" * 100_000, '{"' * 50_000):
        write("a.json", text)
        before = time.process_time()
        with pytest.raises(ConfigError):
            parse_configs("a.json")
        assert time.process_time() - before < 1


def test_a_mark_at_the_start_is_no_part_of_any_format() -> None:
    for name, text in (
        ("a.json", '{"n": 1}'),
        ("a.jsonl", '{"n": 1}'),
        ("a.toml", "n = 1"),
        ("a.yaml", "n: 1"),
    ):
        Path(name).write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert parse_configs(name) == [Config(n=1)]


def test_a_link_that_leads_nowhere_is_not_dropped() -> None:
    write("configs/a.yaml", "a: 1")
    Path("configs/b.yaml").symlink_to("gone.yaml")
    with pytest.raises(ConfigError, match="configs/b.yaml: a link that leads nowhere"):
        parse_configs("configs")


def test_texts_that_are_no_paths() -> None:
    for text in ("", "model: large\n" * 1000, "a\0b"):
        with pytest.raises(ConfigError):
            parse_configs(text)
        with pytest.raises(ConfigError):
            parse_configs([text])


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(names, json_values), st.booleans())
def test_what_json_wrote_comes_back(written: dict[str, Any], ascii_only: bool) -> None:
    write("trip.json", json.dumps(written, ensure_ascii=ascii_only, indent=1))
    assert repr(parse_configs("trip.json")[0].to_dict()) == repr(written)


def test_the_same_id_twice_is_an_error_naming_both() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_configs([{"a": 1}, {"a": 2}, {"a": 1}])
    assert str(caught.value).startswith(f"sources[2]: the same id '{Config(a=1).id}' as sources[0]")
    write("a.yaml", "a: 1\n---\na: 1")
    with pytest.raises(ConfigError, match=r"^a.yaml:3: the same id .* as a.yaml:1"):
        parse_configs("a.yaml")
    assert len(parse_configs([{"a": 1}, {"a": 1, "__config_id__": "other"}])) == 2


def test_a_base_beside_a_file_that_changes_nothing_is_told_as_that() -> None:
    write("configs/base.yaml", "a: 1")
    write("configs/x.yaml", "imports: base.yaml")
    with pytest.raises(
        ConfigError, match=r"x.yaml imports .*base.yaml and changes nothing; a file that is only"
    ):
        parse_configs("configs")


def test_nothing_is_read_from_a_directory_named_as_a_file_or_from_a_device() -> None:
    os.mkfifo("pipe.yaml")
    Path("configs").mkdir()
    os.mkfifo("configs/pipe.yaml")
    with pytest.raises(ConfigError, match="an empty directory"):
        parse_configs("configs")
    Path("endless.yaml").symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="larger than 1,000 bytes"):
        parse_configs("endless.yaml", limits=Limits(max_bytes=1000))


def test_what_was_read_is_not_tied_to_the_file() -> None:
    write("a.yaml", "a: [1, {b: 2}]")
    config = parse_configs("a.yaml")[0]
    Path("a.yaml").unlink()
    assert config.at("a[1].b") == 2

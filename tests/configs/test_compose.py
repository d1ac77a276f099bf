"""load_config: imports first, then the file's own keys, each file once."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import (
    Config,
    ConfigError,
    ConfigFileNotFoundError,
    ConfigTypeError,
    load_config,
    merge,
)
from understudy.configs import Limits, origin_of


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(**files: str) -> None:
    for name, text in files.items():
        path = Path(name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_imports_come_first_then_the_files_own_keys() -> None:
    write(
        base="model: {hidden_size: 256, num_layers: 4}\nseed: 1",
        experiment="imports:\n  - base.yaml\nmodel.hidden_size: 512\nname: large",
    )
    assert load_config("experiment.yaml") == {
        "model": {"hidden_size": 512, "num_layers": 4},
        "seed": 1,
        "name": "large",
    }


def test_one_import_may_be_a_text_and_later_imports_win() -> None:
    write(a="x: 1\ny: 1", b="y: 2", c="imports: a.yaml", d="imports: [c.yaml, b.yaml]\nz: 3")
    assert load_config("c.yaml") == {"x": 1, "y": 1}
    assert load_config("d.yaml") == {"x": 1, "y": 2, "z": 3}


def test_imports_are_relative_to_the_file_that_says_so() -> None:
    write(shared__base="a: 1", exp__deep__one="imports: ../../shared/base.yaml\nb: 2")
    assert load_config("exp/deep/one.yaml") == {"b": 2, "a": 1}
    os.chdir("exp")
    assert load_config("deep/one.yaml") == {"b": 2, "a": 1}


def test_files_of_all_kinds_import_each_other() -> None:
    Path("a.toml").write_text("size = 1\n[model]\nlayers = [1, 2]\nwhen = 2026-01-02\n")
    Path("b.json").write_text('{"imports": "a.toml", "model.depth": 3}')
    Path("c.jsonl").write_text('{"imports": ["b.json"], "size": 2}\n')
    Path("d.yml").write_text("imports: [c.jsonl]")
    config = load_config("d.yml")
    assert config.model.to_dict()["layers"] == [1, 2]
    assert (config.size, config.model.depth, config.model.when.year) == (2, 3, 2026)


def test_a_file_imported_twice_is_laid_once() -> None:
    """A shared base does not undo what the first branch of a diamond changed."""
    write(
        base="lr: 0.1\nseed: 1",
        left="imports: base.yaml\nlr: 0.5",
        right="imports: base.yaml\nseed: 2",
        top="imports: [left.yaml, right.yaml]",
    )
    assert load_config("top.yaml") == {"lr": 0.5, "seed": 2}


names = st.sampled_from("abc")
plain = st.dictionaries(names, st.integers() | st.dictionaries(names, st.integers()), max_size=3)


@given(st.lists(plain, max_size=3), plain)
def test_loading_is_merging_the_imports_and_then_the_own_keys(
    tmp_path_factory: pytest.TempPathFactory, imported: list[dict[str, Any]], own: dict[str, Any]
) -> None:
    import json

    folder = tmp_path_factory.mktemp("law")
    for index, values in enumerate(imported):
        (folder / f"{index}.json").write_text(json.dumps(values))
    listed = [f"{index}.json" for index in range(len(imported))]
    (folder / "own.json").write_text(json.dumps({"imports": listed, **own}))
    expected = Config()
    for values in [*imported, own]:
        expected = merge(expected, values)
    assert load_config(folder / "own.json") == expected


def test_a_circle_is_named_with_its_chain() -> None:
    write(a="imports: b.yaml", b="x: 1\nimports: [sub/c.yaml]", sub__c="imports: ../a.yaml")
    with pytest.raises(ConfigError) as caught:
        load_config("a.yaml")
    assert str(caught.value) == (
        "sub/c.yaml:1: imports: imports in a circle: a.yaml -> b.yaml -> sub/c.yaml -> a.yaml"
    )
    write(me="imports: me.yaml")
    with pytest.raises(ConfigError, match="in a circle: me.yaml -> me.yaml"):
        load_config("me.yaml")


def test_a_missing_import_is_named_with_its_chain() -> None:
    write(a="imports: b.yaml", b="x: 1\nimports:\n- c.yaml\n- gone.yaml", c="y: 1")
    with pytest.raises(FileNotFoundError) as caught:
        load_config("a.yaml")
    assert isinstance(caught.value, ConfigFileNotFoundError)
    assert str(caught.value) == (
        "b.yaml:4: imports: gone.yaml does not exist: a.yaml -> b.yaml -> gone.yaml"
    )


@pytest.mark.parametrize(
    ("imports", "message"),
    [
        ("5", "a.yaml:1: imports: expected the path of a file, or a list of them, got an int"),
        ("[x: 1]", "a.yaml:1: imports: expected the path of a file, or a list of them, got a dict"),
        ("''", "a.yaml:1: imports: expected the path of a file"),
        ("several.yaml", "a.yaml:1: imports: several.yaml holds 2 configs: one can be imported"),
        ("folder", "folder: a directory, where one file is expected"),
        ("list.yaml", "list.yaml:1: expected a mapping of keys to values, got a list"),
        ("~", "a.yaml:1: imports: expected the path of a file, or a list of them, got None"),
    ],
)
def test_what_cannot_be_imported(imports: str, message: str) -> None:
    write(several="a: 1\n---\nb: 1", list="- 1", folder__x="a: 1", a=f"imports: {imports}")
    with pytest.raises(ConfigError) as caught:
        load_config("a.yaml")
    assert str(caught.value).startswith(message)


def test_imports_have_a_limit() -> None:
    for number in range(70):
        write(**{f"f{number}": f"imports: f{number + 1}.yaml"})
    write(f70="x: 1")
    with pytest.raises(ConfigError, match="imports more than 64 deep"):
        load_config("f0.yaml")
    assert load_config("f0.yaml", limits=Limits(max_depth=100)) == {"x": 1}


def test_a_dotted_key_through_a_value_names_its_line() -> None:
    write(base="lr: 0.1", a="imports: base.yaml\n\nlr.warm: 3")
    with pytest.raises(ConfigError) as caught:
        load_config("a.yaml")
    assert str(caught.value).startswith("a.yaml:3: lr.warm: lr is a float, which has no keys")


def test_where_a_value_was_written_is_known() -> None:
    write(
        base="model:\n  size: 1\n  depth: 2\nseed: 1",
        a="imports: base.yaml\n\nmodel.size: 5\nplain: {x: 1}",
        b="imports: a.yaml\nplain: {y: 1}",
    )
    config = load_config("b.yaml")
    assert config == {"model": {"size": 5, "depth": 2}, "seed": 1, "plain": {"y": 1}}
    assert origin_of(config, "model.size") == "a.yaml:3"
    assert origin_of(config, "model.depth") == "base.yaml:3"
    assert origin_of(config, "plain.y") == "b.yaml:2"
    assert origin_of(config, "nothing.there") == "b.yaml:1"
    assert origin_of(config) == "b.yaml:1"
    assert origin_of(Config(a=1)) is None


def test_an_id_belongs_to_the_file_that_states_it() -> None:
    write(
        base="__config_id__: base\na: 1",
        b="imports: base.yaml",
        c="imports: base.yaml\n__config_id__: c",
    )
    assert load_config("base.yaml").id == "base"
    assert load_config("b.yaml").id == Config(a=1).id
    assert load_config("c.yaml").id == "c"
    assert load_config("c.yaml") == {"a": 1}


def test_what_is_no_file_of_one_config() -> None:
    Path("folder.yaml").mkdir()
    Path("two.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    for name, message in {
        "gone.yaml": "gone.yaml: no such file",
        "gone/there.yaml": "gone/there.yaml: no such file",
        "folder.yaml": "folder.yaml: a directory, where one file is expected",
        "two.jsonl": "two.jsonl: holds 2 configs",
        "a.ini": "a.ini: expected a file ending in .yaml .yml .json .jsonl .toml",
        ".": ".: a directory, where one file is expected",
    }.items():
        with pytest.raises(ConfigError) as caught:
            load_config(name)
        assert str(caught.value).startswith(message)


def test_load_config_takes_a_path() -> None:
    with pytest.raises(ConfigTypeError, match="the path of a file, not a dict"):
        load_config({"a": 1})  # type: ignore[arg-type]  # pyright: ignore


def test_a_plain_key_drops_what_a_dotted_one_keeps() -> None:
    write(
        base="m: {a: 1, b: 2}",
        plain="imports: base.yaml\nm: {a: 5}",
        dotted="imports: base.yaml\nm.a: 5",
    )
    assert load_config("plain.yaml") == {"m": {"a": 5}}
    assert load_config("dotted.yaml") == {"m": {"a": 5, "b": 2}}


def test_a_merge_key_and_a_dotted_one_go_together() -> None:
    write(a="base: &b {model: {size: 1, depth: 2}}\n<<: *b\nmodel.size: 5")
    assert load_config("a.yaml").model == {"size": 5, "depth": 2}
    assert load_config("a.yaml").base == {"model": {"size": 1, "depth": 2}}
    assert origin_of(load_config("a.yaml"), "model.size") == "a.yaml:3"
    assert origin_of(load_config("a.yaml"), "model.depth") == "a.yaml:2"


def test_names_that_cannot_be_files() -> None:
    write(zero='imports: "a\\0.yaml"', loop="imports: round.yaml")
    Path("round.yaml").symlink_to("round.yaml")
    for name in ("a\0b.yaml", "x" * 5000 + ".yaml", "zero.yaml", "loop.yaml"):
        with pytest.raises(ConfigError):
            load_config(name)

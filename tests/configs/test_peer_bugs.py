"""What the existing packages get wrong about configs, each right here."""

import dataclasses
import json
import pickle
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from understudy import (
    Bind,
    Config,
    ConfigError,
    DynamicValue,
    frange,
    load_config,
    merge,
    parse_configs,
    sweep,
)
from understudy.configs import Binder


class TestSpearmintSources:
    def test_one_id_for_two_configs_makes_the_last_one_answer(self) -> None:
        with pytest.raises(ConfigError, match="sources\\[1\\]: the same id 'x' as sources\\[0\\]"):
            parse_configs(
                [{"__config_id__": "x", "v": "first"}, {"__config_id__": "x", "v": "second"}]
            )
        configs = parse_configs({"__config_id__": "base", "a": DynamicValue([1, 2, 3])})
        assert [(config.id, config.a) for config in configs] == [
            ("base-1", 1),
            ("base-2", 2),
            ("base-3", 3),
        ]

    def test_what_it_cannot_read_is_silently_dropped(self) -> None:
        @dataclasses.dataclass
        class Settings:
            a: int

        assert parse_configs([Settings(1)]) == [Config(a=1)]
        every: list[Any] = [[[{"a": 1}]], [None], [5], [b"x"]]
        for dropped in every:
            with pytest.raises(TypeError, match=r"^sources\[0\]: got"):
                parse_configs(dropped)

    def test_a_bare_path_is_read_letter_by_letter(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text("a: 1")
        assert parse_configs(str(tmp_path / "a.yaml")) == [Config(a=1)]

    def test_an_empty_directory_gives_no_configs_without_a_word(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="an empty directory"):
            parse_configs(tmp_path)

    def test_lists_documents_and_empty_files_fail_without_naming_the_file(
        self, tmp_path: Path
    ) -> None:
        for text in ("- a: 1", "", "a: 1\n---\n- 1"):
            (tmp_path / "a.yaml").write_text(text)
            with pytest.raises(ConfigError, match=r"a\.yaml"):
                parse_configs(tmp_path / "a.yaml")

    def test_jsonl_goes_to_the_yaml_parser_and_a_blank_line_fails(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": 2}\n\n')
        assert [config.a for config in parse_configs(tmp_path / "a.jsonl")] == [1, 2]

    def test_a_generator_cannot_be_expanded(self) -> None:
        assert len(parse_configs({"a": DynamicValue(i for i in range(3))})) == 3

    def test_dynamic_values_in_lists_and_configs_are_not_expanded(self) -> None:
        assert (
            len(parse_configs([{"a": [DynamicValue([1, 2])]}, Config(b=DynamicValue([1, 2]))])) == 4
        )

    def test_a_text_is_expanded_letter_by_letter(self) -> None:
        with pytest.raises(TypeError):
            DynamicValue("gpt-4")

    def test_an_empty_dynamic_value_gives_no_configs_without_a_word(self) -> None:
        with pytest.raises(ConfigError):
            parse_configs({"a": DynamicValue([])})

    def test_two_nested_dynamic_values_corrupt_each_other_and_the_next_call(self) -> None:
        source = {"a": {"x": DynamicValue([1, 2])}, "b": {"y": DynamicValue([3])}}
        expected = [{"a": {"x": 1}, "b": {"y": 3}}, {"a": {"x": 2}, "b": {"y": 3}}]
        for _ in range(2):
            assert [config.to_dict() for config in parse_configs(source)] == expected
        assert [c.a for c in parse_configs({"a": DynamicValue([1, 2])})] == [1, 2]

    def test_paths_in_the_constructors_list(self, tmp_path: Path) -> None:
        (tmp_path / "c.yaml").write_text("a: 1")
        assert parse_configs([tmp_path / "c.yaml", {"a": 2}])[0].a == 1


class TestSpearmintIds:
    def test_a_function_gives_another_id_in_every_process(self) -> None:
        for value in (len, {1, 2}, int):
            with pytest.raises(TypeError, match="^sources\\[0\\]: a: .* no canonical JSON form"):
                parse_configs([{"a": value}])

    def test_a_text_and_a_decimal_or_path_collide(self) -> None:
        assert Config(a="1.5").id != Config(a=Decimal("1.5")).id
        assert Config(a="x").id != Config(a=PurePosixPath("x")).id

    def test_the_documented_id_key_is_not_honoured(self) -> None:
        assert Config({"__config_id__": "mine"}).id == "mine"

    def test_the_id_leaks_into_the_values(self) -> None:
        class Strict(pydantic.BaseModel, extra="forbid"):
            a: int

        def function(it: Annotated[Strict, Bind()]) -> int:
            return it.a

        assert Binder(function).call(Config({"__config_id__": "x", "a": 1})) == 1

    def test_a_part_has_another_id_than_its_case(self) -> None:
        whole = Config({"__config_id__": "case", "part": {"a": 1}})
        assert "config_id" not in whole.part
        assert whole.part == {"a": 1}


class TestSpearmintConfig:
    def test_the_mapping_protocol_is_missing(self) -> None:
        config = Config(a=1)
        assert (config.get("a"), [*config.keys()], [*config.items()], len(config)) == (
            1,
            ["a"],
            [("a", 1)],
            1,
        )
        assert dict(config) == {**config} == {"a": 1}
        assert len({config, Config(a=1)}) == 1

    def test_nested_dicts_have_no_dot_access(self) -> None:
        assert Config({"a": {"b": {"c": 1}}}).a.b.c == 1

    def test_keys_named_like_attributes_are_hidden(self) -> None:
        names = [
            "model_config",
            "copy",
            "json",
            "root",
            "items",
            "keys",
            "get",
            "id",
            "label",
            "at",
        ]
        config = Config(dict.fromkeys(names, 1))
        assert [config[name] for name in names] == [config.at(name) for name in names] == [1] * 10

    def test_a_change_leaks_into_every_later_call(self) -> None:
        class Settings(msgspec.Struct):
            values: list[int]

        def frozen(config: Config) -> int:
            return len(config["l"])

        def bound(it: Annotated[Settings, Bind("s")]) -> int:
            it.values.append(1)
            return len(it.values)

        def plain(config: dict[str, Any]) -> int:
            config["l"].append(1)
            return len(config["l"])

        own: dict[str, Any] = {"l": [], "s": {"values": []}}
        (config,) = parse_configs([own])
        own["l"].append("changed")
        assert [Binder(frozen).call(config) for _ in range(3)] == [0, 0, 0]
        for function in (bound, plain):
            binder = Binder(function)
            assert [binder.call(config) for _ in range(3)] == [1, 1, 1]


class TestSpearmintBinding:
    @pytest.mark.parametrize("value", [0, False, "", [], None, 0.0])
    def test_falsy_values_are_not_injected(self, value: Any) -> None:
        def function(it: Annotated[Any, Bind("v")]) -> Any:
            return it

        found = Binder(function).call(Config(v=value))
        assert found == (() if value == [] else value)

    def test_an_int_is_not_a_float(self) -> None:
        def function(it: Annotated[float, Bind("t")]) -> float:
            return it

        assert repr(Binder(function).call(Config(t=1))) == "1.0"

    def test_lists_and_literals_and_items_cannot_be_bound(self) -> None:
        def function(
            tags: Annotated[list[str], Bind("tags")],
            mode: Annotated[Literal["a", "b"], Bind("mode")],
            second: Annotated[str, Bind("tags[1]")],
            price: Annotated[int, Bind('models."gpt-4.1"')],
        ) -> Any:
            return tags, mode, second, price

        config = Config({"tags": ["x", "y"], "mode": "b", "models": {"gpt-4.1": 2}})
        assert Binder(function).call(config) == (["x", "y"], "b", "y", 2)

    def test_the_readmes_own_dict_and_no_annotation_are_not_injected(self) -> None:
        def as_dict(prompt: str, config: dict) -> Any:  # type: ignore[type-arg]
            return config["a"]

        def unannotated(prompt, config):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            return config["a"]

        for function in (as_dict, unannotated):
            assert Binder(function).call(Config(a=1), "hi") == 1

    def test_a_config_first_takes_the_callers_argument(self) -> None:
        def first(config: Config, x: str) -> Any:
            return config.a, x

        def before_keyword(x: str, *a: int, config: Config) -> Any:
            return x, a, config.a

        assert Binder(first).call(Config(a=1), "v") == (1, "v")
        assert Binder(before_keyword).call(Config(a=1), "v", 2, 3) == ("v", (2, 3), 1)

    def test_decoration_needs_the_source_text(self) -> None:
        namespace: dict[str, Any] = {"Config": Config}
        exec('def f(x, config: Config):\n    return """\nSELECT 1\n""" + config.a', namespace)
        assert Binder(namespace["f"]).call(Config(a="!"), 1) == "\nSELECT 1\n!"


class TestPyexp:
    def write(self, folder: Path, text: str) -> Path:
        (folder / "c.yaml").write_text(text)
        return folder / "c.yaml"

    def test_a_circle_of_imports_is_a_recursion_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="imports in a circle: .*c.yaml -> .*c.yaml"):
            load_config(self.write(tmp_path, "imports: c.yaml"))

    def test_a_list_at_the_top_is_an_attribute_error(self, tmp_path: Path) -> None:
        with pytest.raises(
            ConfigError, match="c.yaml:1: expected a mapping of keys to values, got a list"
        ):
            load_config(self.write(tmp_path, "- 1"))

    def test_the_last_of_two_keys_silently_wins(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="c.yaml:2: a: written twice"):
            load_config(self.write(tmp_path, "a: 1\na: 2"))

    def test_yaml_1_1_scalars(self, tmp_path: Path) -> None:
        config = load_config(self.write(tmp_path, "lr: 1e-3\nanswer: no\nversion: '1.10'"))
        assert config.to_dict() == {"lr": 0.001, "answer": "no", "version": "1.10"}

    def test_a_dotted_key_over_a_number_silently_replaces_it(self) -> None:
        with pytest.raises(ConfigError, match=r"lr\.x: lr is a float"):
            merge({"lr": 0.1}, {"lr.x": 1})

    def test_lists_nested_in_the_base_are_aliased(self) -> None:
        base: dict[str, Any] = {"a": {"l": [1]}}
        merged = merge(base, {})
        base["a"]["l"].append(2)
        assert merged.a.l == (1,)

    def test_dicts_in_lists_have_no_dot_access(self) -> None:
        assert Config({"layers": [{"size": 1}]}).layers[0].size == 1

    def test_a_tuple_set_or_path_comes_out_as_something_else(self) -> None:
        values = {"t": (1, 2), "s": {1, 2}, "p": PurePosixPath("a")}
        config = pickle.loads(pickle.dumps(Config(values)))
        assert dict(config) == {"t": (1, 2), "s": frozenset({1, 2}), "p": PurePosixPath("a")}


class TestYanex:
    def test_strings_are_reinterpreted(self, tmp_path: Path) -> None:
        values = {
            "a": "1.10",
            "b": "true",
            "c": "null",
            "d": "1e5",
            "e": "hello, world",
            "f": "range(3)",
            "g": "00123",
        }
        (tmp_path / "c.json").write_text(json.dumps(values))
        assert load_config(tmp_path / "c.json").to_dict() == values
        (tmp_path / "c.yaml").write_text(
            "\n".join(f'{key}: "{text}"' for key, text in values.items())
        )
        assert load_config(tmp_path / "c.yaml").to_dict() == values
        assert sweep(values, [{"x": 1}])[0].e == "hello, world"

    def test_a_range_of_floats_has_one_value_too_many(self) -> None:
        assert len(frange(0.01, 0.1, 0.01)) == 9
        assert len(frange(0.0, 1.0, 0.1)) == 10

    def test_names_of_different_values_collide(self) -> None:
        configs = parse_configs({"s": DynamicValue([0.1, -0.1, "0-1"])})
        assert len({config.label for config in configs}) == 3

    def test_a_config_of_more_than_128_kb_is_too_long(self) -> None:
        config = Config({f"key{i}": "x" * 100 for i in range(5000)})
        assert pickle.loads(pickle.dumps(config)) == config

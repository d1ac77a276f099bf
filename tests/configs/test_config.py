"""Config: frozen, hashable, equal by value, a full mapping, and readable."""

import array
import collections
import copy
import dataclasses
import datetime
import enum
import json
import pickle
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import attrs
import msgspec
import numpy
import pydantic
import pytest

from understudy import Config, ConfigError, ConfigKeyError, ConfigTypeError, parse_configs
from understudy.configs import origin_of

NESTED = {"model": "large", "llm": {"temp": 0.7, "stop": [".", "!"], "layers": [{"size": 2}]}}


class TestFrozen:
    def test_lists_become_tuples_and_dicts_become_configs_all_the_way_down(self) -> None:
        config = Config(NESTED)
        assert config["llm"]["stop"] == (".", "!")
        assert isinstance(config["llm"], Config)
        assert isinstance(config["llm"]["layers"][0], Config)

    def test_the_callers_own_dict_is_not_aliased(self) -> None:
        values: dict[str, Any] = {"a": {"b": [1]}}
        config = Config(values)
        values["a"]["b"].append(2)
        values["c"] = 3
        assert config == {"a": {"b": [1]}}

    def test_nothing_can_be_set_or_deleted(self) -> None:
        config: Any = Config(NESTED)
        with pytest.raises(TypeError, match=r"config.replace\(\{'model': ...\}\)"):
            config["model"] = "small"
        with pytest.raises(TypeError, match="a Config is frozen"):
            del config["model"]
        with pytest.raises(AttributeError, match=r"config.replace\(\{'model': ...\}\)"):
            config.model = "small"
        with pytest.raises(AttributeError, match="a Config is frozen"):
            del config.model
        with pytest.raises(AttributeError, match="no method 'update': a Config is frozen"):
            config.update({"model": "small"})

    def test_changing_what_vars_shows_changes_nothing(self) -> None:
        config = Config(NESTED)
        vars(config)["model"] = "small"
        assert config["model"] == "large"
        assert config.to_dict() == NESTED

    def test_sets_become_frozensets_and_bytearrays_bytes(self) -> None:
        config = Config({"s": {1, 2}, "b": bytearray(b"x")})
        assert config["s"] == frozenset({1, 2})
        assert type(config["b"]) is bytes


class TestMapping:
    def test_it_is_a_mapping(self) -> None:
        config = Config(NESTED)
        assert isinstance(config, Mapping)
        assert dict(config) == {"model": "large", "llm": config["llm"]}
        assert dict(**config) == dict(config)
        assert len(config) == 2
        assert list(config) == list(config.keys()) == ["model", "llm"]
        assert next(iter(config.items())) == ("model", "large")
        assert next(iter(config.values())) == "large"
        assert "model" in config
        assert "nothing" not in config
        assert not config.__contains__(3)
        assert config.get("nothing", 5) == 5
        assert config.get("nothing") is None

    def test_it_matches_as_a_mapping(self) -> None:
        match Config(NESTED):
            case {"model": model, "llm": {"temp": temp}}:
                assert (model, temp) == ("large", 0.7)
            case _:
                pytest.fail("no match")

    def test_a_missing_key_is_a_key_error_with_the_nearest_one(self) -> None:
        with pytest.raises(KeyError, match=r"no key 'modle' \(did you mean 'model'\?\)") as caught:
            Config(NESTED)["modle"]
        assert isinstance(caught.value, ConfigKeyError)
        with pytest.raises(AttributeError, match="did you mean 'model'"):
            _ = Config(NESTED).modle
        with pytest.raises(KeyError, match="it is empty"):
            Config()["a"]
        with pytest.raises(KeyError, match=r"\(it has 'k0', 'k1'.*, \.\.\.\)$"):
            Config({f"k{i}": i for i in range(20)})["zzzzzz"]


class TestAttributes:
    def test_a_key_named_like_a_method_is_reached_by_item_and_path(self) -> None:
        config = Config({"items": [1], "id": "x", "replace": 2, "_values": 3, "__class__": 4})
        assert config["items"] == (1,)
        assert config.at("items") == (1,)
        assert next(iter(config.items())) == ("items", (1,))
        assert config["id"] == "x"
        assert config.id != "x"
        assert callable(config.replace)
        assert (config["replace"], config["_values"], config["__class__"]) == (2, 3, 4)
        assert type(config) is Config

    def test_nested_attributes_and_underscored_keys(self) -> None:
        config = Config({**NESTED, "_fold_idx": 3})
        assert config.llm.layers[0].size == 2
        assert config._fold_idx == 3

    def test_keys_are_completed(self) -> None:
        assert {"model", "llm", "replace"} <= set(dir(Config(NESTED)))
        assert Config(NESTED)._ipython_key_completions_() == ["model", "llm"]


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("model", "large"),
            ("llm.temp", 0.7),
            ("llm.stop[1]", "!"),
            ("llm.stop.1", "!"),
            ("llm.stop[-1]", "!"),
            ("llm.layers[0].size", 2),
            ('llm["temp"]', 0.7),
            ('"llm".temp', 0.7),
            (("llm", "layers", 0, "size"), 2),
        ],
    )
    def test_at(self, path: Any, value: object) -> None:
        assert Config(NESTED).at(path) == value

    def test_a_key_with_a_dot_is_quoted(self) -> None:
        config = Config({"models": {"gpt-4.1": {"price": 2}, 'say "hi"': 1}})
        assert config.at('models."gpt-4.1".price') == 2
        assert config.at('models["gpt-4.1"].price') == 2
        assert config.at(r'models."say \"hi\""') == 1
        assert config.at(("models", "gpt-4.1", "price")) == 2

    def test_the_empty_path_is_the_config(self) -> None:
        assert Config(NESTED).at("") == NESTED

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("llm.tmp", "llm: no key 'tmp' (did you mean 'temp'?)"),
            ("llm.stop[2]", "llm.stop: no item 2 (it has 2"),
            ("llm.stop.x", "llm.stop: no item 'x'"),
            ("model.size", "model: no key 'size' (it is a str, which has no keys)"),
        ],
    )
    def test_a_path_to_nothing_names_the_first_missing_key(self, path: str, message: str) -> None:
        with pytest.raises(ConfigKeyError) as caught:
            Config(NESTED).at(path)
        assert str(caught.value).startswith(message)
        assert Config(NESTED).at(path, None) is None

    @pytest.mark.parametrize("path", ["a..b", ".a", "a.", "a[", "a[x]", 'a"b"', "a]"])
    def test_what_is_no_path_is_an_error_even_with_a_default(self, path: str) -> None:
        with pytest.raises(ConfigError, match="is not a path: write keys with dots"):
            Config(NESTED).at(path, None)

    def test_an_error_never_shows_the_value(self) -> None:
        with pytest.raises(ConfigKeyError) as caught:
            Config({"key": "sk-secret"}).at("key.inner")
        assert "sk-secret" not in str(caught.value)


class TestEquality:
    def test_equal_by_value(self) -> None:
        assert Config(NESTED) == Config(copy.deepcopy(NESTED))
        assert Config(NESTED) == NESTED
        assert Config(NESTED) == NESTED
        assert Config(a=1) != Config(a=2)
        assert Config(a=1) != {"a": 1, "b": 2}
        assert Config(a=1) != 1
        assert Config(a=1) != {1: 1}

    def test_an_order_of_keys_and_an_id_make_no_difference(self) -> None:
        assert Config(a=1, b=2) == Config(b=2, a=1)
        assert hash(Config(a=1, b=2)) == hash(Config(b=2, a=1))
        assert Config({"a": 1, "__config_id__": "x"}) == Config(a=1)

    def test_it_is_a_key_of_a_dict(self) -> None:
        assert {Config(NESTED): 1}[Config(NESTED)] == 1

    def test_a_value_that_cannot_be_hashed_is_named(self) -> None:
        config = Config({"data": numpy.zeros(3)})
        with pytest.raises(TypeError, match="^data: a ndarray cannot be hashed"):
            hash(config)


class TestCopies:
    def test_copies_are_the_same_object(self) -> None:
        config = Config(NESTED)
        assert copy.copy(config) is config
        assert copy.deepcopy(config) is config
        assert Config(config) == config

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_it_is_pickled_with_its_id_and_label(self, protocol: int) -> None:
        config = Config({"__config_id__": "mine", **NESTED, "items": 1})
        again = pickle.loads(pickle.dumps(config, protocol))
        assert again == config
        assert (again.id, again.label) == ("mine", config.label)
        assert again.llm.temp == 0.7
        assert pickle.loads(pickle.dumps(Config(NESTED), protocol)).id == Config(NESTED).id

    def test_replace_and_to_dict(self) -> None:
        config = Config({"__config_id__": "mine", **NESTED})
        other = config.replace({"llm.temp": 0, "llm.stop[0]": "?"}, model="small")
        assert other.to_dict() == {
            "model": "small",
            "llm": {"temp": 0, "stop": ["?", "!"], "layers": [{"size": 2}]},
        }
        assert config.to_dict() == NESTED
        assert config.to_dict(include_id=True) == {**NESTED, "__config_id__": "mine"}
        assert Config(config.to_dict(include_id=True)).id == "mine"
        assert other.id != "mine"

    def test_what_to_dict_gives_is_the_callers_own(self) -> None:
        config = Config(NESTED)
        plain = config.to_dict()
        plain["llm"]["stop"].append("?")
        assert config.to_dict() == NESTED
        assert json.loads(json.dumps(config.to_dict())) == NESTED

    def test_the_repr_makes_the_config_again(self) -> None:
        config = Config({"__config_id__": "mine", **NESTED})
        assert eval(repr(config)) == config
        assert eval(repr(config)).id == "mine"
        assert repr(Config(a=[1, {"b": None}])) == "Config({'a': [1, {'b': None}]})"


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class DataclassSource:
    size: int = 1
    inner: Any = None


class StructSource(msgspec.Struct):
    size: int = 1
    inner: Any = None


class TaggedSource(msgspec.Struct, tag="tagged", tag_field="kind"):
    size: int = 1


@attrs.define
class AttrsSource:
    size: int = 1
    inner: Any = None


class PydanticSource(pydantic.BaseModel):
    size: int = 1
    inner: Any = None


class TestSources:
    @pytest.mark.parametrize("source", [DataclassSource, StructSource, AttrsSource, PydanticSource])
    def test_objects_with_fields_stand_for_their_fields(self, source: Any) -> None:
        assert Config(
            source(2, source(3))
            if source is not PydanticSource
            else PydanticSource(size=2, inner=PydanticSource(size=3))
        ) == {"size": 2, "inner": {"size": 3, "inner": None}}

    def test_a_tagged_struct_keeps_its_tag(self) -> None:
        config = Config(part=TaggedSource(2))
        assert config == {"part": {"kind": "tagged", "size": 2}}

    def test_pairs(self) -> None:
        assert Config([("a", 1), ("b", 2)]) == {"a": 1, "b": 2}
        assert Config({"a": 1}, a=2, b=3) == {"a": 2, "b": 3}
        assert Config(Config({"__config_id__": "x"}), a=1).id != "x"

    @pytest.mark.parametrize(
        "source", ["text", 5, [1, 2], None, b"ab", ["ab", "c"], "", b"", ["ab", "cd"]]
    )
    def test_anything_else_is_a_type_error(self, source: Any) -> None:
        with pytest.raises(ConfigTypeError, match="a Config is made of a mapping"):
            Config(source)

    def test_keys_are_texts(self) -> None:
        with pytest.raises(ConfigTypeError, match=r"^weights: the key 0 is an int"):
            Config({"weights": {0: 0.5}})

    def test_numpy_scalars_become_numbers(self) -> None:
        config = Config({"a": numpy.int64(3), "b": numpy.float32(0.5), "c": [numpy.bool_(True)]})
        assert repr(config) == "Config({'a': 3, 'b': 0.5, 'c': [True]})"

    def test_everything_else_is_kept_as_it_is(self) -> None:
        values = {
            "when": datetime.datetime(2026, 1, 2), "where": PurePosixPath("a/b"), "color": Color.RED,
            "price": Decimal("1.50"), "function": len, "kind": int, "raw": b"x",
        }  # fmt: skip
        assert dict(Config(values)) == values

    def test_a_value_that_contains_itself_is_refused(self) -> None:
        values: dict[str, Any] = {}
        values["self"] = {"again": values}
        with pytest.raises(ConfigError, match="does it contain itself"):
            Config(values)
        items: list[Any] = []
        items.append(items)
        with pytest.raises(ConfigError, match="does it contain itself"):
            Config(items=items)

    @pytest.mark.parametrize("given", ["", 7, None, ["x"]])
    def test_an_id_is_a_text(self, given: object) -> None:
        with pytest.raises(ConfigTypeError, match="an id is a text that is not empty"):
            Config({"__config_id__": given})


def test_the_id_lives_beside_the_values() -> None:
    config = Config({"__config_id__": "mine", "a": 1})
    assert config.id == "mine"
    assert config == {"a": 1}
    with pytest.raises(
        ConfigError, match="^inner: __config_id__ stands at the top of a config only"
    ):
        Config({"inner": {"__config_id__": "its", "b": 2}})


def test_other_sequences_become_tuples_and_iterators_are_refused() -> None:
    source = {"x": 1}
    config = Config(
        {
            "d": collections.deque([[1]]),
            "k": source.keys(),
            "r": range(2),
            "a": array.array("i", [1]),
        }
    )
    source["y"] = 2
    assert dict(config) == {"d": ((1,),), "k": ("x",), "r": (0, 1), "a": (1,)}
    with pytest.raises(
        ConfigTypeError, match="^g: a generator can be read once only: make a list of it"
    ):
        Config(g=(i for i in range(2)))


def test_names_that_a_library_writes_are_kept() -> None:
    class Camel(msgspec.Struct, rename="camel"):
        my_field: int = 0

    class Alias(pydantic.BaseModel):
        my: int = pydantic.Field(0, alias="mY")

    config = Config(s=Camel(5), p=Alias(mY=6), e=Mixed.ONE)
    assert config == {"s": {"myField": 5}, "p": {"mY": 6}, "e": Mixed.ONE}
    assert msgspec.convert(config.to_dict()["s"], Camel) == Camel(5)
    assert Alias.model_validate(config.to_dict()["p"]) == Alias(mY=6)


@dataclasses.dataclass(frozen=True)
class Mixin:
    number: int


class Mixed(Mixin, enum.Enum):
    ONE = 1


@pytest.mark.parametrize("path", [5, ("a", None), None, ["a"]])
def test_what_is_no_path_at_all(path: Any) -> None:
    with pytest.raises(ConfigTypeError, match="a path is a text or a tuple of keys"):
        Config(a=1).at(path)
    assert Config(a=[1, 2]).at("a.1_0", "none") == "none"


def test_a_replaced_config_remembers_where_the_rest_was_written() -> None:
    (config,) = parse_configs([{"model": {"size": 1, "depth": 2}}])
    changed = config.replace({"model.size": 6})
    assert origin_of(changed, "model.size") == "replace()"
    assert origin_of(changed, "model.depth") == "sources[0]"
    assert origin_of(Config(a=1)) is origin_of(Config(a=1).replace(a=2)) is None

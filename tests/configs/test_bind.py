"""Binding: which parameters a config fills in, with what, wherever they stand."""

import copy
import dataclasses
import datetime
import enum
import functools
import inspect
import pickle
import sys
from collections.abc import Callable, Mapping, MutableMapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from understudy import Bind, Config, ConfigError, ConfigKeyError, ConfigTypeError, parse_configs
from understudy.configs import Binder

CONFIG = Config({
    "model": "large", "steps": 3, "temp": 1, "zero": 0, "no": False, "text": "", "empty": [], "nothing": None,
    "tags": ["a", "b"], "when": "2026-01-02", "path": "a/b", "color": "red", "price": "1.50",
    "part": {"size": 5, "tags": ["x"], "extra": {"deep": [1]}}, "models": {"gpt-4.1": {"price": 2}},
    "layers": [{"size": 1}, {"size": 2}],
})  # fmt: skip
P = TypeVar("P")


class Color(enum.Enum):
    RED = "red"


class Frozen(msgspec.Struct, frozen=True):
    size: int
    tags: tuple[str, ...]


class HalfFrozen(msgspec.Struct, frozen=True):
    size: int
    tags: list[str]


class Mutable(msgspec.Struct):
    size: int
    tags: list[str]
    extra: Any


@dataclasses.dataclass
class Data:
    size: int
    tags: list[str]


@dataclasses.dataclass(frozen=True)
class FrozenData:
    size: int
    tags: tuple[str, ...]


@attrs.define
class Attrs:
    size: int
    tags: list[str]


class Model(pydantic.BaseModel):
    size: int
    tags: list[str]


class Typed(TypedDict):
    size: int
    tags: list[str]


class WithConfig(msgspec.Struct):
    size: int
    extra: Config
    tags: list[Path]


def given(annotation: Any, config: Config = CONFIG) -> Any:
    """Return what a parameter with this annotation gets."""

    def function(it: Any) -> Any:
        return it

    function.__annotations__["it"] = annotation
    return Binder(function).call(config)


@pytest.mark.parametrize(
    ("target", "path", "value"),
    [
        (str, "model", "large"), (int, "steps", 3), (float, "temp", 1.0), (float | None, "temp", 1.0),
        (int, "zero", 0), (bool, "no", False), (str, "text", ""), (list[int], "empty", []),
        (type(None), "nothing", None), (int | None, "nothing", None), (Optional[str], "nothing", None),
        (list[str], "tags", ["a", "b"]), (tuple[str, ...], "tags", ("a", "b")), (set[str], "tags", {"a", "b"}),
        (Literal["large", "small"], "model", "large"), (datetime.date, "when", datetime.date(2026, 1, 2)),
        (Path, "path", Path("a/b")), (Color, "color", Color.RED), (Decimal, "price", Decimal("1.50")),
        (Any, "tags", ("a", "b")), (int, 'models."gpt-4.1".price', 2), (int, "layers[1].size", 2),
        (int, ("layers", 0, "size"), 1), (str, "part.tags[0]", "x"), (Config, "part", CONFIG.part),
        (Config | None, "nothing", None), (Mapping[str, Any], "part", CONFIG.part),
        (Mapping[str, int], "layers[0]", {"size": 1}),
        (dict, "part", {"size": 5, "tags": ["x"], "extra": {"deep": [1]}}),
        (dict[str, Any], "layers[0]", {"size": 1}), (MutableMapping[str, Any], "layers[0]", {"size": 1}),
        (Frozen, "part", Frozen(5, ("x",))), (Mutable, "part", Mutable(5, ["x"], {"deep": [1]})),
        (Data, "part", Data(5, ["x"])), (FrozenData, "part", FrozenData(5, ("x",))),
        (Attrs, "part", Attrs(5, ["x"])), (Model, "part", Model(size=5, tags=["x"])),
        (Model | None, "part", Model(size=5, tags=["x"])), (list[Config], "layers", [{"size": 1}, {"size": 2}]),
        (Typed, "part", {"size": 5, "tags": ["x"]}),
        (WithConfig, "part", WithConfig(5, Config(deep=[1]), [Path("x")])),
    ],
)  # fmt: skip
def test_a_part_is_converted_to_the_annotated_type(target: Any, path: Any, value: Any) -> None:
    found = given(Annotated[target, Bind(path)])
    assert found == value
    assert type(found) is type(value) or isinstance(found, Config)


def test_values_of_python_keep_their_kind() -> None:
    def score(x: int) -> int:
        return x

    config = Config(
        {"f": score, "d": datetime.date(2026, 1, 2), "c": Color.RED, "n": Decimal(1), "k": Data}
    )
    assert given(Annotated[Callable[..., Any], Bind("f")], config) is score
    assert given(Annotated[datetime.date, Bind("d")], config) == datetime.date(2026, 1, 2)
    assert given(Annotated[Color, Bind("c")], config) is Color.RED
    assert given(Annotated[type, Bind("k")], config) is Data


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Config, CONFIG), (Config | None, CONFIG), (Optional[Config], CONFIG), ("Config", CONFIG),
        ("Config | None", CONFIG), (Annotated[Config, Bind()], CONFIG), (Annotated[Config, "other"], CONFIG),
        (Annotated[Config, Bind("part")], CONFIG.part),
    ],
)  # fmt: skip
def test_a_config_annotation_gets_the_config(annotation: Any, value: Config) -> None:
    assert given(annotation) is value


@pytest.mark.parametrize(
    "annotation", [inspect.Parameter.empty, Any, dict, dict[str, Any], Mapping, Mapping[str, Any],
                   MutableMapping[str, Any], dict | None, "dict", "dict[str, Any]", Config]
)  # fmt: skip
def test_a_parameter_named_config_may_be_a_dict_or_have_no_annotation(annotation: Any) -> None:
    def function(prompt: str, config: Any) -> Any:
        return config

    if annotation is inspect.Parameter.empty:
        del function.__annotations__["config"]
    else:
        function.__annotations__["config"] = annotation
    found = Binder(function).call(CONFIG, "hello")
    assert found == CONFIG
    assert isinstance(found, dict) == ("dict" in str(annotation) or "Mutable" in str(annotation))


def test_a_parameter_named_config_may_be_a_typed_dict() -> None:
    def function(config: Typed) -> Typed:
        return config

    assert Binder(function).call(CONFIG.part) == {"size": 5, "tags": ["x"]}


class SomebodysConfig(pydantic.BaseModel):
    size: int


@pytest.mark.parametrize(
    "annotation",
    [
        int | None, Optional[int], Literal["a"], Callable[..., int], P, type[int], Mapping[str, int],
        list[str], dict[str, int], Any, "NotDefined", "not even python", "NotDefined[int]", Model, dict,
        "alembic.Config", lambda: 1, 5, SomebodysConfig, Annotated[int, "note"], "Bindings",
    ],
)  # fmt: skip
def test_annotations_that_have_nothing_to_do_with_configs_never_matter(annotation: Any) -> None:
    def function(it: Any, config: Config) -> Any:
        return it, config

    function.__annotations__["it"] = annotation
    binder = Binder(function)
    assert binder.injected == ("config",)
    assert binder.call(CONFIG, 5) == (5, CONFIG)


def test_a_config_of_somebody_elses_stays_the_callers() -> None:
    def function(config: SomebodysConfig) -> Any:
        return config

    assert Binder(function).injected == ()
    assert Binder(print).injected == ()
    assert Binder(dict).call(CONFIG, a=1) == {"a": 1}


class TestPositions:
    def test_first(self) -> None:
        def function(config: Config, x: str, y: int = 1) -> Any:
            return config.model, x, y

        call = functools.partial(Binder(function).call, CONFIG)
        assert call("v") == call(x="v") == ("large", "v", 1)
        assert call("v", 2) == call("v", y=2) == ("large", "v", 2)
        assert call(Config(model="mine"), "v", 2) == ("mine", "v", 2)
        assert call("v", config=Config(model="mine")) == ("mine", "v", 1)

    def test_last_and_what_the_caller_passes_wins(self) -> None:
        def function(x: str, config: Config) -> Any:
            return x, config.model

        call = functools.partial(Binder(function).call, CONFIG)
        assert call("v") == ("v", "large")
        assert (
            call("v", Config(model="mine"))
            == call("v", config=Config(model="mine"))
            == ("v", "mine")
        )

    def test_in_the_middle_and_between_stars(self) -> None:
        def function(
            a: int,
            config: Config,
            b: int,
            *more: int,
            size: Annotated[int, Bind("part.size")],
            **rest: int,
        ) -> Any:
            return a, config.model, b, more, size, rest

        call = functools.partial(Binder(function).call, CONFIG)
        assert call(1, 2) == (1, "large", 2, (), 5, {})
        assert call(1, b=2) == (1, "large", 2, (), 5, {})
        assert call(1, 2, 3, 4, z=9) == (1, "large", 2, (3, 4), 5, {"z": 9})
        assert call(1, 2, 3, size=7) == (1, "large", 2, (3,), 7, {})

    def test_positional_only(self) -> None:
        def function(
            a: int,
            config: Config,
            b: int = 7,
            size: Annotated[int, Bind("part.size")] = 0,
            /,
            **rest: Any,
        ) -> Any:
            return a, config.model, b, size, rest

        call = functools.partial(Binder(function).call, CONFIG)
        assert call(1) == (1, "large", 7, 5, {})
        assert call(1, 2) == (1, "large", 2, 5, {})
        assert call(1, config="of the caller") == (1, "large", 7, 5, {"config": "of the caller"})
        assert call(1, Config(model="mine"), 3) == (1, "mine", 3, 5, {})

    def test_a_wrong_call_fails_as_python_says(self) -> None:
        def function(a: int, config: Config, /, b: int) -> Any: ...

        call = functools.partial(Binder(function).call, CONFIG)
        with pytest.raises(TypeError, match="missing"):
            call()
        with pytest.raises(TypeError, match="unexpected keyword"):
            call(1, b=2, c=3)

        def two(x: int, config: Config) -> Any: ...

        with pytest.raises(TypeError, match="multiple values for argument 'config'"):
            Binder(two).call(CONFIG, 1, CONFIG, config=CONFIG)

    def test_a_config_at_the_place_of_a_config_is_meant_for_it(self) -> None:
        mine = Config(model="mine")

        def first(config: Config, a: int, b: int = 2) -> Any:
            return config.model, a, b

        def second(a: int, config: Config, b: int = 2, *rest: int) -> Any:
            return a, config.model, b, rest

        assert Binder(first).call(CONFIG, mine, 5) == ("mine", 5, 2)
        assert Binder(first).call(CONFIG, 5, 6) == ("large", 5, 6)
        assert Binder(second).call(CONFIG, 1, mine) == (1, "mine", 2, ())
        assert Binder(second).call(CONFIG, 1, mine, 3, 4) == (1, "mine", 3, (4,))
        assert Binder(second).call(CONFIG, 1, 3, 4) == (1, "large", 3, (4,))


class TestMarks:
    def test_what_stands_beside_a_bind_counts(self) -> None:
        positive = Annotated[int, msgspec.Meta(gt=0), Bind("x")]
        assert given(positive, Config(x=5)) == 5
        with pytest.raises(ConfigError, match="x: expected `int` >= 1"):
            given(positive, Config(x=-5))
        with pytest.raises(ConfigError, match="x: Input should be greater than 0"):
            given(Annotated[pydantic.PositiveInt, Bind("x")], Config(x=-1))
        assert given(Annotated[pydantic.PositiveInt, "note", Bind("x")], Config(x=1)) == 1

    def test_a_bind_inside_an_optional(self) -> None:
        assert given(Optional[Annotated[float, Bind("temp")]]) == 1.0
        assert given(Optional[Annotated[float, Bind("nothing")]]) is None
        with pytest.raises(ConfigError, match="has a Bind inside its type"):
            given(list[Annotated[float, Bind("temp")]])

    def test_new_types_and_aliases(self) -> None:
        assert given(NewType("Mine", Config)) is CONFIG
        assert given(NewType("Mine", Config) | None) is CONFIG
        if sys.version_info >= (3, 12):
            namespace: dict[str, Any] = {"Annotated": Annotated, "Bind": Bind, "Config": Config}
            exec("type T = Annotated[float, Bind('temp')]\ntype C = Config", namespace)
            assert given(namespace["T"]) == 1.0
            assert given(namespace["C"]) is CONFIG

    def test_renamed_fields_come_back(self) -> None:
        class Camel(msgspec.Struct, rename="camel"):
            my_field: int = 0

        assert given(Annotated[Camel, Bind("s")], Config(s=Camel(5))) == Camel(5)

    def test_an_error_of_a_users_own_type_names_the_path(self) -> None:
        class Picky(msgspec.Struct):
            size: int

            def __post_init__(self) -> None:
                raise KeyError("mine")

        with pytest.raises(ConfigError, match="^part: KeyError: 'mine', for 'it' of"):
            given(Annotated[Picky, Bind("part")])


class TestCallables:
    def test_methods_partials_objects_and_classes(self) -> None:
        class Service:
            def __init__(self, config: Config) -> None:
                self.model: str = config.model

            def answer(self, prompt: str, config: Config) -> str:
                return f"{config.model}: {prompt}"

            def __call__(self, prompt: str, config: Config) -> str:
                return self.answer(prompt, config)

            @staticmethod
            def static(config: Config) -> str:
                return str(config.model)

            @classmethod
            def of_class(cls, config: Config) -> str:
                return f"{cls.__name__}{config.model}"

        service: Service = Binder(Service).call(CONFIG)
        assert service.model == "large"
        assert Binder(service.answer).call(CONFIG, "hi") == "large: hi"
        assert Binder(Service.answer).call(CONFIG, service, "hi") == "large: hi"
        assert Binder(service).call(CONFIG, "hi") == "large: hi"
        assert Binder(Service.static).call(CONFIG) == "large"
        assert Binder(Service.of_class).call(CONFIG) == "Servicelarge"
        assert (
            Binder(functools.partial(Service.answer, service, prompt="x")).call(CONFIG)
            == "large: x"
        )
        assert Binder(lambda config: config.model).call(CONFIG) == "large"

    def test_what_a_partial_has_set_wins(self) -> None:
        def function(x: int, config: Config, size: Annotated[int, Bind("part.size")]) -> Any:
            return x, config.model, size

        binder = Binder(functools.partial(function, config=Config(model="mine")))
        assert binder.call(CONFIG, 1) == (1, "mine", 5)
        assert str(binder.signature) == "(x: int) -> Any"
        with pytest.raises(ConfigError, match=r"for 'size' of .*function \(config '1'\)$"):
            binder.call(Config(a=1), 1)

    def test_a_function_behind_a_wrapper(self) -> None:
        def logged(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return ("logged", function(*args, **kwargs))

            return wrapper

        @logged
        def function(config: Config, x: int) -> Any:
            return config.model, x

        assert Binder(function).call(CONFIG, 1) == ("logged", ("large", 1))

    async def test_a_coroutine_function_gives_its_coroutine(self) -> None:
        async def function(x: int, config: Config) -> Any:
            return x, config.model

        assert await Binder(function).call(CONFIG, 1) == (1, "large")

    def test_a_function_without_source(self) -> None:
        namespace: dict[str, Any] = {}
        exec(
            "from understudy import Config\ndef f(x: 'Config', y: 'Nope'): return x.model, y",
            namespace,
        )
        assert Binder(namespace["f"]).call(CONFIG, 1) == ("large", 1)


class TestSharing:
    @pytest.mark.parametrize(
        "target", [Frozen, FrozenData, Config, int, tuple[str, ...], str, Color]
    )
    def test_what_cannot_change_is_made_once(self, target: Any) -> None:
        path = {int: "steps", tuple[str, ...]: "tags", str: "model", Color: "color"}.get(
            target, "part"
        )

        def function(it: Any) -> Any:
            return it

        function.__annotations__["it"] = Annotated[target, Bind(path)]
        binder = Binder(function)
        assert binder.call(CONFIG) is binder.call(CONFIG)

    @pytest.mark.parametrize(
        "target", [Mutable, HalfFrozen, Data, Attrs, Model, Typed, dict[str, Any], list[Any]]
    )
    def test_what_one_call_changes_no_other_call_sees(self, target: Any) -> None:
        path = "tags" if target == list[Any] else "part"

        def function(it: Any) -> Any:
            before = copy.deepcopy(it)
            tags = it if isinstance(it, list) else it["tags"] if isinstance(it, dict) else it.tags
            tags.append("changed")
            return before

        function.__annotations__["it"] = Annotated[target, Bind(path)]
        binder = Binder(function)
        assert binder.call(CONFIG) == binder.call(CONFIG) == binder.call(CONFIG)
        assert CONFIG.part.tags == ("x",)


class WithPrivate(pydantic.BaseModel, extra="allow"):
    size: int
    _cache: list[int] = pydantic.PrivateAttr(default_factory=list[int])

    def grow(self) -> int:
        self._cache.append(1)
        return len(self._cache)


@dataclasses.dataclass(frozen=True)
class FrozenWithCache:
    size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "cache", [])

    def grow(self) -> int:
        cache: list[int] = vars(self)["cache"]
        cache.append(1)
        return len(cache)


class StructWithDict(msgspec.Struct, dict=True):
    size: int

    def __post_init__(self) -> None:
        self.cache: list[int] = []

    def grow(self) -> int:
        self.cache.append(1)
        return len(self.cache)


class FrozenStructWithDict(msgspec.Struct, frozen=True, dict=True):
    size: int

    @functools.cached_property
    def cache(self) -> list[int]:
        return []

    def grow(self) -> int:
        self.cache.append(1)
        return len(self.cache)


@dataclasses.dataclass
class Base:
    size: int = 0


@dataclasses.dataclass(slots=True)
class Slotted(Base):
    depth: int = 1

    def grow(self) -> int:
        self.depth += 1
        return self.depth - 1 + self.size - 5


@pytest.mark.parametrize(
    "target", [WithPrivate, FrozenWithCache, StructWithDict, FrozenStructWithDict, Slotted]
)
def test_state_beside_the_fields_is_never_shared(target: Any) -> None:
    def function(it: Any) -> int:
        return it.grow()  # type: ignore[no-any-return]

    function.__annotations__["it"] = Annotated[target, Bind()]
    binder = Binder(function)
    assert [binder.call(Config(size=5)) for _ in range(3)] == [1, 1, 1]


class TestDefaults:
    def test_a_parameter_with_a_default_needs_no_value(self) -> None:
        def function(
            x: int = 1, size: Annotated[int, Bind("nothing.here")] = 7, config: Config | None = None
        ) -> Any:
            return x, size, config

        assert Binder(function).call(Config(a=1)) == (1, 7, Config(a=1))
        assert Binder(function).call(Config(a=1), 5) == (5, 7, Config(a=1))
        assert Binder(function).call(None) == (1, 7, None)

    def test_a_default_is_for_what_is_left_out_not_for_what_is_wrong(self) -> None:
        def function(temp: Annotated[float, Bind("llm.temp")] = 0.5) -> float:
            return temp

        binder = Binder(function)
        cases: list[dict[str, Any]] = [{}, {"llm": None}, {"llm": {}}, {"llm": []}]
        for left_out in cases:
            assert binder.call(Config(left_out)) == 0.5
        with pytest.raises(
            ConfigKeyError, match=r"^llm: no key 'temp' \(it is a str, which has no keys\)"
        ):
            binder.call(Config(llm="large"))

    def test_no_config_where_one_is_needed(self) -> None:
        def function(x: int, config: Config) -> Any:
            return config

        binder = Binder(function)
        with pytest.raises(ConfigError, match=r"function needs a config for config, and has none"):
            binder.call(None, 1)
        assert binder.call(None, 1, CONFIG) is binder.call(None, 1, config=CONFIG) is CONFIG


class TestErrors:
    def test_an_error_names_file_line_path_and_expectation(self, tmp_path: Path) -> None:
        file = tmp_path / "c.yaml"
        file.write_text("llm:\n  model: large\n  temp: hot\n")

        def ask(prompt: str, temp: Annotated[float, Bind("llm.temp")]) -> None: ...

        with pytest.raises(ConfigError) as caught:
            Binder(ask).check(parse_configs(file))
        assert str(caught.value) == (
            f"{file}:3: llm.temp: expected `float`, got `str`, for 'temp' of {ask.__qualname__} (config 'large-hot')"
        )

    @pytest.mark.parametrize(
        ("annotation", "message"),
        [
            (Annotated[int, Bind("part.siz")], "sources[0]: part: no key 'siz' (did you mean 'size'?), for 'it' of "),
            (Annotated[int, Bind("part")], "sources[0]: part: expected `int`, got `mapping`"),
            (Annotated[Config, Bind("model")], "sources[0]: model: expected a mapping, got a str"),
            (Annotated[Config | None, Bind("model")], "sources[0]: model: expected a mapping, got a str"),
            (Annotated[int | None, Bind("model")], "sources[0]: model: expected `int | None`, got `str`"),
            (Annotated[Literal["a"], Bind("model")], "sources[0]: model: expected one of 'a', got 'large'"),
            (Annotated[list[Frozen], Bind("layers")], "sources[0]: layers[0]: no key 'tags' (it has 'size')"),
            (Annotated[dict[str, list[int]], Bind("part")], "sources[0]: part"),
            (Annotated[Path, Bind("steps")], "sources[0]: steps: expected `Path`, got `int`"),
            (Annotated[Mutable, Bind("layers[0]")], "sources[0]: layers[0]: no key 'tags' (it has 'size')"),
            (Annotated[Model, Bind("layers[0]")], "sources[0]: layers[0].tags: Field required"),
            (Annotated[int, Bind("model.size")], "sources[0]: model: no key 'size' (it is a str"),
            (Annotated[list[int], Bind("tags")], "sources[0]: tags[0]: expected `int`, got `str`"),
            (Annotated[Color, Bind("model")], "sources[0]: model: expected one of 'red', got 'large'"),
            (Annotated[set[list[int]] | set[str], Bind("tags")], "sources[0]: tags: set["),
        ],
    )  # fmt: skip
    def test_what_does_not_fit(self, annotation: Any, message: str) -> None:
        def function(it: Any) -> None: ...

        function.__annotations__["it"] = annotation
        with pytest.raises(ConfigError) as caught:
            Binder(function).check(parse_configs([CONFIG]))
        assert str(caught.value).startswith(message)
        again = pickle.loads(pickle.dumps(caught.value))
        assert (type(again), str(again)) == (type(caught.value), str(caught.value))

    def test_a_misspelt_field_is_found_at_its_line(self, tmp_path: Path) -> None:
        class Strict(msgspec.Struct, forbid_unknown_fields=True):
            temperature: float = 1.0
            model: str = "large"

        class Needed(msgspec.Struct):
            temperature: float

        (tmp_path / "c.yaml").write_text("llm:\n  model: large\n  temprature: 1\n")
        configs = parse_configs(tmp_path / "c.yaml")
        for target, message in {
            Strict: "c.yaml:3: llm.temprature: not one of the fields of Strict",
            Needed: "c.yaml:2: llm: no key 'temperature' (did you mean 'temprature'?)",
        }.items():

            def function(it: Any) -> None: ...

            function.__annotations__["it"] = Annotated[target, Bind("llm")]
            with pytest.raises(ConfigError) as caught:
                Binder(function).check(configs)
            assert str(caught.value).startswith(f"{tmp_path}/{message}")

    def test_all_configs_that_do_not_fit_are_told(self) -> None:
        def function(it: Annotated[int, Bind("a")]) -> None: ...

        configs = parse_configs([{"a": 1}, {"a": "x"}, {"b": 1}])
        with pytest.raises(ConfigError) as caught:
            Binder(function).check(configs)
        first, second, third = str(caught.value).splitlines()
        assert first == "2 configs do not fit:"
        assert second.startswith("  sources[1]: a: expected `int`, got `str`")
        assert third.startswith("  sources[2]: no key 'a' (it has 'b')")

    def test_what_is_no_config(self) -> None:
        def function(config: Config) -> None: ...

        binder: Any = Binder(function)
        binder.check(CONFIG)
        for method, wrong in (
            (binder.call, "hello"),
            (binder.check, "prompts/"),
            (binder.call, {}),
        ):
            with pytest.raises(ConfigTypeError, match="function: expected a Config first, got a"):
                method(wrong)

    def test_a_bind_that_stands_wrongly(self) -> None:
        def as_default(x: float = Bind("lr")) -> None: ...  # type: ignore[assignment]  # pyright: ignore

        def uncalled(x: Annotated[float, Bind]) -> None: ...

        with pytest.raises(ConfigError, match=r"has Bind\('lr'\) as its default: write Annotated"):
            Binder(as_default)
        with pytest.raises(ConfigError, match=r"'x' of .*uncalled has Bind without a path"):
            Binder(uncalled)
        with pytest.raises(
            ConfigTypeError, match="a path is a text or a tuple of keys, not an int"
        ):
            Bind(3)  # type: ignore[arg-type]  # pyright: ignore

    def test_the_kind_of_error_is_kept(self) -> None:
        def missing(it: Annotated[int, Bind("gone")]) -> None: ...

        def unfit(it: Annotated[set[list[int]] | set[str], Bind("tags")]) -> None: ...

        with pytest.raises(ConfigKeyError):
            Binder(missing).check([CONFIG])
        with pytest.raises(ConfigTypeError):
            Binder(unfit).check([CONFIG])

    def test_a_bind_whose_type_cannot_be_found_is_an_error_at_once(self) -> None:
        def function(it: "Annotated[Nowhere, Bind('a')]") -> None: ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore

        with pytest.raises(
            ConfigError, match="has a name that cannot be found: import it at run time"
        ):
            Binder(function)

        def twice(it: Annotated[int, Bind("a"), Bind("b")]) -> None: ...

        with pytest.raises(ConfigError, match="'it' of .*twice has more than one Bind"):
            Binder(twice)


class TestSignature:
    def test_it_does_not_show_what_is_filled_in(self) -> None:
        def answer(
            config: Config, prompt: str, *, temp: Annotated[float, Bind("temp")], tone: str = "dry"
        ) -> str:
            """Answer."""
            return f"{config.model} {prompt} {temp} {tone}"

        binder = Binder(answer)
        assert str(binder.signature) == "(prompt: str, *, tone: str = 'dry') -> str"

        def play(*args: Any, **kwargs: Any) -> Any:
            return binder.call(CONFIG, *args, **kwargs)

        wrapped = binder.wraps(play)
        assert inspect.signature(wrapped) == binder.signature
        assert inspect.get_annotations(wrapped) == {"prompt": str, "tone": str, "return": str}
        assert (wrapped.__name__, wrapped.__doc__) == ("answer", "Answer.")
        assert wrapped("hi") == "large hi 1.0 dry"
        assert answer.__annotations__["config"] is Config

    def test_no_web_client_can_send_a_config(self) -> None:
        async def answer(
            prompt: str, config: Config, size: Annotated[int, Bind("part.size")]
        ) -> dict[str, Any]:
            return {"prompt": prompt, "model": config.model, "size": size}

        binder = Binder(answer)

        async def play(*args: Any, **kwargs: Any) -> Any:
            return await binder.call(CONFIG, *args, **kwargs)

        app = FastAPI()
        app.get("/answer")(binder.wraps(play))
        app.post("/answer")(binder.wraps(play))
        with TestClient(app) as client:
            expected = {"prompt": "hi", "model": "large", "size": 5}
            assert client.get("/answer?prompt=hi").json() == expected
            assert client.get("/answer?prompt=hi&config=x&size=9").json() == expected
            body = {"config": {"model": "INJECTED"}, "model": "INJECTED", "size": 9}
            assert client.post("/answer?prompt=hi", json=body).json() == expected
            assert client.get("/answer").status_code == 422
            parameters = client.get("/openapi.json").json()["paths"]["/answer"]["get"]["parameters"]
            assert [parameter["name"] for parameter in parameters] == ["prompt"]


def test_a_binder_says_what_it_fills_in() -> None:
    def ask(prompt: str, config: Config, temp: Annotated[float, Bind("temp")]) -> None: ...

    name = ask.__qualname__
    assert repr(Binder(ask)) == f"<Binder of {name}(prompt: str) -> None, filling in config, temp>"


class Pair(NamedTuple):
    left: int
    right: int


def test_named_tuples() -> None:
    assert given(Annotated[Pair, Bind("pair")], Config(pair=[1, 2])) == Pair(1, 2)


def test_the_signature_is_never_read_on_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(x: int, config: Config) -> Any:
        return x, config.model

    binder = Binder(function)

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("inspected on a call")

    monkeypatch.setattr(inspect, "signature", refuse)
    monkeypatch.setattr("typing.get_type_hints", refuse)
    for _ in range(3):
        assert binder.call(Config(model="new"), 1) == (1, "new")


def test_configs_made_for_each_call_are_not_kept_for_ever() -> None:
    def function(config: Config) -> Any:
        return config.i

    binder = Binder(function)
    assert [binder.call(Config(i=i)) for i in range(3000)] == list(range(3000))
    assert len(binder._prepared) <= 1024

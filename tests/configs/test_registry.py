"""register and build: by name, nested, checked, and in any process."""

import abc
import multiprocessing
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

import pytest

from understudy import (
    Config,
    ConfigError,
    ConfigKeyError,
    ConfigTypeError,
    RegistryError,
    build,
    register,
)


@pytest.fixture(autouse=True)
def classes(monkeypatch: pytest.MonkeyPatch) -> dict[str, type]:
    """An empty registry for each test."""
    empty: dict[str, type] = {}
    monkeypatch.setattr("understudy.configs._registry._classes", empty)
    monkeypatch.setattr("understudy.configs._registry._elsewhere", {})
    return empty


class Layer:
    def __init__(self, size: int = 1) -> None:
        self.size = size


class Wide(Layer):
    pass


class Model:
    def __init__(
        self,
        layers: list[Layer],
        head: Layer | None = None,
        options: dict[str, Any] | None = None,
        extra: Any = None,
    ) -> None:
        self.layers, self.head, self.options, self.extra = layers, head, options, extra


def test_build_by_name_with_overrides_and_defaults() -> None:
    register(Layer)
    assert build(Layer, {"type": "Layer"}).size == 1
    assert build(Layer, Config(type="Layer", size=5)).size == 5
    assert build(Layer, {"type": "Layer", "size": 5}, size=6).size == 6
    assert build(object, {"type": Layer, "size": 7}).size == 7  # type: ignore[attr-defined]  # pyright: ignore


def test_register_returns_the_class_and_takes_another_name() -> None:
    assert register(Layer) is Layer
    assert register(name="layers.Wide")(Wide) is Wide
    assert type(build(Layer, {"type": "layers.Wide"})) is Wide
    with pytest.raises(ConfigTypeError, match="register takes a class, not the function len"):
        register(len)  # type: ignore[call-overload]  # pyright: ignore


def test_the_same_class_again_is_fine() -> None:
    register(Layer)
    register(Layer)
    again = type("Layer", (), {"__module__": Layer.__module__, "__qualname__": Layer.__qualname__})
    register(again)
    assert type(build(object, {"type": "Layer"})) is again


def test_another_class_under_the_name_is_a_runtime_error() -> None:
    register(Layer)
    with pytest.raises(
        RuntimeError, match="'Layer' is already registered: .*Layer has the name, so .*Wide"
    ):
        register(name="Layer")(Wide)
    with pytest.raises(RegistryError):
        register(type("Layer", (), {"__qualname__": "elsewhere.Layer"}))


def test_nested_mappings_are_built_first() -> None:
    for cls in (Layer, Wide, Model):
        register(cls)
    model = build(Model, Config({
        "type": "Model", "layers": [{"type": "Layer", "size": 2}, {"type": "Wide", "size": 3}],
        "head": {"type": "Wide"}, "options": {"type": "cosine", "warm": [1, 2]},
        "extra": {"deep": [{"type": "Layer", "size": 9}], "n": 1},
    }))  # fmt: skip
    assert [(type(layer), layer.size) for layer in model.layers] == [(Layer, 2), (Wide, 3)]
    assert type(model.head) is Wide
    assert model.options == {"type": "cosine", "warm": [1, 2]}
    assert model.extra["deep"][0].size == 9
    assert type(model.options) is dict
    assert type(model.layers) is list


def test_an_instance_is_passed_through_after_a_type_check() -> None:
    layer: Any = Wide(4)
    assert build(Layer, layer) is layer
    with pytest.raises(
        ConfigTypeError, match="expected a mapping with a 'type', or an instance of Model"
    ):
        build(Model, layer)
    with pytest.raises(ConfigTypeError, match="size: it is built already"):
        build(Layer, layer, size=3)
    register(Model)
    assert build(Model, {"type": "Model", "layers": [layer]}).layers == [layer]


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"size": 1}, ConfigKeyError, "no key 'type' (it has 'size'"),
        ({}, ConfigKeyError, "no key 'type' (it is empty)"),
        ({"type": "Layr"}, ConfigKeyError, "type: no class is registered as 'Layr': did you mean 'Layer'?"),
        ({"type": "Zzz"}, ConfigKeyError, "type: no class is registered as 'Zzz': is its module imported? (known: 'Layer', 'Other')"),
        ({"type": "Other"}, ConfigTypeError, "'Other' is Model, which is not a Layer"),
        ({"type": 5}, ConfigTypeError, "type: expected the name of a class, got an int"),
        (None, ConfigTypeError, "expected a mapping with a 'type', or an instance of Layer, got None"),
        ("Layer", ConfigTypeError, "expected a mapping with a 'type'"),
        ({"type": "Layer", "sise": 1}, ConfigError, "sise: Layer takes no key 'sise' (did you mean 'size'?)"),
    ],
)  # fmt: skip
def test_what_cannot_be_built(config: Any, error: type[Exception], message: str) -> None:
    register(Layer)
    register(name="Other")(Model)
    with pytest.raises(error) as caught:
        build(Layer, config)
    assert str(caught.value).startswith(message)


def test_an_argument_that_is_lacking() -> None:
    register(Model)
    with pytest.raises(
        ConfigError,
        match="^Model does not fit: missing a required argument: 'layers'; it takes layers,",
    ):
        build(Model, {"type": "Model"})


def test_the_base_may_be_abstract_or_several() -> None:
    class Base(abc.ABC):
        @abc.abstractmethod
        def run(self) -> int: ...

    @register
    class Real(Base):
        def run(self) -> int:
            return 1

    class Shape(Protocol):
        def run(self) -> int: ...

    assert build(Base, {"type": "Real"}).run() == 1
    assert type(build(Real | Layer, {"type": "Real"})) is Real  # type: ignore[arg-type]  # pyright: ignore
    for wrong in (Shape, "Real", len):
        with pytest.raises(ConfigTypeError, match="build takes a class to check against"):
            build(wrong, {"type": "Real"})  # type: ignore[arg-type]  # pyright: ignore
    with pytest.raises(
        ConfigTypeError, match=r"register\('x'\) takes a class: register\(name='x'\)"
    ):
        register("x")  # type: ignore[call-overload]  # pyright: ignore


def test_an_error_inside_names_its_path() -> None:
    for cls in (Layer, Model):
        register(cls)
    with pytest.raises(ConfigKeyError, match=r"^layers\[1\].type: no class is registered as 'Lay'"):
        build(Model, {"type": "Model", "layers": [{"type": "Layer"}, {"type": "Lay"}]})
    with pytest.raises(ConfigTypeError, match="^head: 'Model' is Model, which is not a Layer"):
        build(Model, {"type": "Model", "layers": [], "head": {"type": "Model", "layers": []}})
    with pytest.raises(ConfigError, match=r"^layers\[0\].x: Layer takes no key 'x'"):
        build(Model, {"type": "Model", "layers": [{"type": "Layer", "x": 1}]})


def test_an_error_of_the_class_itself_is_its_own() -> None:
    @register
    class Broken:
        def __init__(self) -> None:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        build(Broken, {"type": "Broken"})


def test_the_config_is_not_changed_and_not_aliased() -> None:
    register(Model)
    config: dict[str, Any] = {"type": "Model", "layers": [], "options": {"a": [1]}}
    build(Model, config).options["a"].append(2)  # type: ignore[index]  # pyright: ignore
    assert config == {"type": "Model", "layers": [], "options": {"a": [1]}}


def build_size(config: Mapping[str, Any]) -> int:
    return int(build(Layer, config).size)


SCRIPT = """
    import multiprocessing, sys
    from understudy import Config, build, register

    @register
    class Mine:
        def __init__(self, size: int, inner=()) -> None:
            self.size = size

    def size_of(config):
        return build(Mine, config).size

    if __name__ == "__main__":
        config = Config(type="Mine", size=3, inner=[{"type": "Mine", "size": 4}])
        with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
            print(pool.map(size_of, [config, {"type": "Mine", "size": 5}]))
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_a_class_of_the_main_script_is_built_in_a_pool(method: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(tmp_path / "script.py"), method]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[3, 5]\n", "")


PICKLING = """
    import pickle, sys
    from understudy import Config, register

    @register
    class Mine:
        def __init__(self, size: int, other=None) -> None:
            self.size, self.other = size, other

    if __name__ == "__main__":
        from helper_module import Far
        config = Config(type="Mine", size=3, other={"type": "Far"})
        sys.stdout.buffer.write(pickle.dumps(config))
"""
BUILDING = """
import pickle, sys
from understudy import build
config = pickle.loads(sys.stdin.buffer.read())
assert not {"script", "helper_module"} & {*sys.modules}, "nothing is imported before it is needed"
mine = build(object, pickle.loads(pickle.dumps(config)))
print(type(mine).__name__, mine.size, type(mine.other).__module__)
"""


def test_a_bare_process_finds_the_class_by_what_the_config_carries(tmp_path: Path) -> None:
    """No multiprocessing, no import of the script: the pickled config says where its classes are."""
    (tmp_path / "script.py").write_text(textwrap.dedent(PICKLING))
    helper = "from understudy import register\n@register\nclass Far: ...\n"
    (tmp_path / "helper_module.py").write_text(helper)
    pickled = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", BUILDING],
        input=pickled.stdout,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.stdout.decode(), done.stderr.decode()) == ("Mine 3 helper_module\n", "")


def test_a_class_that_cannot_be_found_elsewhere_is_an_error_saying_why(
    classes: dict[str, type],
) -> None:
    @register
    class Local:
        pass

    pickled = pickle.dumps(Config(type="Local"))
    classes.clear()
    config = pickle.loads(pickled)
    with pytest.raises(ConfigKeyError) as caught:
        build(object, config)
    assert "type: 'Local' was registered in another process as" in str(caught.value)
    assert "put the class in a module both processes can import" in str(caught.value)


def test_a_name_that_means_another_class_here_is_refused_at_once(classes: dict[str, type]) -> None:
    register(Layer)
    pickled = pickle.dumps(Config(type="Layer"))
    classes["Layer"] = Wide
    with pytest.raises(RegistryError, match="'Layer' is already registered"):
        pickle.loads(pickled)


def test_threads_see_one_registry() -> None:
    from concurrent.futures import ThreadPoolExecutor

    register(Layer)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(build_size, [{"type": "Layer", "size": 2}] * 50)) == {2}
    assert multiprocessing.active_children() == []


class Engine:
    pass


class Wheel:
    pass


class Shape(Protocol):
    def area(self) -> int: ...


class Store(dict[str, int]):
    pass


def test_data_is_handed_through_whole() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}

    class Takes:
        def __init__(self, it: Any) -> None:
            self.it = it

    register(Takes)
    mapping_types: list[Any] = [
        dict,
        dict[str, Any],
        Mapping[str, Any],
        Annotated[dict[str, Any], "doc"],
        dict[str, Any] | None,
        dict[str, Any] | str,
    ]
    for annotation in mapping_types:
        Takes.__init__.__annotations__["it"] = annotation
        assert build(Takes, {"type": "Takes", "it": schema}).it == schema


def test_items_are_checked_one_by_one() -> None:
    class Car:
        def __init__(
            self,
            pair: tuple[Engine, Wheel],
            more: dict[str, Engine],
            any_shape: Shape | None = None,
        ) -> None:
            self.pair, self.more, self.any_shape = pair, more, any_shape

    for cls in (Car, Engine, Wheel):
        register(cls)
    engine, wheel = {"type": "Engine"}, {"type": "Wheel"}
    car = build(
        Car, {"type": "Car", "pair": [engine, wheel], "more": {"x": engine}, "any_shape": wheel}
    )
    assert [type(part) for part in (*car.pair, car.more["x"], car.any_shape)] == [
        Engine,
        Wheel,
        Engine,
        Wheel,
    ]
    with pytest.raises(
        ConfigTypeError, match=r"^pair\[1\]: 'Engine' is Engine, which is not a Wheel"
    ):
        build(Car, {"type": "Car", "pair": [engine, engine], "more": {}})
    with pytest.raises(ConfigTypeError, match=r"^more.x: 'Wheel' is Wheel, which is not a Engine"):
        build(Car, {"type": "Car", "pair": [engine, wheel], "more": {"x": wheel}})


def test_an_instance_that_is_a_mapping_is_passed_through() -> None:
    store = Store(a=1)
    assert build(Store, store) is store
    with pytest.raises(ConfigTypeError, match="build takes a class to check against"):
        build(list[int], {"type": "Engine"})


def test_a_description_that_contains_itself() -> None:
    register(Engine)
    cycle: dict[str, Any] = {"type": "Engine"}
    cycle["self"] = cycle
    with pytest.raises(ConfigError, match="does it contain itself"):
        build(Engine, cycle)


def test_what_a_factory_makes_is_another_class_each_time() -> None:
    def make() -> type:
        @register
        class Made: ...

        return Made

    make()
    with pytest.raises(RegistryError, match="'Made' is already registered"):
        make()


FAILING = PICKLING.replace(
    "import pickle, sys\n", "import pickle, sys\n    if __name__ == '__mp_main__': {}\n"
)


@pytest.mark.parametrize("slip", ["raise SystemExit(3)", "undefined_name", "1 / 0"])
def test_a_main_script_that_fails_when_run_again_leaves_nothing_behind(
    slip: str, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(textwrap.dedent(FAILING.replace("{}", slip, 1)))
    (tmp_path / "helper_module.py").write_text(
        "from understudy import register\n@register\nclass Far: ...\n"
    )
    pickled = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, check=True
    )
    code = """
import pickle, sys
from understudy import ConfigKeyError, build
config = pickle.loads(sys.stdin.buffer.read())
for _ in range(2):
    try:
        build(object, config)
    except ConfigKeyError as error:
        print("running" in str(error), "__mp_main__" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickled.stdout,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.stdout.decode(), done.stderr.decode()) == ("True False\nTrue False\n", "")


def test_a_package_run_by_its_name_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").write_text("")
    (tmp_path / "package/beside.py").write_text(
        "from understudy import register\n@register\nclass Far: ...\n"
    )
    main = textwrap.dedent(PICKLING).replace("from helper_module", "from .beside")
    (tmp_path / "package/script.py").write_text(
        main.replace("    from .beside import Far", "    pass").replace(
            "import pickle, sys\n", "import pickle, sys\nfrom .beside import Far\n"
        )
    )
    command = [sys.executable, "-m", "package.script"]
    pickled = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILDING.replace("helper_module", "package.beside")],
        input=pickled.stdout, cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout.decode(), done.stderr.decode()) == ("Mine 3 package.beside\n", "")

"""The config examples of the documents this began with, each working here."""

import hashlib
import itertools
import json
from pathlib import Path
from typing import Annotated, Any

import pydantic
import pytest

from understudy import (
    Bind,
    Config,
    DynamicValue,
    RegistryError,
    build,
    load_config,
    merge,
    parse_configs,
    register,
    sweep,
)
from understudy.configs import Binder


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("understudy.configs._registry._classes", {})


class TestSpearmint:
    def test_a_config_is_injected(self) -> None:
        def generate(prompt: str, config: Config) -> str:
            return f"{config['model']}: {prompt}"

        (config,) = parse_configs([{"model": "gpt-4"}])
        assert Binder(generate).call(config, "Hello") == "gpt-4: Hello"

    def test_labels_as_it_shows_ids(self) -> None:
        configs = parse_configs(
            [{"model": "gpt-4", "temp": 0.7}, {"model": "gpt-3.5-turbo", "temp": 0.5}]
        )
        assert [config.label for config in configs] == ["gpt-4-0.7", "gpt-3.5-turbo-0.5"]

    def test_layer_1_parsing(self) -> None:
        Path("configs").mkdir()
        Path("config.yaml").write_text("model: from-file\n")
        Path("configs/b.yaml").write_text("model: from-directory\n")
        configs = parse_configs([
            {"model": "gpt-4"},         # Dict
            "config.yaml",              # File
            "configs/",                 # Directory
        ])  # fmt: skip
        assert [config["model"] for config in configs] == ["gpt-4", "from-file", "from-directory"]

    def test_layer_2_expansion(self) -> None:
        config = {"model": DynamicValue(["gpt-4", "gpt-3.5"]), "temp": DynamicValue([0.0, 0.5])}
        assert [(c.model, c.temp) for c in parse_configs(config)] == [
            ("gpt-4", 0.0), ("gpt-4", 0.5), ("gpt-3.5", 0.0), ("gpt-3.5", 0.5),
        ]  # fmt: skip

    def test_expansion_of_a_generator_as_its_readme_writes_it(self) -> None:
        config = {"temperature": DynamicValue(i / 10 for i in range(0, 9, 4))}
        assert [c.temperature for c in parse_configs([config])] == [0.0, 0.4, 0.8]

    def test_layer_3_binding(self) -> None:
        class ModelConfig(pydantic.BaseModel):
            name: str
            temp: float = 0.5

        def func(config: Annotated[ModelConfig, Bind("llm.model")]) -> str:
            return f"{config.name} {config.temp}"

        (config,) = parse_configs([{"llm": {"model": {"name": "gpt-4"}}}])
        assert Binder(func).call(config) == "gpt-4 0.5"

    def test_a_strategy_selects_among_the_configs(self) -> None:
        def my_strategy(configs: list[Config]) -> tuple[Config, list[Config]]:
            main = configs[-1]
            return main, [c for c in configs if c != main]

        configs = parse_configs([{"a": 1}, {"a": 2}, {"a": 3}])
        assert my_strategy(configs) == (configs[2], configs[:2])

    def test_ids(self) -> None:
        def generate_config_id(config: dict[str, Any]) -> str:
            config_str = json.dumps(config, sort_keys=True)
            return hashlib.sha256(config_str.encode()).hexdigest()[:16]

        values = {"model": "gpt-4", "temp": 0.7, "nested": {"b": [1, None], "a": True}}
        assert Config(values).id == generate_config_id(values)
        assert Config({"model": "gpt-4", "__config_id__": "my-custom-id"}).id == "my-custom-id"

    def test_a_nested_call_passes_its_config_on(self) -> None:
        def child_func(text: str, config: Config) -> str:
            return f"{config['model']}: {text}"

        child = Binder(child_func)

        def parent_func(text: str, config: Config) -> str:
            return str(child.call(None, text, config))

        assert Binder(parent_func).call(Config(model="gpt-4"), "hi") == "gpt-4: hi"


class TestPyexp:
    def test_yaml_composition(self) -> None:
        Path("configs").mkdir()
        Path("configs/base.yaml").write_text("model:\n  hidden_size: 256\n  num_layers: 4\n")
        Path("configs/experiment.yaml").write_text(
            "imports:\n  - base.yaml\nmodel.hidden_size: 512  # Updates only hidden_size, keeps num_layers\n"
        )
        assert load_config("configs/experiment.yaml") == {
            "model": {"hidden_size": 512, "num_layers": 4}
        }

    def test_merge_semantics(self) -> None:
        base = {"model": {"hidden_size": 256, "num_layers": 4}}
        assert merge(base, {"model.hidden_size": 512}).model == {
            "hidden_size": 512,
            "num_layers": 4,
        }
        assert merge(base, {"model": {"hidden_size": 512}}).model == {"hidden_size": 512}

    def test_a_sweep_over_a_loaded_base(self) -> None:
        Path("base.yaml").write_text("name: base\nlr: 0.1\n")
        variations = [{"name": "slow", "lr": 0.01}, {"name": "fast", "lr": 1}]
        configs = sweep([load_config("base.yaml")], variations)
        assert [(config.name, config.lr) for config in configs] == [
            ("base_slow", 0.01),
            ("base_fast", 1),
        ]

    def test_registry(self) -> None:
        @register
        class MyModel:
            def __init__(self, size: int = 256) -> None:
                self.size = size

        config = Config({"model": {"type": "MyModel", "size": 512}})
        model = build(MyModel, config["model"])
        assert (type(model), model.size) == (MyModel, 512)
        assert build(MyModel, model) is model
        assert build(MyModel, config["model"], size=64).size == 64
        with pytest.raises(RuntimeError):
            register(name="MyModel")(dict)
        with pytest.raises(KeyError):
            build(MyModel, {"size": 512})
        with pytest.raises(TypeError):
            build(MyModel, "neither")  # type: ignore[arg-type]
        assert issubclass(RegistryError, RuntimeError)


class TestYanex:
    def test_parameters_by_dotted_name_with_a_default(self) -> None:
        config = Config({"learning_rate": 0.01, "_fold_idx": 0, "model": {"dim": 8}})
        assert config.at("learning_rate", default=0.1) == 0.01
        assert config.at("_fold_idx", None) == 0
        assert config.at("model.dim") == 8
        assert config.at("model.depth", default=2) == 2

    def test_a_config_for_each_fold(self) -> None:
        configs = sweep({"learning_rate": 0.01}, [{"_fold_idx": i} for i in range(3)])
        assert [config["_fold_idx"] for config in configs] == [0, 1, 2]
        assert [config.label for config in configs] == ["0", "1", "2"]

    def test_a_grid_named_as_its_guide_names_it(self) -> None:
        grid = [
            {"name": f"lr{lr}-bs{bs}", "learning_rate": lr, "batch_size": bs}
            for lr, bs in itertools.product([0.001, 0.01, 0.1], [16, 32, 64])
        ]
        labels = [config.label for config in parse_configs(grid)]
        assert len(labels) == 9
        assert labels[0] == "lr0.001-bs16"

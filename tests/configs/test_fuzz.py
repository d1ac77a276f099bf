"""Any bytes whatever give a Config or an error of ours, and never take more than a second."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from understudy import Config, ConfigError, parse_configs
from understudy.configs import Limits

SEEDS = [
    "imports: base.yaml\nmodel.hidden_size: 512\nlist: [1, {a: &x 1e-3}, *x]\n",
    "base: &b {k: [1, 2.5, .inf, ~, 'it''s', \"\\u00e9\\n\"]}\nuse: {<<: *b, more: |\n  text\n  more\n}\n---\n? a\n: b\n",
    "a0: &a0 [x, x, x]\na1: &a1 [*a0, *a0, *a0]\na2: &a2 [*a1, *a1, *a1]\n",
    '{"a": {"b": [1, 2, {"c": null}]}, "d": -1.5e-7, "e.f": true}',
    '{"a": 1}\n{"a": "\\ud83d\\ude00"}\n',
    "title = 'x'\n[model]\nlayers = [1, 2]\n[[part]]\nwhen = 2026-01-02T03:04:05Z\n",
    "%YAML 1.2\n%TAG ! tag:x,2000:\n---\n!!map {!!str a: !!int '1', ? [b] : !c d}\n...\n",
]
PIECES = ["\t", "\0", "\ufeff", "- ", "? ", ": ", "{", "}", "[", "]", "&a ", "*a", "!!", "<<: ", "'", '"', "|", ">", "%",
          "\n", "\r", "\u2028", "---\n", "...\n", "a.b", "..", "9" * 5000, "1e999", "#", "@", "`", "\x85", "\\"]  # fmt: skip
LIMITS = Limits(max_bytes=200_000)
ENDINGS = (".yaml", ".json", ".jsonl", ".toml")


def check(file: Path, data: bytes) -> None:
    """Read the bytes as every kind of file."""
    for ending in ENDINGS:
        named = file.with_suffix(ending)
        named.write_bytes(data)
        start = time.process_time()
        try:
            configs = parse_configs(named, limits=LIMITS)
        except ConfigError as error:
            assert str(error).startswith(str(file.parent))
        else:
            assert all(
                isinstance(config, Config) and config.id and config.label for config in configs
            )
        assert time.process_time() - start < 1


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "base.yaml").write_text("model: {hidden_size: 1}")
    return folder / "it.yaml"


FUZZ = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(st.binary(max_size=2000))
@example(b"\xff\xfe\x00")
@example(b"[" * 100_000)
@example(b"{" * 100_000)
@example(b"- " * 50_000)
@example(b"a: " * 50_000)
@example(b"? " * 50_000)
@example(b'{"a":' * 20_000)
@example(b"&a " * 50_000)
def test_random_bytes(file: Path, data: bytes) -> None:
    check(file, data)


@FUZZ
@given(st.lists(st.sampled_from([*PIECES, *SEEDS, "a", "b", "1", " ", ", "]), max_size=40))
def test_random_pieces_of_documents(file: Path, pieces: list[str]) -> None:
    check(file, "".join(pieces).encode())


@FUZZ
@given(st.integers(0, 2**32))
def test_mutated_documents(file: Path, seed: int) -> None:
    draw = random.Random(seed)
    data = bytearray(draw.choice(SEEDS).encode())
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(5):
            case 0:
                data[at:at] = draw.choice(PIECES).encode()
            case 1:
                del data[at : at + draw.randint(1, 9)]
            case 2:
                data[at:at] = data[draw.randrange(len(data) + 1) :]
            case 3:
                data[at:at] = bytes([draw.randrange(256)])
            case _:
                data[at:at] = draw.choice(SEEDS).encode()
    check(file, bytes(data))

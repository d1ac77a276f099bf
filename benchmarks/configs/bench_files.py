"""What it costs to read configs from files: one with 20 imports, and a directory of 21.

The floor is PyYAML's C loader on the same files. `load_config` and `parse_configs` keep the line of
every value besides, for their error messages, refuse a key that is written twice, and read numbers
as YAML 1.2 has them. Each file imported brings a section of its own and a key that all have.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from benchmarks._command import main
from benchmarks._harness import Case, Table
from benchmarks._peers import OMEGACONF, PYDANTIC, SPEARMINT, load, load_spearmint
from understudy import load_config, parse_configs

_IMPORTS = 20
_FLOOR = "the floor: PyYAML's C loader, values only"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _section(number: int) -> str:
    return f"""\
section_{number}:
  model: model-{number}
  temp: 0.{number}
  tokens: {number}
  stop: [one, two, three]
shared: {number}
"""


def _write(folder: Path) -> list[Path]:
    """Write the files to import, and return their paths."""
    files = [folder / f"section_{number:02}.yaml" for number in range(_IMPORTS)]
    for number, file in enumerate(files):
        file.write_text(_section(number), encoding="utf-8")
    return files


def _plain(files: list[Path]) -> list[Any]:
    return [yaml.load(file.read_text(encoding="utf-8"), _LOADER) for file in files]


def _import_table(folder: Path, omega: Any) -> Table:
    imported = _write(folder)
    names = "".join(f"  - {file.name}\n" for file in imported)
    own = folder / "main.yaml"
    own.write_text(f"imports:\n{names}{_section(_IMPORTS)}", encoding="utf-8")
    files = [*imported, own]
    cases = [
        Case(_FLOOR, lambda: _plain(files)),
        Case("load_config", lambda: load_config(own), baseline=_FLOOR),
    ]
    if omega is not None:
        conf = omega.OmegaConf
        cases.append(
            Case(
                "OmegaConf.load each, and one merge",
                lambda: conf.merge(*(conf.load(file) for file in files)),
                baseline=_FLOOR,
            )
        )
    return Table(f"a YAML file with {_IMPORTS} imports, per config", cases)


def _directory_table(folder: Path, spearmint: Any) -> Table:
    files = _write(folder)
    files.append(folder / "section_last.yaml")
    files[-1].write_text(_section(_IMPORTS), encoding="utf-8")
    cases = [
        Case(_FLOOR, lambda: _plain(files)),
        Case("parse_configs", lambda: parse_configs(folder), baseline=_FLOOR),
    ]
    if spearmint is not None:
        read, make = load("spearmint.utils.handlers").yaml_handler, spearmint.config.Config
        cases += [
            Case("Spearmint's yaml_handler, values only", lambda: read(folder), baseline=_FLOOR),
            Case(
                "Spearmint's yaml_handler, and a Config of each",
                lambda: [make(values) for values in read(folder)],
                baseline=_FLOOR,
            ),
        ]
    return Table(f"a directory of {len(files)} YAML files, per directory", cases)


def tables() -> Iterator[Table]:
    """Yield the tables of this benchmark."""
    with TemporaryDirectory() as folder:
        yield _import_table(Path(folder), load("omegaconf"))
    with TemporaryDirectory() as folder:
        yield _directory_table(Path(folder), load_spearmint())


if __name__ == "__main__":
    main(tables, peers=(SPEARMINT, PYDANTIC, OMEGACONF))

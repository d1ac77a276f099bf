"""Configs from files and from Python, expanded, bound to typed parameters, and run.

Run it: `make demo`, or `python -m examples.sweep`.
"""

import os
from pathlib import Path
from time import perf_counter
from typing import Annotated

from understudy import (
    Bind,
    Config,
    ConfigError,
    build,
    frange,
    grid,
    load_config,
    parse_configs,
    register,
    sweep,
)
from understudy.configs import Binder, origin_of

HERE = Path(os.path.relpath(Path(__file__).parent))


@register
class Descent:
    """Gradient descent."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def step(self, at: list[float], slope: list[float]) -> list[float]:
        return [x - self.rate * s for x, s in zip(at, slope, strict=True)]


@register
class Momentum(Descent):
    """Gradient descent that keeps some of its speed."""

    def __init__(self, rate: float, keep: float) -> None:
        super().__init__(rate)
        self.keep = keep
        self.speed = [0.0, 0.0]

    def step(self, at: list[float], slope: list[float]) -> list[float]:
        pushed = super().step([self.keep * v for v in self.speed], slope)
        self.speed = pushed
        return [x + v for x, v in zip(at, pushed, strict=True)]


def walk(
    optimizer: Annotated[Config, Bind("optimizer")],
    start: Annotated[list[float], Bind("start")],
    steps: Annotated[int, Bind("steps")],
) -> float:
    """Walk down Rosenbrock's valley, and return how high it ends: 0 is the bottom."""
    method = build(Descent, optimizer)
    x, y = start
    for _ in range(steps):
        slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
        x, y = method.step([x, y], slope)
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def main() -> None:
    momentum = load_config(HERE / "configs" / "2-momentum.yaml")
    more = sweep(momentum, grid({"optimizer.keep": frange(0.5, 0.9, 0.1)}))
    configs = parse_configs([HERE / "configs", *more])
    binder = Binder(walk)
    binder.check(configs)

    print(
        f"{len(configs)} configs of {walk.__name__}(), two from files and the rest from a sweep:\n"
    )
    print(f"  {'label':<14}{'id':<18}{'height':>10}{'ms':>8}   its optimizer comes from")
    heights: dict[str, float] = {}
    for config in configs:
        began = perf_counter()
        heights[config.label] = binder.call(config)
        took = (perf_counter() - began) * 1000
        height = f"{heights[config.label]:10.2g}{took:8.1f}"
        keep = "optimizer.keep" if "keep" in config.optimizer else "optimizer"
        print(f"  {config.label:<14}{config.id:<18}{height}   {origin_of(config, keep)}")
    print(f"\nLowest: {min(heights, key=heights.__getitem__)}.\n")

    print("A config that does not fit is refused before anything runs:\n")
    try:
        binder.check(parse_configs(HERE / "broken.yaml"))
    except ConfigError as error:
        print(f"  {error}")


if __name__ == "__main__":
    main()

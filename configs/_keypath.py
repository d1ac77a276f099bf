"""The place of a value inside nested ones, as keys and as text: `llm.layers[0].size`."""

import re

KeyPath = tuple[str | int, ...]

DEEPEST = 100
"""How long a path may get: what is nested deeper contains itself, or might as well."""

_BARE = re.compile(r'[^.\[\]"]+')


def format_path(path: KeyPath) -> str:
    """Write a path so that `parse_path` reads the same keys back."""
    steps: list[str] = []
    for key in path:
        if isinstance(key, int):
            steps.append(f"[{key}]")
        elif _BARE.fullmatch(key):
            steps.append(f".{key}")
        else:
            escaped = key.replace("\\", "\\\\").replace('"', '\\"')
            steps.append(f'["{escaped}"]')
    return "".join(steps).removeprefix(".")

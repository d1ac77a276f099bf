"""State files: small, replaced whole, so that a reader sees the old one or the new one."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from ._ids import new_id


def replace(path: Path, data: bytes, *, is_synced: bool) -> None:
    """Replace a file.

    Args:
        path: where it is; its folder exists.
        data: what is in it from now on.
        is_synced: whether it waits until the disk has it.
    """
    made = _write_aside(path, data, is_synced)
    try:
        os.replace(made, path)
    except BaseException:
        with suppress(OSError):
            made.unlink()
        raise
    if is_synced:
        _sync_folder(path.parent)


def create(path: Path, data: bytes) -> bool:
    """Make a file that is not there yet, whole at once; False if somebody was faster."""
    made = _write_aside(path, data, is_synced=True)
    try:
        os.link(made, path)
    except FileExistsError:
        return False
    except OSError:  # a disk without links: whole at once is not to be had, first is
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            return False
    finally:
        with suppress(OSError):
            made.unlink()
    _sync_folder(path.parent)
    return True


def read_state(path: Path) -> dict[str, Any]:
    """Return what a state file says; nothing if it is not there, or is no such file."""
    from . import _values

    try:
        value = _values.decode(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, dict) else {}


def _write_aside(path: Path, data: bytes, is_synced: bool) -> Path:
    made = path.with_name(f".{path.name[:40]}.{new_id()}.new")
    try:
        with made.open("xb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            if is_synced:
                os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            made.unlink()
        raise
    return made


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system lets a folder be opened
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

"""The kinds of events: what the page says of them is what they are, and a reader outlives them."""

import doctest
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from understudy.events import EVENTS, KINDS, STAMPS, VERSION, Event, decode_line, encode_line
from understudy.events._page import page  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).parent.parent.parent


def test_the_page_in_the_docs_is_that_of_the_code() -> None:
    assert (ROOT / "docs/events.md").read_text(encoding="utf-8") == page()


def test_every_field_of_an_event_is_one_of_some_kind_and_explained() -> None:
    told = {field for kind in KINDS.values() for field in kind.fields}
    assert {*told, *STAMPS} == {*Event.__struct_fields__}
    assert told.isdisjoint(STAMPS)
    for name in Event.__struct_encode_fields__:
        assert name == "context" or f"\n| `{name}` |" in page()


def test_every_kind_is_named_once_and_what_is_later_is_a_field_of_it() -> None:
    assert [kind.name for kind in KINDS.values()] == [*KINDS]
    assert {name: kind.level for name, kind in KINDS.items()} == EVENTS
    for kind in KINDS.values():
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", kind.name)
        assert len({*kind.fields}) == len(kind.fields)
        assert {*kind.later} <= {*kind.fields}


def test_every_kind_that_is_not_for_later_is_told_by_some_code() -> None:
    rooms = [*(ROOT / "actors").glob("*.py"), *(ROOT / "runtime").glob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in rooms)
    ends = {"branch.completed", "branch.shed", "branch.skipped"}  # put together of two words
    for name, kind in KINDS.items():
        assert kind.is_later == (f'"{name}"' not in code and name not in ends)


def test_a_reader_of_version_1_reads_what_a_later_one_writes() -> None:
    later = {
        "v": VERSION + 1,
        "ts": 1.5,
        "event": "moon.risen",
        "level": "info",
        "seq": 7,
        "pid": 8,
        "label": "large",
        "phase": "full",
        "tides": {"high": [1, 2]},
        "ctx.level": None,
    }
    event = decode_line(json.dumps(later))
    assert (event.v, event.event, event.label) == (VERSION + 1, "moon.risen", "large")
    assert json.loads(encode_line(event))["event"] == "moon.risen"


@pytest.mark.parametrize("name", ["_kind", "_line", "_page"])
def test_the_examples_run(name: str) -> None:
    failed, attempted = doctest.testmod(import_module(f"understudy.events.{name}"))
    assert (failed, attempted > 0) == (0, True)

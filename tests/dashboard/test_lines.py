"""Lines are read whatever they are; what is no event is told apart."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.dashboard import read_line

WHOLE = b'{"v":1,"ts":0.5,"event":"branch.shed","level":"warning","seq":7,"pid":1,"label":"a"}'


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_torn_line_is_no_event(end: int) -> None:
    assert read_line(WHOLE[:end]) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"7",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"label":"a"}',
        WHOLE.replace(b'"a"', b"7"),
        WHOLE.replace(b'"a"', b'"\xff"'),
        WHOLE.replace(b"0.5", b'"soon"'),
        WHOLE.replace(b"0.5", b"1e999"),
        WHOLE.replace(b"0.5", b"NaN"),
        WHOLE.replace(b'"warning"', b'"fatal"'),
        WHOLE + WHOLE,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_has_not_the_form_of_an_event_is_none(raw: bytes) -> None:
    assert read_line(raw) is None


@given(st.binary(max_size=200))
def test_bytes_never_raise(raw: bytes) -> None:
    read_line(raw)
    read_line(WHOLE[:40] + raw + WHOLE[40:])


def test_an_event_of_another_name_and_fields_of_other_names_are_read() -> None:
    line = read_line(WHOLE[:-1].replace(b"branch.shed", b"branch.sung") + b',"key":{"x":[1,null]}}')
    assert line is not None
    assert (line.event.event, line.event.label) == ("branch.sung", "a")
    assert line.fields["key"] == {"x": [1, None]}


def test_a_very_long_line_is_kept_with_its_texts_cut() -> None:
    line = read_line(WHOLE[:-1] + b',"arguments":"%s"}' % (b"x" * 100_000))
    assert line is not None
    kept = msgspec.json.decode(line.text)
    assert kept["label"] == "a"
    assert len(kept["arguments"]) == 1_001

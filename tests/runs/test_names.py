"""Names: any text has one folder of its own, inside of where it belongs."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from understudy.runs._names import LONGEST, file_name, folder_name, make_folder, name_of  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

NAMES = st.one_of(
    st.text(alphabet=st.characters(), max_size=60),
    st.text(alphabet="aAbB.~% /\\:é", max_size=8),
    st.text(alphabet="aA%2Ff~", max_size=8),
    st.text(min_size=150, max_size=400),
)
DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"com{n}" for n in range(10)),
    *(f"lpt{n}" for n in range(10)),
}
HARD = [
    *(
        "",
        ".",
        "..",
        "...",
        "../../x",
        "/etc/passwd",
        "C:\\x",
        "a/b",
        "a\\b",
        "~",
        "~~",
        "%",
        "%2F",
    ),
    *("con", "CON", "nul.txt", "COM1.log", "a.", "a ", " a", "-rf", ".hidden", "\x00", "\n", "🎉"),
    *("é", "e\u0301", "ß", "SS", "ss", "\ud800", "x" * 300, "X" * 300, "🎉" * 300, "A" * 198),
    *(
        "Train",
        "train",
        "TRAIN",
        "train~1",
        "train~10",
        "ﬁ",
        "fi",
        "file.json",
        "a*b?",
        "K",
        "\u212a",
    ),
]


def as_a_disk_may_see_it(name: str) -> str:
    """Return what two names share on a disk that knows neither case nor forms of letters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


@given(NAMES)
@example("A" * 198)
def test_a_name_is_confined_to_one_folder(name: str) -> None:
    for written in (folder_name(name), file_name(name)):
        assert written.isascii()
        assert written.isprintable()
        assert 0 < len(written) <= LONGEST + 25
        assert not set('/\\:*?"<>|\x00') & set(written)
        assert not written.startswith((".", " ", "-"))
        assert not written.endswith((".", " "))
        assert written.partition(".")[0].partition("~")[0].lower() not in DEVICES
        assert Path("base", written).resolve().parent == Path("base").resolve()


@given(NAMES, NAMES)
@example("Train", "train")
@example("é", "e\u0301")
@example("x" * 300, "x" * 301)
@example("X" * 300, "x" * 300)
def test_two_names_never_share_a_folder_whatever_the_disk_makes_of_case(one: str, two: str) -> None:
    is_one = as_a_disk_may_see_it(folder_name(one)) == as_a_disk_may_see_it(folder_name(two))
    assert is_one == (one == two)


def test_hard_names_never_share_a_folder() -> None:
    folders = {as_a_disk_may_see_it(folder_name(name)) for name in HARD}
    assert len(folders) == len(HARD)


@given(NAMES)
@example("a" * 400)
@example("\ud800")
def test_a_name_comes_back_from_its_folder(name: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as base:
        folder = Path(base, folder_name(name))
        make_folder(folder, name)
        assert name_of(folder) == name


@pytest.mark.parametrize(
    "name",
    ["my-experiment", "val loss", "resnet50-imagenet", "lr=0.1,bs=32", "v1.2+abc", "a_b", "0"],
)
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert folder_name(name) == name


@pytest.mark.parametrize(
    "name", ["model.pth", "Model.PTH", "a b.txt", "résumé.pdf", "x" * 300 + ".ckpt"]
)
def test_a_file_keeps_its_suffix(name: str) -> None:
    assert Path(file_name(name)).suffix == Path(name).suffix


def test_a_file_is_never_taken_for_what_is_said_of_it() -> None:
    assert {file_name(name).lower() for name in ("file.json", "File.JSON")} & {"file.json"} == set()

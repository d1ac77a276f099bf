"""A live service under load: what the page shows is what the runtime and the clients counted."""

import re
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.dashboard.browsing import Browser, browsing
from tests.dashboard.living import CALLED, TOKEN, Clients, Living, called_by_clients, living
from tests.dashboard.test_web_page import experiments_on, number
from tests.dashboard.test_web_serving import process, read_stream, until

STATUSES = ("ok", "error", "timeout", "cancelled", "shed", "skipped")
MANY = 100
"""So often each experiment is called, at the least."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture(autouse=True)
def nothing_to_complain_of(browser: Browser) -> Iterator[None]:
    """No test may leave a complaint in the console, but for the connections that it cut."""
    yield
    complaints = browser.complaints()
    browser.driver.get("about:blank")
    lost = re.compile("ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY)")
    assert [each for each in complaints if not lost.search(each)] == []


def counted_by(service: Living) -> dict[str, dict[str, dict[str, int]]]:
    """Return how the branches of each case ended, as the runtime says."""
    return {
        told.experiment: {
            case.label: {status: getattr(case, status) for status in STATUSES}
            for case in told.cases
        }
        for told in service.runtime.statistics().experiments
    }


def totals_of(service: Living) -> dict[str, dict[str, int]]:
    """Return what the table of experiments is to show, but for the calls."""
    found: dict[str, dict[str, int]] = {}
    for name, cases in counted_by(service).items():
        sums = sum((Counter(case) for case in cases.values()), Counter[str]())
        found[name] = {
            "configs": len(cases),
            "in_flight": 0,
            "ok": sums["ok"],
            "failed": sums["error"] + sums["timeout"],
            "shed": sums["shed"],
            "skipped": sums["skipped"],
        }
    return found


def table_on(browser: Browser) -> dict[str, dict[str, int]]:
    """Return what the table of experiments shows, but for the calls; of all roles together."""
    found = experiments_on(browser)
    for row in found.values():
        row["failed"] += row.pop("shadows_failed")
        del row["calls"]
    return found


def sides_on(browser: Browser) -> dict[str, dict[str, Any]]:
    """Return what the page of an experiment shows of each case: by role, by reason, its circuit."""
    labels = browser.table("#panel thead tr", "th > span:first-child")[0]
    found: dict[str, dict[str, Any]] = {
        label: {"roles": defaultdict(Counter), "why": Counter(), "circuit": ""} for label in labels
    }
    group = ""
    for title, *cells in browser.table("#panel .sides tbody tr"):
        if not cells or cells == [""]:
            group = title.removeprefix("as ")
            continue
        for label, cell in zip(labels, cells, strict=True):
            if title in (*STATUSES, "in flight") and group in ("primary", "shadow", "branch"):
                found[label]["roles"][group][title] = number(cell)
            elif group == "why not run":
                found[label]["why"][title] = number(cell)
            elif title == "circuit":
                found[label]["circuit"] = cell.split(" ", 1)[1].replace(" ", "_")
    return found


def fact_on(browser: Browser, name: str) -> str:
    return browser.text(f"[data-fact='{name}'] dd") or ""


def come_to_rest(browser: Browser, service: Living) -> None:
    """Wait until the table has the numbers of the runtime, to the last one."""
    expected = totals_of(service)
    try:
        browser.until(lambda: table_on(browser) == expected)
    except AssertionError:
        assert table_on(browser) == expected
        raise


def assert_same_sides(browser: Browser, service: Living, name: str, clients: Clients) -> None:
    """The page of an experiment has the numbers of the runtime and of the clients."""
    browser.go(f"#/experiment/{name}?all=1")
    browser.until(lambda: browser.text("h1") == name and browser.count(".sides thead th"))
    shown = sides_on(browser)
    told = service.runtime.statistics()[name]
    assert shown.keys() == {case.label for case in told.cases}
    for case in told.cases:
        mine = shown[case.label]
        sums = sum(mine["roles"].values(), Counter[str]())
        for status in STATUSES:
            assert sums[status] == getattr(case, status), (name, case.label, status)
        assert sums["in flight"] == 0
        not_run = case.shed + case.skipped  # and those whose time was over before they began
        assert not_run <= mine["why"].total() <= not_run + case.timeout, (name, case.label)
        assert mine["circuit"] == case.circuit
    planned = sum(case.planned for case in told.cases)
    assert [number(each) for each in fact_on(browser, "branches").split(",")] == [planned, 0]
    if name not in CALLED:
        return
    primary: Counter[str] = sum((each["roles"]["primary"] for each in shown.values()), Counter())
    assert number(fact_on(browser, "calls")) == clients.calls(name)
    assert primary["ok"] == clients.counted[name, 200]
    assert primary["error"] == clients.counted[name, 502]
    assert primary["shed"] == clients.counted[name, 503]
    assert primary.total() == clients.calls(name)


def test_a_service_under_load_shows_what_it_and_its_clients_counted(browser: Browser) -> None:
    with living() as service:
        browser.open(service.address)
        with called_by_clients(service) as clients:
            browser.until(lambda: all(clients.calls(name) >= MANY for name in CALLED))
            moving = experiments_on(browser)
        assert {*moving} == {*CALLED, "rewrite"}
        assert clients.wrong == []
        come_to_rest(browser, service)
        asked = clients.counted.total()
        note = browser.text(".tile[data-tile=calls] .note") or ""
        log = browser.text(".tile[data-tile=log] .note") or ""
        assert number(browser.text(".tile[data-tile=log] .value") or "") == 0
        assert "0 missing" in log
        assert service.runtime.statistics().events_dropped == 0
        for name in counted_by(service):
            assert_same_sides(browser, service, name, clients)
        outside, _, inside = note.partition("+")
        assert number(outside) == asked
        assert number(inside) == number_of_inner_calls(service, browser) > 0
        # That there was something of everything to be told of:
        found = service.runtime.statistics()
        answer = {case.label: case for case in found["answer"].cases}
        assert answer["failing"].circuit == "open"
        assert answer["failing"].skipped > 0
        assert answer["slow"].timeout > 0
        assert clients.counted["moody", 502] > 0
        assert clients.counted["narrow", 503] > 0
        assert sum(case.error for case in found["talk"].cases) > 0


def number_of_inner_calls(service: Living, browser: Browser) -> int:
    browser.go("#/experiment/rewrite")
    browser.until(lambda: browser.text("h1") == "rewrite")
    return number(fact_on(browser, "calls"))


def order(browser: Browser, button: str) -> None:
    """Press a button, and have it said that it is done."""
    said = ".orders .said"
    what = browser.until(lambda: browser.text(button))
    browser.ask("document.querySelector(arguments[0]).textContent = ''", said)
    browser.click(button)
    if browser.count("dialog[open] input"):
        browser.press(*TOKEN, "\ue007")
    browser.until(lambda: browser.text(said) == f"{what}: done")


def test_whoever_has_the_token_orders_from_the_page_and_the_runtime_obeys(
    browser: Browser,
) -> None:
    with living() as service:

        def answers() -> tuple[str, set[str]]:
            """Call; return the answer, and which configs were planned."""
            before = {c.label: c.planned for c in service.runtime.statistics()["answer"].cases}
            status, text = service.get("answer")
            assert status == 200
            after = {c.label: c.planned for c in service.runtime.statistics()["answer"].cases}
            return text, {label for label in after if after[label] > before[label]}

        everybody = {"trusted", "other", "failing", "slow"}
        assert answers() == ("trusted", everybody)
        browser.open(f"{service.address}#/experiment/answer")
        toggle, release = ".orders button:nth-child(1)", ".orders button:nth-child(2)"
        browser.until(lambda: browser.text(toggle) == "disable")
        order(browser, toggle)
        browser.until(lambda: fact_on(browser, "state").startswith("■ disabled"))
        assert answers() == ("trusted", {"trusted"})
        assert service.runtime.statistics()["answer"].is_disabled
        browser.until(lambda: browser.text(toggle) == "enable")
        order(browser, toggle)
        browser.until(lambda: not fact_on(browser, "state").startswith("■ disabled"))
        assert answers() == ("trusted", everybody)
        labels = browser.table("#panel thead tr", "th > span:first-child")[0]
        place = labels.index("other") + 2  # the first cell is a corner
        order(browser, f"thead :nth-child({place}) .actions button")
        assert answers()[0] == "other"
        order(browser, release)
        assert answers() == ("trusted", everybody)
        browser.go("#/")
        expected = ["pinned", "unpinned", "disabled", "enabled"]
        told = browser.until(lambda: len(found := notices_on(browser)) >= 4 and found)
        assert sorted(told) == sorted(f"experiment.{name}" for name in expected)
        service.rest()


def notices_on(browser: Browser) -> list[str]:
    """Return the notices of what was ordered on the page."""
    rows = browser.table(".feed li", "b, span")
    return [name for name, said, *_ in rows if "dashboard" in said]


def test_a_page_that_is_cut_off_under_load_comes_to_the_same_numbers(browser: Browser) -> None:
    with living() as service:
        browser.open(service.address)
        with called_by_clients(service) as clients:
            for often in (1, 2):
                browser.until(partial(lambda many: clients.calls("answer") > many, 25 * often))
                assert service.cut() >= 1
                browser.until(lambda: browser.text("#link") == "reconnecting")
                browser.until(lambda: browser.text("#link") == "live")
        come_to_rest(browser, service)
        for name in CALLED:
            assert_same_sides(browser, service, name, clients)


def test_who_is_cut_off_under_load_is_told_of_each_event_once() -> None:
    """Or of how many there were, where more came at once than a patch has lines of."""
    last_id, last, is_whole = "", 0, False

    def look(messages: int) -> int:
        """Look on for some messages; return how many events the page knows of."""
        nonlocal last_id, last, is_whole
        with closing(read_stream(service.address, last_id)) as stream:
            known = 0
            for _ in range(messages):
                event, last_id, told = next(stream)
                known = int(told["overview"]["events"])
                assert (event == "snapshot") == (last == 0), "it is told all anew"
                lines, skipped = told["tail"]["lines"], told["tail"].get("skipped", 0)
                numbers = [line[0] for line in lines]
                assert numbers == [*range(numbers[0], numbers[-1] + 1)]
                since = numbers[0] - skipped
                # What comes while a snapshot is made is in the patch after it too.
                is_next = since <= last + 1 if is_whole else since == last + 1
                assert last == 0 or is_next, "events are missing, or told twice"
                last, is_whole = numbers[-1], event == "snapshot"
        return known

    with living() as service:
        with called_by_clients(service):
            known = [look(2) for _ in range(6)][-1]
        whole = httpx2.get(f"{service.address}api/state").json()["overview"]["events"]
        while known < whole:
            known = look(1)
        assert last == known


def test_a_page_whose_server_is_killed_under_load_comes_to_the_same_numbers(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    command = ["-m", "understudy", "dashboard", str(path), "--port"]
    with living(events=path) as service, called_by_clients(service) as clients:
        with process(*command, "0") as first:
            port = until(first, r"http://127.0.0.1:(\d+)/")[1]
            browser.open(f"http://127.0.0.1:{port}/")
            browser.until(lambda: experiments_on(browser))
            first.send_signal(signal.SIGKILL)
            first.wait(20)
            browser.until(lambda: browser.text("#link") == "reconnecting")
        before = clients.calls("answer")
        browser.until(lambda: clients.calls("answer") > before + 20)
        with process(*command, port) as second:
            until(second, "Ctrl-C")
            browser.until(lambda: browser.text("#link") == "live")
            clients.stop()
            service.rest()
            come_to_rest(browser, service)
            for name in CALLED:
                assert_same_sides(browser, service, name, clients)

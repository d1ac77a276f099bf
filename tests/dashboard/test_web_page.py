"""The page, in a real browser: it shows what the board has, and nothing of a log does anything."""

import asyncio
import json
import re
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import structs

from tests.dashboard.browsing import Browser, browsing, need
from tests.dashboard.sample import Demo, lines
from tests.dashboard.serving import Served, served
from tests.dashboard.test_web_serving import process, until
from understudy import Config, Runtime, ShadowStrategy
from understudy.events import Event, encode_line

PANELS = ["", "calls", "actors", "tail", "runs", "experiment/answer", "call/CALL"]
START = 1_700_000_000.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture(autouse=True)
def as_before(browser: Browser) -> Iterator[None]:
    """Nothing is kept from one test to the next; and none may leave a complaint in the console."""
    browser.resize(1280, 800)
    browser.turn("dark")
    yield
    complaints = browser.complaints()
    browser.ask("try { localStorage.clear() } catch {}")
    browser.driver.get("about:blank")
    lost = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET")
    assert [each for each in complaints if not any(word in each for word in lost)] == []


@pytest.fixture(scope="module")
def shop() -> Iterator[Served]:
    """Half a minute of the demo, at rest."""
    with served(lines(Demo(START).until(START + 30.0))) as it:
        yield it


def number(text: str) -> int:
    """Return the number in a cell: `✕ 1 234 27 %` is 1234."""
    return int(re.sub(r"\D", "", re.split(r"\(| [<\d.]+ %", text)[0]) or 0)


def experiments_on(browser: Browser) -> dict[str, dict[str, int]]:
    """Return the numbers of the table of experiments."""
    heads = [
        "name",
        "strategy",
        "state",
        "configs",
        "calls",
        "in_flight",
        "ok",
        "failed",
        "shadows_failed",
        "shed",
        "skipped",
    ]
    rows = browser.table("#panel tbody tr")
    return {
        row[0]: {
            head: number(text)
            for head, text in zip(heads, row, strict=False)
            if head not in ("name", "strategy", "state")
        }
        for row in rows
    }


def expected_of(document: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {
        each["name"]: {
            "configs": each["configs"],
            "calls": each["calls"],
            "in_flight": each["in_flight"],
            "ok": each["ok"],
            "failed": each["leads"]["error"] + each["leads"]["timeout"],
            "shadows_failed": each["shadows"]["error"] + each["shadows"]["timeout"],
            "shed": each["shed"],
            "skipped": each["skipped"],
        }
        for key, each in document.items()
        if key.startswith("experiment:")
    }


def call_of(document: dict[str, Any]) -> str:
    """Return a call that has calls inside it."""
    return next(
        str(each["call_id"])
        for each in document["calls"]
        if each["experiment"] == "answer" and each["status"] == "ok"
    )


def test_a_missing_browser_is_named() -> None:
    with pytest.raises(AssertionError, match="apt-get install --yes chromium chromium-driver"):
        need("no-such-browser")


def test_the_numbers_are_those_of_the_board(browser: Browser, shop: Served) -> None:
    browser.open(shop.address)
    document = shop.document()
    assert experiments_on(browser) == expected_of(document)
    overview = document["overview"]
    tiles = dict(
        browser.ask("""return [...document.querySelectorAll('.tile')].map((tile) =>
        [tile.dataset.tile, tile.querySelector('.value').textContent + '|' + tile.querySelector('.note').textContent])""")
    )
    outside, inside = tiles["calls"].split("|")[1].split("+")
    assert (number(outside), number(inside)) == (overview["calls"], overview["inner_calls"])
    assert float(tiles["calls"].split("/")[0]) == pytest.approx(overview["calls_per_s"], abs=0.06)
    assert number(tiles["in flight"].split("|")[0]) == overview["in_flight"]
    shed, skipped = tiles["shed"].split("|")[1].split(",")
    assert (number(shed), number(skipped)) == (overview["shed"], overview["skipped"])
    assert number(tiles["log"].split("|")[0]) == overview["dropped"]


def test_an_experiment_has_the_numbers_of_its_cases(browser: Browser, shop: Served) -> None:
    browser.open(f"{shop.address}#/experiment/answer")
    document = shop.document()
    labels = browser.until(lambda: browser.table("#panel thead tr", "th > span:first-child"))[0]
    cases = {each["label"]: each for each in document["experiment:answer"]["cases"]}
    assert sorted(labels) == sorted(cases)
    assert labels[0] == "model=trusted"  # the one that answers
    group, seen = "", 0
    for title, *cells in browser.table("#panel .sides tbody tr"):
        if title.startswith("as "):
            group = title.removeprefix("as ")
        elif title.startswith(("why not", "errors")):
            group = title
        elif title in ("ok", "error", "timeout", "shed", "skipped", "in flight"):
            for label, cell in zip(labels, cells, strict=True):
                role = cases[label]["roles"].get(group)
                expected = 0 if role is None else role[title.replace(" ", "_")]
                assert number(cell) == expected, (group, title, label, cell)
                seen += 1
        elif group == "why not run":
            assert [number(each) for each in cells] == [
                cases[label]["why_not"].get(title, 0) for label in labels
            ]
            seen += 1
        elif group == "errors":
            counts = [
                sum(each["count"] for each in cases[label]["errors"] if each["type"] == title)
                for label in labels
            ]
            assert [number(re.split(r"[a-zA-Z]", each)[0]) for each in cells] == counts
            seen += 1
    assert seen > 30
    assert browser.count(".histogram rect") > 20


def test_under_load_the_page_comes_to_what_the_runtime_counts(browser: Browser) -> None:
    with served() as it:
        runtime = Runtime(
            configs=[{"model": name} for name in ("good", "bad", "slow")],
            strategy=ShadowStrategy(timeout=0.05),
            concurrency=4,
            mailbox=4,
            events=lambda event: it.take([encode_line(event)]),
        )

        @runtime.experiment
        async def answer(x: int, config: Config) -> int:
            await asyncio.sleep(10.0 if config.model == "slow" else 0.001)
            if config.model == "bad":
                raise ConnectionError("no")
            return x

        async def play() -> None:
            async with runtime:
                for _ in range(40):
                    await asyncio.gather(*(answer(x) for x in range(10)))

        browser.open(it.address)
        asyncio.run(play())
        (told,) = runtime.statistics().to_dict()["experiments"]
        cases = told["cases"]
        expected = {
            "configs": 3,
            "calls": 400,
            "in_flight": 0,
            "ok": sum(case["ok"] for case in cases),
            "failed": 0,
            "shadows_failed": sum(case["error"] + case["timeout"] for case in cases),
            "shed": sum(case["shed"] for case in cases),
            "skipped": sum(case["skipped"] for case in cases),
        }
        name = told["experiment"]
        browser.until(lambda: experiments_on(browser).get(name) == expected)


def from_outside(path: Path) -> int:
    """Return how many calls from outside there are in a log."""
    planned = [line for line in path.read_bytes().splitlines() if b"call.planned" in line]
    return sum(1 for line in planned if b"parent_branch_id" not in line)


def test_after_the_server_was_killed_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    path, demo = tmp_path / "events.jsonl", Demo(START)
    path.write_bytes(b"".join(lines(demo.until(START + 1.0))))
    command = ["-m", "understudy", "dashboard", str(path), "--port"]
    with process(*command, "0") as first:
        port = until(first, r"http://127.0.0.1:(\d+)/")[1]
        browser.open(f"http://127.0.0.1:{port}/")
        first.send_signal(signal.SIGKILL)
        first.wait(20)
        browser.until(lambda: browser.text("#link") == "reconnecting")
    with path.open("ab") as file:
        file.write(b"".join(lines(demo.until(START + 2.0))))
    whole = from_outside(path)
    with process(*command, port) as second:
        until(second, "Ctrl-C")
        browser.until(lambda: browser.text("#link") == "live")
        note = ".tile[data-tile=calls] .note"
        browser.until(lambda: number((browser.text(note) or "").partition("+")[0]) == whole)
        with path.open("ab") as file:
            file.write(b"".join(lines(demo.until(START + 3.0))))
        whole = from_outside(path)
        browser.until(lambda: number((browser.text(note) or "").partition("+")[0]) == whole)


def test_runs_that_results_are_recorded_into_have_a_panel_and_no_run_has_none(
    browser: Browser,
) -> None:
    run = {"run": "r1", "project": "shop", "prefix": "tuned", "path": "/runs/shop/tuned"}
    of = {"experiment": "answer", "config_id": "c1", "label": "large"}
    head = {"v": 1, "ts": START, "level": "info", "pid": 1, "runtime": "a"}
    first = {**head, "event": "runtime.started", "seq": 1}
    with served([json.dumps(first).encode()]) as it:
        browser.open(it.address)
        browser.until(lambda: browser.text("#link") == "live")
        assert "runs" not in (browser.text("nav") or "")
        for seq, told in enumerate(({}, {**of, "count": 7, "dropped": 2}), 2):
            event = {**head, "event": "run.recording", "seq": seq, **run, **told}
            it.take([json.dumps(event).encode()])
        browser.until(lambda: "runs" in (browser.text("nav") or ""))
        browser.go("#/runs")
        row = "#panel section:not([hidden]) tbody tr"
        browser.until(lambda: "shop/tuned" in (browser.text(row) or ""))
        shown = browser.text(row) or ""
        assert "running" in shown
        assert "7 answer[large]" in shown
        assert "2 lost" in shown
        assert browser.count(f"{row} td[title='/runs/shop/tuned']") == 1


EVIL = "<script>alert(1)</script>"
ODD = "a/b?c#d&e=f \"g\" 'h'\n%2F <img src=x onerror=alert(1)> ü"


def evil_log() -> Iterator[bytes]:
    """Tell of an experiment of which every text is markup."""
    texts = {
        "experiment": ODD, "label": EVIL, "actor": f"{ODD}[{EVIL}]", "service": EVIL,
        "reason": EVIL, "error.type": EVIL, "error.message": EVIL, "source": EVIL,
        "strategy": EVIL, "where": EVIL, "runtime": EVIL, "state": EVIL, EVIL: EVIL,
        "config_id": EVIL, "call_id": f"call/{EVIL}", "branch_id": EVIL, "run": EVIL,
        "batch": EVIL, "item": EVIL, "project": EVIL, "prefix": EVIL, "path": EVIL,
    }  # fmt: skip
    events = [
        "experiment.registered", "actor.started", "call.planned", "branch.started",
        "branch.completed", "branch.shed", "loop.lagged", "strategy.failed", "actor.crashed",
        "run.started", "batch.started", "batch.item_completed", "breaker.opened", "run.recording", "run.ended", EVIL,
    ]  # fmt: skip
    for number, event in enumerate(events, 1):
        head = {
            "v": 1,
            "ts": START + number,
            "event": event,
            "level": EVIL,
            "seq": number,
            "pid": 1,
        }
        status = {} if event == "branch.shed" else {"status": EVIL}
        more = {"role": "primary", "duration_ms": 5.0, "queue_ms": 0.0, "lag_ms": 90.0, "count": 3}
        values = {"values": {EVIL: EVIL}} if event == "actor.started" else {}
        yield json.dumps({**head, **texts, **status, **more, **values}).encode()
        yield json.dumps({**head, **texts, "level": "error", "status": "error", **more}).encode()


def test_whatever_a_log_says_is_text(browser: Browser) -> None:
    call = quote(f"call/{EVIL}", safe="")
    places = [
        "",
        "calls",
        "actors",
        "tail",
        "runs",
        f"experiment/{quote(ODD, safe='')}",
        f"call/{call}",
    ]
    with served(evil_log()) as it:
        browser.requests()
        browser.open(it.address)
        browser.ask("window.alert = () => { document.title = 'alerted'; window.alerted = true; }")
        for place in places:
            browser.go(f"#/{place}")
            browser.until(lambda: EVIL in (browser.text("#panel") or ""))
            if place.startswith(("experiment", "call/")):
                assert EVIL in (browser.text("#panel") or "")
            for button in range(browser.count("#panel li button")):
                browser.ask(
                    "document.querySelectorAll('#panel li button')[arguments[0]].click()", button
                )
            assert browser.count("#panel img, #panel script, #panel iframe, #panel style") == 0
        browser.go(f"#/experiment/{quote(ODD, safe='')}")
        browser.until(lambda: browser.text("h1") == ODD)
        assert browser.ask("return [...document.scripts].map((each) => each.getAttribute('src'))") == [
            "static/theme.js", "static/vendor/uPlot.iife.min.js", "static/main.js",
        ]  # fmt: skip
        assert browser.ask("return window.alerted ?? false") is False
        browser.go("#/")
        browser.until(lambda: browser.text("#panel a.row") == ODD)
        browser.click("#panel a.row")
        browser.until(lambda: browser.text("h1") == ODD)


def test_no_request_leaves_for_anywhere_else(browser: Browser, shop: Served) -> None:
    browser.requests()
    browser.open(shop.address)
    for place in PANELS:
        browser.go(f"#/{place.replace('CALL', quote(call_of(shop.document())))}")
        browser.until(lambda: browser.count("#panel > div") == 1)
    asked = [each for each in browser.requests() if not each.startswith(("about:", "data:"))]
    assert len(asked) > 15
    assert [each for each in asked if not each.startswith(shop.address)] == []


def test_a_call_is_a_waterfall_with_the_calls_inside_it(browser: Browser, shop: Served) -> None:
    call_id = call_of(shop.document())
    browser.open(f"{shop.address}#/call/{quote(call_id)}")
    rows = browser.until(lambda: browser.table(".waterfall li", ".label, .who small, .sign"))
    kept = shop.page._board.call(call_id)
    assert kept is not None
    inner = [shop.page._board.call(each) for each in kept["inner"]]
    assert len(rows) == len(kept["branches"]) + sum(len(each["branches"]) for each in inner if each)
    assert rows[0][:2] == ["answer model=trusted", "primary"]
    assert {tuple(row[:2]) for row in rows} >= {
        ("└ rewrite words=few", "primary"),
        ("└ rewrite words=many", "shadow"),
    }
    assert rows[0][2].startswith("✓ ok ")
    browser.click(".waterfall button")
    assert f"branch_id: {kept['branches'][0]['branch_id']}" in (
        browser.text(".waterfall pre") or ""
    )
    browser.click("a[href='#/calls']")
    browser.until(lambda: browser.count("#panel tbody tr") > 100)


def test_calls_that_branches_made_are_shown_when_they_are_asked_for(
    browser: Browser, shop: Served
) -> None:
    def shown() -> set[str]:
        return {row[2] for row in browser.table("#panel tbody tr")}

    browser.open(f"{shop.address}#/calls?q=answer")
    browser.until(lambda: shown() == {"answer"})
    browser.go("#/calls?q=rewrite")
    browser.until(lambda: browser.text("#panel .empty") == "Nothing here matches the filter.")
    browser.click("#panel .bar input[type=checkbox]")
    browser.until(lambda: shown() == {"└ rewrite"})
    assert "inner=1" in browser.driver.current_url
    browser.open(browser.driver.current_url)
    browser.until(lambda: shown() == {"└ rewrite"})


def test_branches_of_one_config_show_the_whole_case_each(browser: Browser) -> None:
    head = {"v": 1, "ts": START, "event": "branch.started", "level": "debug", "seq": 1, "pid": 1}
    of = {**head, "experiment": "answer", "call_id": "c", "label": "fast", "config_id": "f"}
    cases = ["summarise[v1]", "summarise[v2]"]
    told = [{**of, "branch_id": each, "role": "shadow", "inner_case": each} for each in cases]
    told.append({**told[0], "branch_id": "slow", "label": "slow", "config_id": "s"})
    with served(json.dumps(each).encode() for each in told) as it:
        browser.open(f"{it.address}#/call/c")
        rows = browser.until(lambda: browser.table(".waterfall li", ".label"))
        assert rows == [
            ["answer[fast] / summarise[v1]"],
            ["answer[fast] / summarise[v2]"],
            ["answer slow"],
        ]
        browser.go("#/tail")
        rows = browser.until(lambda: browser.table(".tail li", ".whose, .label"))
        assert rows[1] == ["answer", "fast / summarise[v2]"]


def test_configs_stand_as_they_were_given_and_errors_of_shadows_are_sorted_by(
    browser: Browser, shop: Served
) -> None:
    browser.open(f"{shop.address}#/experiment/answer")
    labels = browser.until(lambda: browser.table("#panel thead tr", "th > span:first-child"))[0]
    assert labels == ["model=trusted", "model=quicker", "model=failing", "model=hanging"]
    browser.go("#/?sort=-shadow-errors")
    browser.until(lambda: browser.count("th[aria-sort=descending]") == 1)
    failed = [row["shadows_failed"] for row in experiments_on(browser).values()]
    assert failed == sorted(failed, reverse=True)
    assert failed[0] > 0


def test_a_call_that_is_not_kept_says_where_it_is(browser: Browser, shop: Served) -> None:
    browser.open(f"{shop.address}#/calls")
    browser.go("#/call/none%2Fsuch")
    found = browser.until(lambda: browser.count("#panel .empty") and browser.text("#panel .empty"))
    assert "“none/such” is not kept" in found
    assert "understudy tail" in found
    complaints = browser.complaints()  # the browser itself tells of the 404
    assert all("404" in each for each in complaints)


def test_a_call_that_is_not_kept_is_looked_for_in_the_files_there_are(browser: Browser) -> None:
    files = ["a log.jsonl", "<b>.jsonl"]
    for given, told in (
        ({"files": files}, "understudy tail 'a log.jsonl' '<b>.jsonl' --rotated"),
        ({}, 'runtime = Runtime(events="events.jsonl")'),
    ):
        with served(lines(Demo(START).until(START + 1.0)), **given) as it:
            browser.open(f"{it.address}#/call/nosuch")
            found = browser.until(lambda: browser.text("#panel .empty"))
            assert told in found
            assert found.endswith("--no-follow -n 1000 --call nosuch")
    browser.complaints()  # the browser itself tells of the 404


def captured_lines() -> Iterator[bytes]:
    """Calls with what structlog had bound, and what they were called with."""
    for number in range(1, 4):
        of: dict[str, Any] = {"experiment": "answer", "call_id": f"r1-{number}"}
        of["context"] = {"request_id": f"req-{number}"}
        head: dict[str, Any] = {"v": 1, "ts": START + number, "pid": 7, "runtime": "r1"}
        yield encode_line(
            Event(**head, event="call.planned", level="debug", seq=2 * number, **of, count=1)
        )
        of |= {"branch_id": f"b{number}", "config_id": "c1", "label": "large", "role": "primary"}
        of |= {"status": "ok", "duration_ms": 3.0}
        of |= {"arguments": f'{{"prompt":"hello {number}"}}', "result": f'"<i>good {number}</i>"'}
        yield encode_line(
            Event(**head, event="branch.completed", level="info", seq=2 * number + 1, **of)
        )


def test_a_call_is_found_by_what_it_was_about_and_shows_it(browser: Browser) -> None:
    with served(captured_lines()) as it:
        browser.open(f"{it.address}#/calls?q=req-2")
        browser.until(lambda: browser.table("#panel tbody tr", "td:first-child") == [["r1-2"]])
        browser.go("#/calls?q=arguments:%22hello+request_id:req-3+good")
        browser.until(lambda: browser.table("#panel tbody tr", "td:first-child") == [["r1-3"]])
        browser.go("#/call/r1-2")
        browser.until(lambda: browser.count(".waterfall li") == 1)
        assert browser.text("[data-fact=request_id] dd") == "req-2"
        assert browser.text("[data-fact=arguments] dd") == '{"prompt":"hello 2"}'
        assert browser.text(".waterfall .gave") == '"<i>good 2</i>"'


def two_processes() -> Iterator[bytes]:
    """Two services that play one experiment, and one of them another."""
    for pid, service, names in ((1, "shop", ["answer"]), (2, "search", ["answer", "rank"])):
        head: dict[str, Any] = {"v": 1, "pid": pid, "runtime": f"r{pid}", "service": service}
        for place, name in enumerate(names):
            for seq, event in enumerate(("experiment.registered", "actor.started"), 2 * place + 1):
                state = {"actor": name, "state": "running"} if event == "actor.started" else {}
                told = {**head, "ts": START + seq, "seq": seq, "event": event, "level": "info"}
                yield json.dumps({**told, "experiment": name, **state}).encode()


def test_actors_stand_under_their_process_and_experiments_say_where_they_are(
    browser: Browser,
) -> None:
    with served(two_processes()) as it:
        browser.open(f"{it.address}#/actors")
        browser.until(lambda: browser.count(".tree tbody tr") == 5)
        rows = [row[0].partition("  ")[0] for row in browser.table(".tree tbody tr", "th")]
        assert [row.rstrip(" \u2013") for row in rows] == [
            "shop 1/r1", "answer", "search 2/r2", "answer", "rank",
        ]  # fmt: skip
        browser.go("#/actors?q=service:shop")
        browser.until(lambda: browser.count(".tree tbody tr") == 2)
        browser.go("#/")
        browser.until(
            lambda: (
                browser.table("#panel tbody tr", ".where")
                == [["in 2 of 2 processes: search, shop"], ["in 1 of 2 processes: search"]]
            )
        )
        browser.go("#/?q=service:shop")
        browser.until(lambda: browser.count("#panel .where") == 1)
        browser.go("#/experiment/answer")
        where = "[data-fact=processes] dd"
        assert browser.until(lambda: browser.text(where)) == "in 2 of 2 processes: search, shop"


def test_the_tail_shows_the_inner_case_of_a_long_label(browser: Browser) -> None:
    event: dict[str, Any] = {"v": 1, "ts": START, "seq": 1, "pid": 1, "level": "info"}
    event |= {"event": "branch.started", "label": f"model={'very-' * 20}large", "role": "primary"}
    with served([json.dumps({**event, "inner_case": "summarise[v2]"}).encode()]) as it:
        browser.open(f"{it.address}#/tail")
        browser.until(lambda: browser.count(".tail .inner") == 1)
        seen = """
            const [whole, inner] = ['.both', '.both .inner'].map((each) => document.querySelector(each).getBoundingClientRect());
            return [inner.right <= whole.right + 1, inner.width > 60, whole.width < 300];
        """
        assert browser.ask(seen) == [True, True, True]


def test_the_tree_shows_each_actor_under_its_supervisor(browser: Browser, shop: Served) -> None:
    browser.open(f"{shop.address}#/actors")
    rows = browser.until(lambda: browser.table(".tree tbody tr"))
    assert len(rows) == len(shop.document()["actors"])
    assert [row[0] for row in rows[:6]] == [
        "answer", "strategy", "model=trusted", "model=quicker", "model=failing", "model=hanging",
    ]  # fmt: skip
    browser.press("/")
    browser.press(*"tone")
    browser.until(lambda: browser.table(".tree tbody tr", "th") == [["tone=dry"], ["tone=warm"]])


def test_the_tail_shows_what_a_filter_lets_through(browser: Browser, shop: Served) -> None:
    browser.open(f"{shop.address}#/tail")
    browser.until(lambda: browser.count(".tail li") > 100)
    browser.go("#/tail?event=branch.completed&q=status:error")
    browser.until(
        lambda: browser.text("#filter ~ *") is not None and browser.count(".tail li") < 100
    )
    shown = browser.table(".tail li", "b, .status")
    assert {tuple(row) for row in shown} == {("branch.completed", "✕ error")}
    expected = [
        fields
        for _, fields in shop.document()["tail"]["lines"]
        if fields["event"] == "branch.completed" and fields["status"] == "error"
    ]
    assert len(shown) == len(expected)
    browser.go("#/tail?level=error")
    browser.until(
        lambda: browser.count(".tail li[data-level=warning], .tail li[data-level=info]") == 0
    )
    browser.go("#/tail?q=no+such+thing")
    browser.until(lambda: browser.text("#panel .none") == "No line here matches.")


def test_pages_that_are_left_do_not_keep_their_connections(browser: Browser, shop: Served) -> None:
    """A browser has six to one server, and a seventh page would wait for one of them."""
    for _ in range(8):
        browser.open(shop.address)
    browser.driver.get("about:blank")
    browser.until(lambda: shop.page.hub.clients == 0)


def test_what_is_held_still_does_not_move_and_then_catches_up(browser: Browser) -> None:
    demo = Demo(START)
    with served(lines(demo.until(START + 1.0))) as it:
        browser.open(it.address)
        browser.press("p")
        browser.until(lambda: browser.text("#pause") == "go on")
        before = experiments_on(browser)
        it.take(lines(demo.until(START + 2.0)))
        browser.until(lambda: (browser.text("#link") or "").startswith("held still, 1 change"))
        assert experiments_on(browser) == before
        browser.press("p")
        browser.until(lambda: experiments_on(browser) == expected_of(it.document()))


def test_the_order_and_the_filter_are_in_the_address(browser: Browser, shop: Served) -> None:
    browser.open(f"{shop.address}#/?sort=-calls")
    names = [row[0] for row in browser.table("#panel tbody tr")]
    expected = sorted(expected_of(shop.document()).items(), key=lambda each: -each[1]["calls"])
    assert names == [name for name, _ in expected]
    browser.click("thead th:nth-child(1) button")
    browser.until(lambda: browser.table("#panel tbody tr")[0][0] == "answer")
    assert browser.driver.current_url.endswith("#/?sort=name")
    assert browser.count("th[aria-sort=ascending]") == 1
    browser.press("/")
    browser.press(*"rank")
    browser.until(lambda: [row[0] for row in browser.table("#panel tbody tr")] == ["search/rank"])
    address = browser.driver.current_url
    assert "q=rank" in address
    browser.open(address)
    assert [row[0] for row in browser.table("#panel tbody tr")] == ["search/rank"]
    assert browser.ask("return document.getElementById('filter').value") == "rank"
    browser.press("/", "\ue00c")  # Escape
    browser.until(lambda: len(browser.table("#panel tbody tr")) == 5)


def test_every_panel_has_its_keys(browser: Browser, shop: Served) -> None:
    browser.open(shop.address)
    panel = "return document.body.dataset.panel"
    places = {
        ("2",): "calls", ("3",): "actors", ("4",): "tail", ("5",): "runs", ("1",): "overview",
        ("g", "c"): "calls", ("g", "a"): "actors", ("g", "t"): "tail", ("g", "r"): "runs",
        ("g", "e"): "overview",
    }  # fmt: skip
    for keys, place in places.items():
        browser.press(*keys)
        browser.until(partial(lambda place: browser.ask(panel) == place, place))
    browser.press("?")
    browser.until(lambda: browser.count("dialog[open]") == 1)
    browser.press("2")
    browser.press("\ue00c")
    browser.until(lambda: browser.count("dialog") == 0)
    assert browser.ask(panel) == "overview"


def test_all_that_can_be_done_can_be_reached_and_seen_by_keyboard(
    browser: Browser, shop: Served
) -> None:
    browser.open(shop.address)
    script = """
        const node = document.activeElement, style = getComputedStyle(node);
        return [node.id || node.textContent.slice(0, 20), style.outlineStyle, style.outlineWidth];
    """
    reached = []
    for _ in range(40):
        browser.press("\ue004")
        reached.append(browser.ask(script))
    names = [name for name, _, _ in reached]
    for name in ("skip", "calls", "filter", "pause", "theme", "help", "answer", "search/rank"):
        assert name in names
    assert {(style, width) for name, style, width in reached if name in names[:12]} == {
        ("solid", "2px")
    }
    browser.ask("document.querySelector('a.row').focus()")
    browser.press("\ue015")  # down
    assert browser.ask(script)[0] == "checkout"


def test_the_theme_is_as_the_system_says_until_one_is_chosen(
    browser: Browser, shop: Served
) -> None:
    back = "return getComputedStyle(document.body).backgroundColor"
    browser.open(shop.address)
    dark = browser.ask(back)
    browser.turn("light")
    light = browser.ask(back)
    assert dark != light
    browser.click("#theme")
    assert browser.text("#theme") == "theme: dark"
    assert browser.ask(back) == dark
    browser.open(shop.address)
    assert browser.ask(back) == dark
    browser.click("#theme")
    browser.click("#theme")
    assert browser.text("#theme") == "theme: system"
    assert browser.ask(back) == light


def test_it_fits_a_telephone(browser: Browser, shop: Served) -> None:
    browser.resize(390, 844)
    browser.open(shop.address)
    for place in PANELS:
        browser.go(f"#/{place.replace('CALL', quote(call_of(shop.document())))}")
        browser.until(lambda: browser.count("#panel > div") == 1)
        width = browser.ask("return document.documentElement.scrollWidth")
        assert width <= 390, place
        whole = """return [...document.querySelectorAll('#strip .value')].every(
            (it) => it.scrollWidth <= it.clientWidth && it.getBoundingClientRect().right <= 390)"""
        assert browser.ask(whole), place
        if place in ("", "calls"):  # what is looked at first is seen without moving it aside
            table = "const it = document.querySelector('#panel .scroll'); return "
            assert browser.ask(f"{table} it.scrollWidth <= it.clientWidth"), place


def test_where_there_is_nothing_it_says_what_to_run(browser: Browser) -> None:
    with served() as it:
        browser.open(it.address)
        for place in ("", "calls", "actors", "tail", "runs"):
            browser.go(f"#/{place}")
            browser.until(
                lambda: "understudy dashboard events.jsonl" in (browser.text("#panel") or "")
            )
        browser.go("#/experiment/none")
        browser.until(lambda: "No experiment of the name “none”" in (browser.text("#panel") or ""))


def test_where_nothing_of_the_kind_is_told_it_says_what_tells_it(browser: Browser) -> None:
    def advises(said: str) -> bool:
        return said in (browser.text("#panel .empty pre") or "")

    begun = Event(v=1, ts=START, event="runtime.started", level="info", seq=1, pid=1)
    with served() as it:
        it.take([begun])
        browser.open(it.address)
        for place, said in (
            ("", "@runtime.experiment"),
            ("calls", "await answer"),
            ("runs", "record=run"),
        ):
            browser.go(f"#/{place}")
            browser.until(partial(advises, said))


class Desk:
    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    def disable(self, experiment: str) -> None:
        self.done.append(("disable", experiment))

    def enable(self, experiment: str) -> None:
        self.done.append(("enable", experiment))

    def pin(self, experiment: str, config: str) -> None:
        self.done.append(("pin", experiment, config))

    def unpin(self, experiment: str) -> None:
        raise ValueError("nothing is pinned")


def pinned(label: str | None) -> Event:
    """Return what is told when a config of `answer` is pinned; None: no longer."""
    name = "experiment.unpinned" if label is None else "experiment.pinned"
    told = Event(v=1, ts=START + 2, event=name, level="info", seq=0, pid=1, experiment="answer")
    return told if label is None else structs.replace(told, label=label)


def test_orders_are_given_by_who_has_the_token(browser: Browser) -> None:
    desk = Desk()
    with served(lines(Demo(START).until(START + 1.0)), token="open sesame", control=desk) as it:
        browser.open(f"{it.address}#/experiment/answer")
        said = ".orders .said"
        browser.until(lambda: browser.count(".orders button") == 1)
        browser.click(".orders button")
        browser.until(lambda: browser.count("dialog[open] input") == 1)
        browser.press(*"wrong", "\ue007")
        browser.until(lambda: browser.text(said) == "disable: that is not the token")
        assert desk.done == []
        browser.click(".orders button")
        browser.until(lambda: browser.count("dialog[open] input") == 1)
        browser.press(*"open sesame", "\ue007")
        browser.until(lambda: browser.text(said) == "disable: done")
        browser.click("thead th:nth-child(4) .actions button")
        browser.until(lambda: browser.text(said) == "pin: done")
        assert browser.count(".orders button") == 1  # nothing is pinned, it was told
        it.take([pinned("small")])
        browser.until(lambda: browser.count(".orders button") == 2)
        it.take([pinned("model=failing")])  # which has nothing more to be pinned to
        browser.until(lambda: browser.count("thead .actions button") == 3)  # of four
        assert browser.count("thead th:nth-child(4) .actions button") == 0
        browser.click(".orders button:nth-child(2)")
        browser.until(lambda: browser.text(said) == "unpin: nothing is pinned")
        it.take([pinned(None)])
        browser.until(lambda: browser.count(".orders button") == 1)
        failing = it.document()["experiment:answer"]["cases"]
        config = next(each["config_id"] for each in failing if each["label"] == "model=failing")
        assert desk.done == [("disable", "answer"), ("pin", "answer", config)]
        complaints = browser.complaints()  # the browser itself tells of the 401 and the 400
        assert all("401" in each or "400" in each for each in complaints)
        kept = "return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        assert "sesame" not in browser.ask(kept)


def test_an_order_given_by_keyboard_is_carried_out_once(browser: Browser) -> None:
    desk = Desk()
    with served(lines(Demo(START).until(START + 1.0)), token="open sesame", control=desk) as it:
        browser.open(f"{it.address}#/experiment/answer")
        browser.until(lambda: browser.count(".orders button") == 1)
        browser.ask("document.querySelector('.orders button').focus()")
        browser.press("\ue007")
        browser.until(lambda: browser.count("dialog[open] input") == 1)
        assert browser.text("dialog h2") == "disable answer"
        browser.press(*"open sesame", "\ue007")
        browser.until(lambda: browser.text(".orders .said") == "disable: done")
        browser.click("thead th:nth-child(3) .actions button")
        browser.until(lambda: browser.text(".orders .said") == "pin: done")
        assert [order for order, *_ in desk.done] == ["disable", "pin"]
        assert browser.count("dialog") == 0


def test_the_dialog_names_the_config_that_is_to_be_pinned(browser: Browser) -> None:
    with served(lines(Demo(START).until(START + 1.0)), token="open sesame", control=Desk()) as it:
        browser.open(f"{it.address}#/experiment/answer")
        pin = "thead th:nth-child(4) .actions button"
        browser.until(lambda: browser.count(pin) == 1)
        browser.click(pin)
        browser.until(lambda: browser.count("dialog[open] input") == 1)
        assert browser.text("dialog h2") == "pin model=failing of answer"


def test_without_a_token_there_is_nothing_to_order(browser: Browser, shop: Served) -> None:
    browser.open(f"{shop.address}#/experiment/answer")
    browser.until(lambda: browser.count(".sides thead th") == 4)
    assert browser.count(".orders, .actions button") == 0

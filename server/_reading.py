"""What is read: projects, runs, their curves and messages."""

import asyncio
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta
from starlette.responses import Response

from understudy.runs import Filter, FilterError, RunInfo, Summary
from understudy.runs.replica import decode, in_order, names_in, note_of

from ._answers import Refused, is_known, tag_of, unchanged
from ._calls import Call, Nothing
from ._catalog import Entry
from ._curves import Place, Range
from ._digest import state_of
from ._messages import Messages, messages_in
from ._rows import ProjectRow, RunRow
from ._tame import tame


class Listed(RunInfo, frozen=True, kw_only=True):
    """A run of the list, and when the server heard of it last."""

    seen: float


class RunList(msgspec.Struct):
    """Some runs, how many there are in all that the filter takes, and what no run at all has."""

    runs: list[Listed]
    total: int
    note: str | None = None


class RunTold(msgspec.Struct):
    """All that is told of a run, but for what is long."""

    info: RunInfo
    seen: float
    run: dict[str, Any]
    attempts: list[dict[str, Any]]
    params: dict[str, Any]
    git: dict[str, Any]
    environment: dict[str, Any]


class Curve(msgspec.Struct):
    """The points of a metric, and what all of them come to."""

    points: list[dict[str, Any]]
    summary: dict[str, Summary]


class Who(msgspec.Struct):
    """Who asks."""

    name: str
    projects: list[str]
    scope: str


class Health(msgspec.Struct):
    """That the server is there, and which it is."""

    ok: bool
    version: str


class WhichRuns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which runs are wanted, and in which order."""

    filter: Annotated[str, Meta(max_length=4_000)] = ""
    sort: Annotated[str, Meta(min_length=1, max_length=4_000)] = "-created"
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0


class WhichPoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which points are wanted, and how many at most."""

    max_points: Annotated[int, Meta(ge=2, le=20_000)] = 1_000
    start: float | None = None
    stop: float | None = None
    by: Annotated[str, Meta(min_length=1, max_length=1_000)] = "step"


class WhichMessages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages are wanted: so many from a place on; the last, if the limit is negative."""

    after: Annotated[int, Meta(ge=0, le=(1 << 62))] = 0
    before: Annotated[int, Meta(ge=0, le=(1 << 62))] | None = None
    limit: Annotated[int, Meta(ge=-10_000, le=10_000)] = 1_000
    level: Annotated[str, Meta(max_length=100)] | None = None


async def tell_health(call: Call[Nothing, None]) -> Response:
    """Tell that the server is there."""
    return call.answer(Health(ok=True, version=call.desk.version))


async def tell_description(call: Call[Nothing, None]) -> Response:
    """Describe this interface, as OpenAPI."""
    return call.answer(call.desk.description())


async def tell_who(call: Call[Nothing, None]) -> Response:
    """Tell what the token is for."""
    token = call.token
    assert token is not None
    return call.answer(Who(name=token.name, projects=[token.project], scope=token.scope))


async def tell_projects(call: Call[Nothing, None]) -> Response:
    """Tell which projects there are, of those that the token is for."""
    token = call.token
    assert token is not None
    rows: list[ProjectRow] = await call.desk.storage.projects()
    return call.answer([row for row in rows if token.project in ("*", row.project)])


async def list_runs(call: Call[WhichRuns, None]) -> Response:
    """List the runs of a project."""
    query, desk = call.query, call.desk
    takes: Any = None
    if query.filter.strip():
        try:
            takes = Filter(query.filter)
        except FilterError as error:
            raise Refused(400, "filter", str(error)) from None
    entries = await desk.catalog.list(call.names["project"], desk.clock())

    def chosen() -> RunList:
        found = [entry for entry in entries if takes is None or takes(entry.info)]
        found = _in_order(found, query.sort)
        some = found[query.offset : query.offset + query.limit]
        return RunList([_listed(entry) for entry in some], len(found), _note(takes, query, entries))

    return await asyncio.to_thread(lambda: call.answer(chosen()))


async def tell_run(call: Call[Nothing, None]) -> Response:
    """Tell all of a run, but for what is long."""
    row = await call.row()
    entry = await call.desk.catalog.entry(row, call.desk.clock())
    documents = await call.desk.storage.documents(*call.place)
    said = {path: _object(data) for path, data in documents.items() if path.endswith(".json")}
    numbers = sorted(int(path[9:-5]) for path in said if path.startswith("attempts/"))
    told = RunTold(
        info=entry.info,
        seen=entry.seen,
        run=said.get("run.json", {}),
        attempts=[said[f"attempts/{number}.json"] for number in numbers],
        params=said.get("parameters.json", {}),
        git=said.get("git.json", {}),
        environment=said.get("environment.json", {}),
    )
    return call.answer(told, has_marks=True)


async def tell_metric(call: Call[WhichPoints, None]) -> Response:
    """Tell the points of a metric, so many that a curve through them looks the same."""
    row, query = await call.row(), call.query
    place = Place(*call.place, _folder_of(row, call.names["metric"]), row.number)
    lengths = await call.desk.storage.lengths(*call.place)
    if lengths is None:
        raise call.no_run()
    both = [lengths.lengths.get(path) for path in (place.path, "rewinds.jsonl")]
    tag = tag_of(place, both, query, call.request.headers.get("accept"))
    if is_known(call.request, tag):
        return unchanged(tag)
    wanted = Range(query.by, query.start, query.stop)
    curve = Curve(
        points=await call.desk.curves.curve(place, query.max_points, wanted),
        summary=await call.desk.curves.summary(place, lengths.lengths),
    )
    response = await asyncio.to_thread(call.answer, curve, has_marks=True)
    response.headers["ETag"] = tag
    return response


async def tell_messages(call: Call[WhichMessages, None]) -> Response:
    """Tell the messages of a run."""
    lengths = await call.desk.storage.lengths(*call.place)
    if lengths is None:
        raise call.no_run()
    query = call.query
    found: Messages = await messages_in(
        call.desk.storage,
        *call.place,
        length=lengths.lengths.get("logs/logs.jsonl", 0),
        after=query.after,
        before=query.before,
        limit=query.limit,
        level=query.level,
    )
    return await asyncio.to_thread(call.answer, found, has_marks=True)


def _folder_of(row: RunRow, metric: str) -> str:
    """Return the folder of a metric of this name."""
    state = state_of(row)
    for folder in state.sums:
        if state.names.get(folder, folder) == metric:
            return folder
    names = sorted(state.names.get(folder, folder) for folder in state.sums)[:20]
    raise Refused(404, "metric", f"there is no metric {metric!r:.200}", metrics=names)


def _listed(entry: Entry) -> Listed:
    return Listed(**msgspec.structs.asdict(entry.info), seen=entry.seen)


def _in_order(entries: list[Entry], sort: str) -> list[Entry]:
    """Return runs by what the server alone knows, or by what filters have a name for."""
    if sort.removeprefix("-") == "seen":
        return sorted(entries, key=lambda entry: entry.seen, reverse=sort.startswith("-"))
    try:
        return in_order(entries, sort, lambda entry: entry.info)
    except FilterError as error:
        raise Refused(400, "sort", str(error)) from None


def _note(takes: Filter | None, query: WhichRuns, entries: list[Entry]) -> str | None:
    """Return which parameters and metrics that are asked for no run of the project has."""
    names = [*(() if takes is None else takes.names)]
    if query.sort.removeprefix("-") != "seen":
        names += names_in(query.sort)
    return note_of(names, [entry.info for entry in entries]) if names else None


def _object(data: bytes) -> dict[str, Any]:
    """Return what a document says, that was looked through when it came."""
    value = tame(decode(data))
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

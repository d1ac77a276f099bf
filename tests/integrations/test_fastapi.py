"""FastAPI around decorated functions: routes as they are, and no way in for a client's config."""

import contextvars
import inspect
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio.lowlevel
import anyio.to_thread
import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    WebSocket,
)
from fastapi.testclient import TestClient
from pydantic import BaseModel

from understudy import (
    Bind,
    Config,
    MultiBranchStrategy,
    Runtime,
    ShadowStrategy,
    current_experiment_case,
)

TWO: list[dict[str, Any]] = [
    {"model": "large", "llm": {"temperature": 0.7}},
    {"model": "small", "llm": {"temperature": 0}},
]
REQUEST = contextvars.ContextVar("request", default="none")
Temperature = Annotated[float, Bind("llm.temperature")]


class Item(BaseModel):
    name: str
    price: float = 1.0


class Stage:
    """A runtime, an app whose lifespan it is, and what was played."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("strategy", ShadowStrategy())
        self.runtime = Runtime(configs=TWO, **settings)
        self.app = FastAPI(lifespan=self.lifespan)
        self.played: list[tuple[str, Any]] = []

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        async with self.runtime:
            yield

    def seen(self) -> list[tuple[str, Any]]:
        """Return what was played; the order is nobody's business."""
        return sorted(self.played, key=repr)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def declare_async(stage: Stage) -> Callable[..., Any]:
    @stage.app.get("/answer/{kind}")
    @stage.runtime.experiment(name="answer")
    async def answer(
        kind: Annotated[str, Path(max_length=5)],
        config: Config,
        temperature: Temperature,
        prompt: Annotated[str, Query(min_length=2)] = "hello",
        x_token: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        """Answer a prompt."""
        stage.played.append((config.model, prompt))
        return {"model": config.model, "t": temperature, "kind": kind, "token": x_token}

    return answer


def declare_sync(stage: Stage) -> Callable[..., Any]:
    @stage.app.get("/answer/{kind}")
    @stage.runtime.experiment(name="answer")
    def answer(
        kind: Annotated[str, Path(max_length=5)],
        config: Config,
        temperature: Temperature,
        prompt: Annotated[str, Query(min_length=2)] = "hello",
        x_token: Annotated[str | None, Header()] = None,
    ) -> dict[str, Any]:
        """Answer a prompt."""
        stage.played.append((config.model, prompt))
        return {"model": config.model, "t": temperature, "kind": kind, "token": x_token}

    return answer


both_colours = pytest.mark.parametrize("declare", [declare_async, declare_sync])


@both_colours
def test_a_decorated_function_is_a_route_and_its_schema_shows_nothing_injected(
    stage: Stage, declare: Callable[[Stage], Callable[..., Any]]
) -> None:
    answer = declare(stage)
    assert [*inspect.signature(answer).parameters] == ["kind", "prompt", "x_token"]
    with TestClient(stage.app) as client:
        schema = client.get("/openapi.json").json()
        operation = schema["paths"]["/answer/{kind}"]["get"]
        assert [each["name"] for each in operation["parameters"]] == ["kind", "prompt", "x-token"]
        assert "requestBody" not in operation
        assert operation["summary"] == "Answer"
        assert operation["description"] == "Answer a prompt."
        for word in ("config", "temperature", "Config"):
            assert word not in str(schema)


@both_colours
def test_what_a_client_sends_under_the_name_of_a_parameter_of_ours_is_nothing(
    stage: Stage, declare: Callable[[Stage], Callable[..., Any]]
) -> None:
    declare(stage)
    forged = {"config": "small", "temperature": "9", "config.model": "small", "kwargs": "{}"}
    with TestClient(stage.app) as client:
        response = client.get(
            "/answer/short", params={"prompt": "hi", **forged}, headers={"x-token": "t", **forged}
        )
        answered = response.json()
        assert client.get("/answer/too-long").status_code == 422
        assert client.get("/answer/short", params={"prompt": "h"}).status_code == 422
    assert answered == {"model": "large", "t": 0.7, "kind": "short", "token": "t"}
    assert stage.seen() == [("large", "hi"), ("small", "hi")]


@both_colours
def test_the_same_function_may_be_called_beside_its_route(
    stage: Stage, declare: Callable[[Stage], Callable[..., Any]]
) -> None:
    answer = declare(stage)

    @stage.app.get("/both")
    async def both() -> list[str]:
        direct = answer("direct", prompt="hi")
        direct = await direct if inspect.isawaitable(direct) else direct
        called = await stage.runtime.call(answer, "called")
        return [direct["kind"], called["kind"]]

    with TestClient(stage.app) as client:
        assert client.get("/both").json() == ["direct", "called"]
        assert client.get("/answer/route").json()["kind"] == "route"
    assert len(stage.played) == 6


def test_a_body_cannot_carry_a_config(stage: Stage) -> None:
    @stage.app.post("/items/{place}")
    @stage.runtime.experiment
    async def add(place: int, item: Item, config: Config, urgent: bool = False) -> dict[str, Any]:
        stage.played.append((config.model, item.name))
        return {"place": place, "item": item.model_dump(), "by": config.model, "urgent": urgent}

    item = {"name": "chair", "config": {"model": "small"}}
    with TestClient(stage.app) as client:
        body = {**item, "item": item, "config": {"model": "small"}}
        answered = client.post("/items/3", params={"config": "1", "urgent": "1"}, json=body).json()
        assert client.post("/items/3", json={"item": item, "config": TWO[1]}).status_code == 422
        schema = client.get("/openapi.json").json()
    assert answered == {
        "place": 3,
        "item": {"name": "chair", "price": 1.0},
        "by": "large",
        "urgent": True,
    }
    assert stage.seen() == [("large", "chair"), ("small", "chair")]
    body_of = schema["paths"]["/items/{place}"]["post"]["requestBody"]["content"]
    assert body_of["application/json"]["schema"] == {"$ref": "#/components/schemas/Item"}


def test_what_fastapi_itself_injects_reaches_every_branch(stage: Stage) -> None:
    opened: list[str] = []

    async def session(request: Request) -> AsyncIterator[str]:
        opened.append("open")
        yield f"session of {request.url.path}"
        opened.append("closed")

    @stage.app.get("/work")
    @stage.runtime.experiment
    async def work(
        request: Request,
        response: Response,
        tasks: BackgroundTasks,
        session: Annotated[str, Depends(session)],
        config: Config,
    ) -> str:
        stage.played.append((config.model, session))
        if config.model == "large":
            response.headers["x-model"] = config.model
            tasks.add_task(stage.played.append, ("background", request.method))
        return session

    with TestClient(stage.app) as client:
        response = client.get("/work")
    assert response.json() == "session of /work"
    assert response.headers["x-model"] == "large"
    assert opened == ["open", "closed"]
    assert stage.seen() == [
        ("background", "GET"),
        ("large", "session of /work"),
        ("small", "session of /work"),
    ]


def test_experiments_may_be_dependencies_and_background_tasks_themselves(stage: Stage) -> None:
    @stage.runtime.experiment
    async def user(config: Config, name: str = "nobody") -> str:
        return f"{name} for {config.model}"

    @stage.runtime.experiment
    def place(config: Config, zone: str = "home") -> str:
        return f"{zone} for {config.model}"

    @stage.runtime.experiment
    async def after(what: str, config: Config) -> None:
        stage.played.append((config.model, what))

    @stage.runtime.experiment
    def after_sync(what: str, config: Config) -> None:
        stage.played.append((config.model, what))

    @stage.app.get("/")
    async def root(
        tasks: BackgroundTasks,
        user: Annotated[str, Depends(user)],
        place: Annotated[str, Depends(place)],
    ) -> list[str]:
        tasks.add_task(after, "async")
        tasks.add_task(after_sync, what="sync")
        return [user, place]

    with TestClient(stage.app) as client:
        answered = client.get("/", params={"name": "ann", "zone": "work", "config": "small"})
        parameters = client.get("/openapi.json").json()["paths"]["/"]["get"]["parameters"]
    assert answered.json() == ["ann for large", "work for large"]
    assert sorted(each["name"] for each in parameters) == ["name", "zone"]
    assert stage.seen() == [
        ("large", "async"),
        ("large", "sync"),
        ("small", "async"),
        ("small", "sync"),
    ]


def test_a_dependency_with_a_yield_stays_the_users(stage: Stage) -> None:
    """A generator that FastAPI plays calls an experiment; it is none itself."""

    @stage.runtime.experiment
    async def connect(config: Config) -> str:
        return str(config.model)

    async def connection() -> AsyncIterator[str]:
        yield await connect()

    @stage.app.get("/")
    @stage.runtime.experiment
    async def root(connection: Annotated[str, Depends(connection)], config: Config) -> str:
        case = current_experiment_case.get()
        return f"{connection} {case.config.model}"

    with TestClient(stage.app) as client:
        assert client.get("/").json() == "large large"


def test_a_shadow_outlives_what_belongs_to_the_request(stage: Stage) -> None:
    """The page says so: it must not touch what a dependency opened, and what it adds really runs."""
    over = anyio.Event()

    async def session() -> AsyncIterator[list[str]]:
        opened = ["open"]
        yield opened
        opened[:] = ["closed"]
        over.set()

    @stage.app.get("/")
    @stage.runtime.experiment
    async def root(
        session: Annotated[list[str], Depends(session)], tasks: BackgroundTasks, config: Config
    ) -> str:
        tasks.add_task(stage.played.append, ("background", config.model))
        if config.model == "small":
            await over.wait()
        stage.played.append((config.model, session[0]))
        await anyio.lowlevel.checkpoint()  # the shadow begins
        return "answer"

    with TestClient(stage.app) as client:
        assert client.get("/").json() == "answer"
    assert stage.seen() == [
        ("background", "large"),
        ("background", "small"),
        ("large", "open"),
        ("small", "closed"),
    ]


def test_methods_of_an_object_are_routes(stage: Stage) -> None:
    class Shop:
        def __init__(self, name: str) -> None:
            self.name = name
            self.router = APIRouter(prefix=f"/{name}")
            self.router.add_api_route("/{item}", self.buy, methods=["GET"])
            self.router.add_api_route("/{item}", self.sell, methods=["POST"])

        @stage.runtime.experiment(name="buy")
        async def buy(self, item: str, config: Config) -> str:
            return f"{self.name} buys {item} by {config.model}"

        @stage.runtime.experiment(name="sell")
        def sell(self, item: str, config: Config) -> str:
            return f"{self.name} sells {item} by {config.model}"

    shops = [Shop("north"), Shop("south")]
    for shop in shops:
        stage.app.include_router(shop.router)
    with TestClient(stage.app) as client:
        assert client.get("/north/tea").json() == "north buys tea by large"
        assert client.post("/south/tea").json() == "south sells tea by large"
        schema = client.get("/openapi.json").json()["paths"]["/north/{item}"]["get"]
    assert [each["name"] for each in schema["parameters"]] == ["item"]
    statistics = stage.runtime.statistics()
    assert [case.ok for name in ("buy", "sell") for case in statistics[name].cases] == [1] * 4


def test_class_based_endpoints_keep_their_dependencies(stage: Stage) -> None:
    """The recipe of a class as a dependency, with a decorated method that handles the request."""

    class Pages:
        def __init__(self, page: int = 1) -> None:
            self.page = page

        @stage.runtime.experiment
        async def fetch(self, config: Config) -> str:
            return f"page {self.page} by {config.model}"

    @stage.app.get("/pages")
    async def pages(pages: Annotated[Pages, Depends()]) -> str:
        return str(await pages.fetch())

    with TestClient(stage.app) as client:
        assert client.get("/pages", params={"page": 7, "config": "x"}).json() == "page 7 by large"


@both_colours
def test_the_primarys_errors_are_the_frameworks_and_a_shadows_are_nobodys(
    stage: Stage, declare: Callable[[Stage], Callable[..., Any]]
) -> None:
    is_async = declare is declare_async

    def refuse(config: Config, who: str) -> str:
        if config.model == who:
            raise HTTPException(418, detail=f"not by {who}")
        return "fine"

    async def refuse_async(config: Config, who: str) -> str:
        return refuse(config, who)

    handler = stage.runtime.experiment(name="refuse")(refuse_async if is_async else refuse)
    stage.app.get("/refuse")(handler)
    with TestClient(stage.app) as client:
        by_lead = client.get("/refuse", params={"who": "large"})
        by_shadow = client.get("/refuse", params={"who": "small"})
    assert (by_lead.status_code, by_lead.json()) == (418, {"detail": "not by large"})
    assert (by_shadow.status_code, by_shadow.json()) == (200, "fine")
    cases = stage.runtime.statistics()["refuse"].cases
    assert [(case.ok, case.error) for case in cases] == [(1, 1), (1, 1)]


def test_a_websocket_calls_experiments_and_may_be_one(stage: Stage) -> None:
    @stage.runtime.experiment
    async def answer(text: str, config: Config) -> str:
        return f"{config.model}: {text}"

    @stage.app.websocket("/talk")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(await answer(text))

    @stage.app.websocket("/led/{name}")
    @stage.runtime.experiment(configs=TWO[:1])
    async def led(socket: WebSocket, name: str, config: Config) -> None:
        await socket.accept()
        await socket.send_text(f"{config.model} {name}")
        await socket.close()

    with TestClient(stage.app) as client:
        with client.websocket_connect("/talk") as socket:
            for text in ("one", "two"):
                socket.send_text(text)
                assert socket.receive_text() == f"large: {text}"
        with client.websocket_connect("/led/me?config=small") as socket:
            assert socket.receive_text() == "large me"


def test_what_a_middleware_sets_is_seen_by_primaries_and_shadows(stage: Stage) -> None:
    @stage.app.middleware("http")
    async def identify(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        REQUEST.set(request.headers["x-request"])
        return await call_next(request)

    def note(config: Config, colour: str) -> str:
        stage.played.append((config.model, (colour, REQUEST.get())))
        REQUEST.set(f"set by {config.model}")
        return REQUEST.get()

    @stage.app.get("/async")
    @stage.runtime.experiment
    async def on_the_loop(config: Config) -> str:
        return note(config, "async")

    @stage.app.get("/sync")
    @stage.runtime.experiment
    def in_a_thread(config: Config) -> str:
        return note(config, "sync")

    with TestClient(stage.app) as client:
        for number, path in enumerate(["/async", "/sync", "/async", "/sync"]):
            told = client.get(path, headers={"x-request": str(number)}).json()
            assert told == "set by large"
    assert stage.seen() == sorted(
        (model, (colour, str(number)))
        for model in ("large", "small")
        for number, colour in enumerate(["async", "sync", "async", "sync"])
    )


def test_a_response_model_and_all_results_of_a_multi_branch_call(stage: Stage) -> None:
    @stage.runtime.experiment(strategy=MultiBranchStrategy())
    async def offer(name: str, config: Config) -> Item:
        return Item(name=f"{name} by {config.model}")

    @stage.app.get("/offers")
    async def offers(name: str) -> list[Item]:
        return [each.unwrap() for each in await offer(name)]

    with TestClient(stage.app) as client:
        assert [each["name"] for each in client.get("/offers?name=tea").json()] == [
            "tea by large",
            "tea by small",
        ]


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def test_shadows_that_hang_take_nothing_from_the_threads_of_the_framework(
    gate: threading.Event,
) -> None:
    stage = Stage(strategy=ShadowStrategy(limit=45))
    free: list[float] = []

    @stage.app.get("/work")
    @stage.runtime.experiment(name="work")
    def work(config: Config) -> str:
        if config.model == "small":
            gate.wait(30)
        return str(config.model)

    @stage.app.get("/threads")
    async def threads() -> float:
        limiter = anyio.to_thread.current_default_thread_limiter()
        free.append(limiter.available_tokens)
        return limiter.total_tokens

    with TestClient(stage.app) as client:
        total = client.get("/threads").json()
        assert [client.get("/work").json() for _ in range(50)] == ["large"] * 50
        assert client.get("/threads").json() == total
        assert free == [total, total]  # more shadows hang than the framework has threads
        assert stage.runtime.statistics()["work"]["small-0"].in_flight == 45
        gate.set()
    small = stage.runtime.statistics()["work"]["small-0"]
    assert (small.planned, small.ok, small.shed) == (50, 45, 5)


def test_leads_that_are_awaited_take_no_thread_of_the_framework_either(
    gate: threading.Event,
) -> None:
    stage = Stage()
    busy: list[float] = []

    @stage.runtime.experiment(name="work", configs=TWO[:1])
    def work(config: Config) -> str:
        gate.wait(30)
        return str(config.model)

    @stage.app.get("/work")
    async def awaited() -> str:
        limiter = anyio.to_thread.current_default_thread_limiter()
        async with anyio.create_task_group() as group:
            for _ in range(45):
                group.start_soon(stage.runtime.call, work)
            while stage.runtime.statistics()["work"][0].in_flight < 45:
                await anyio.lowlevel.checkpoint()
            busy.append(limiter.borrowed_tokens)
            gate.set()
        return "large"

    with TestClient(stage.app) as client:
        assert client.get("/work").json() == "large"
    assert busy == [0]
    assert stage.runtime.statistics()["work"][0].ok == 45


@both_colours
def test_a_pinned_config_and_a_replaced_dependency_work_as_in_any_test(
    stage: Stage, declare: Callable[[Stage], Callable[..., Any]]
) -> None:
    answer = declare(stage)

    @stage.app.get("/depends/{kind}")
    async def depends(answered: Annotated[dict[str, Any], Depends(answer)]) -> Any:
        return answered["model"]

    with TestClient(stage.app) as client:
        with stage.runtime.force(answer, "small-0"):
            assert client.get("/answer/x").json()["model"] == "small"
        assert client.get("/depends/x").json() == "large"
        stage.app.dependency_overrides[answer] = lambda: {"model": "fake"}
        assert client.get("/depends/x").json() == "fake"


def test_the_lifespan_starts_and_drains_the_runtime_again_and_again(stage: Stage) -> None:
    declare_async(stage)
    for round_ in (1, 2, 3):
        with TestClient(stage.app) as client:
            assert client.get("/answer/x").json()["model"] == "large"
        assert [case.ok for case in stage.runtime.statistics()["answer"].cases] == [round_] * 2

"""Requests made up from the server's own description of itself: right ones, and wrong ones."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.server.hostile import SECRET
from tests.server.serving import Served, served
from tests.server.test_hostile import Target
from understudy.server._openapi import description  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

EXAMPLES = 8
"""How many requests of each kind are made for each address."""
DESCRIPTION: Any = description()
CHECKS: Any = HealthCheck
FOUND: Any = schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations()
OPERATIONS: list[Any] = [found.ok() for found in FOUND]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    many: dict[str, Any] = {"rate": 1e6, "burst": 10**6, "failures": 1e6, "failures_burst": 10**6}
    with served(tmp_path_factory.mktemp("described"), **many) as it, closing(Target(it)) as found:
        yield found


def secret_of(it: Served) -> list[Any]:
    """Return all that is told of the project with the secret."""
    with it.client() as client:
        at = "/projects/secret/runs"
        return [client.get(f"{at}{path}").text for path in ("", "/s1", "/s1/log", "/s1/files/f1")]


def ways() -> Iterator[Any]:
    """Yield each thing that can be asked for, asked rightly, and wrongly if that can be done."""
    for operation in OPERATIONS:
        raw = operation.definition.raw
        for mode in GenerationMode:
            if mode is GenerationMode.POSITIVE or raw["parameters"] or "requestBody" in raw:
                yield pytest.param(operation, mode, id=f"{operation.label} {mode.value}")


@pytest.mark.parametrize(("operation", "mode"), [*ways()])
def test_the_server_does_what_it_says_and_no_more(
    target: Target, operation: Any, mode: GenerationMode
) -> None:
    own = {"project": "mine", "run": "r1", "file": "f1", "metric": "train", "path": "run.json"}
    names = {name: value for name, value in own.items() if f"{{{name}}}" in operation.path}
    secret = secret_of(target.it)
    client = httpx2.Client(base_url=target.it.address, timeout=30)

    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            case.path_parameters = {**(case.path_parameters or {}), **names}
        for token in target.tokens.values():
            before = target.state()
            headers = {"Authorization": f"Bearer {token}"}
            try:
                request = case.as_transport_kwargs(base_url=target.it.address, headers=headers)
            except (ValueError, UnicodeError):  # what cannot be sent over a wire
                return
            answer = _sent(client, request)
            if answer is None:
                return
            assert answer.status_code < 500, answer.text
            assert SECRET not in answer.text
            assert str(answer.status_code) in operation.definition.raw["responses"], answer.text
            if answer.status_code >= 400 or token == target.tokens["reader"]:
                assert target.state() == before

    strategy = operation.as_strategy(generation_mode=mode)
    fuzz: Any = settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=[*CHECKS],
    )  # fmt: skip
    made: Any = given(strategy)
    try:
        fuzz(made(ask))()
    finally:
        client.close()
    assert secret_of(target.it) == secret
    assert json.dumps(secret).count(SECRET) >= 4


def _sent(client: httpx2.Client, request: dict[str, Any]) -> httpx2.Response | None:
    """Send a request; None if it is none that can be sent."""
    known = ("method", "url", "headers", "params", "json", "data")
    given = {name: value for name, value in request.items() if name in known}
    if isinstance(given.get("data"), (bytes, str)):
        given["content"] = given.pop("data")
    try:
        return client.request(**given)
    except (httpx2.InvalidURL, httpx2.LocalProtocolError, ValueError, TypeError):
        return None

"""The document describes every route, and what is really answered fits it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from starlette.routing import Route

from sensor.api.alerts import AlertQuery
from sensor.api.app import socket_app, socket_endpoint
from sensor.api.client import RefusedError, Stream, ask
from sensor.api.openapi import DOCUMENT
from sensor.api.server import ApiServer, open_unix
from sensor.api.stream import EventStream
from sensor.api.view import TableQuery
from tests.unit.api.test_server import view_of
from tests.unit.samples import HOST, FakeEngine


def schema_of(path: str, media_type: str = "application/json") -> dict[str, Any]:
    answer = DOCUMENT["paths"][path]["get"]["responses"]["200"]
    return {**answer["content"][media_type]["schema"], "components": DOCUMENT["components"]}


def closed(schema: Any) -> Any:
    """Make a schema take no column that it does not describe."""
    if isinstance(schema, list):
        return list(map(closed, schema))
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(schema.get("properties"), dict) else inner


def check(answer: Any, schema: dict[str, Any]) -> None:
    jsonschema.validate(answer, closed(schema), jsonschema.Draft202012Validator)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    view = view_of(FakeEngine())
    with open_unix(tmp_path / "s") as listener:
        server = ApiServer([socket_endpoint(listener, view)])
        server.start()
        yield tmp_path / "s"
        server.stop()


def test_every_route_is_described_and_no_other() -> None:
    app = socket_app(view_of(FakeEngine()), EventStream(dict))
    assert {route.path for route in app.routes if isinstance(route, Route)} == set(DOCUMENT["paths"])


@pytest.mark.parametrize("question", ["status", "hosts", "flows", "alerts"])
def test_real_answers_fit(path: Path, question: str) -> None:
    answer = ask(path, question)
    assert answer
    check(answer, schema_of(f"/api/{question}"))


def test_a_hosts_page_fits(path: Path) -> None:
    page = ask(path, f"hosts/{HOST}")
    assert page["host"]
    assert page["flows"]
    assert page["alerts"]
    check(page, schema_of("/api/hosts/{address}"))


def test_samples_fit_the_first_and_the_next(path: Path) -> None:
    with Stream(path) as stream:
        events = iter(stream)
        for _ in range(2):
            check(next(events).data, schema_of("/api/stream", "text/event-stream"))


def test_a_column_that_is_missing_does_not_fit(path: Path) -> None:
    row = ask(path, "flows")[0]
    del row["local"]
    with pytest.raises(jsonschema.ValidationError, match="'local' is a required property"):
        check([row], schema_of("/api/flows"))


def test_a_column_that_is_not_described_does_not_fit(path: Path) -> None:
    row = ask(path, "flows")[0] | {"other": 1}
    with pytest.raises(jsonschema.ValidationError, match="'other' was unexpected"):
        check([row], schema_of("/api/flows"))


@pytest.mark.parametrize("question", ["status", "openapi.json", "hosts", "flows", "alerts"])
def test_refusals_are_described(path: Path, question: str) -> None:
    with pytest.raises(RefusedError, match="unknown parameter: other"):
        ask(path, question, other="1")
    assert "400" in DOCUMENT["paths"][f"/api/{question}"]["get"]["responses"]


def test_parameters_are_those_that_are_taken() -> None:
    for path, taken in (
        ("/api/hosts", TableQuery.PARAMETERS),
        ("/api/flows", TableQuery.PARAMETERS),
        ("/api/alerts", AlertQuery.PARAMETERS),
    ):
        assert {parameter["name"] for parameter in DOCUMENT["paths"][path]["get"]["parameters"]} == taken


def test_the_schemas_are_schemas_and_the_document_is_served(path: Path) -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert ask(path, "openapi.json") == json.loads(json.dumps(DOCUMENT))

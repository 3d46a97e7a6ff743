"""The OpenAPI document of the Unix socket. A test holds it against the routes and against real answers.

A later version may add columns: clients must take them.
"""

from sensor import __version__
from sensor.alerts.rules import Severity
from sensor.api.alerts import STATES
from sensor.api.stream import MOST_LISTENERS
from sensor.api.typed import Schema, columns_of
from sensor.api.view import DEFAULT_LIMIT, FEWEST_ROWS, MOST_ROWS
from sensor.engine import Counters
from sensor.identity.table import Machine, PastMachine

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_RATE: Schema = {"type": ["number", "null"], "description": "null in the first sample"}
_TAGS: Schema = {"type": "array", "items": _COUNT, "description": "VLAN tags, outermost first"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_ANY: Schema = {"type": "object"}


def _object(**columns: Schema) -> Schema:
    return {"type": "object", "required": list(columns), "properties": columns}


def _with(schema: Schema, **columns: Schema) -> Schema:
    """Add columns that need not be there."""
    return {**schema, "properties": {**schema["properties"], **columns}}


def _or_null(schema: Schema, text: str = "") -> Schema:
    either = {"type": [schema["type"], "null"]} if schema.keys() == {"type"} else {"anyOf": [schema, {"type": "null"}]}
    return {**either, "description": text} if text else either


def _columns(schema: Schema, *names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, schema)


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_BOTH_WAYS = ("bytes_out", "bytes_in", "bytes_out_per_second", "bytes_in_per_second")
_TOTALS = ("frames", "bytes", "kernel_dropped_frames")
_ALL_TOTALS = (*_TOTALS, "ring_dropped_frames", "flows_ended", "watchlist_hits")

_LAYER: Schema = {
    **_object(kind=_TEXT),
    "description": "the header's fields stand beside its kind: vlan, session, src_ip, dest_ip and others",
    "additionalProperties": True,
}
_FLOW = _object(
    **_columns(_COUNT, "flow_id", "orig_port", "resp_port", "start_ns", "last_ns"),
    **_columns(_COUNT, "orig_packets", "resp_packets", "orig_bytes", "resp_bytes"),
    **_columns(_COUNT, "orig_bytes_per_second", "resp_bytes_per_second"),
    **_columns(_TEXT, "community_id", "proto", "orig_ip", "resp_ip", "interface", "state"),
    **_columns(_or_null(_TEXT), "orig_mac", "resp_mac", "tunnel", "app_proto", "name"),
    vlan=_TAGS,
    encapsulation={"type": "array", "items": _LAYER, "description": "what carried it, outermost first"},
    alerted=_FLAG,
    local={"enum": ["orig", "resp"], "description": "the internal end; of two alike the originator"},
)
_MACHINE = _object(**columns_of(Machine))
_SAID = {**columns_of(PastMachine)["users"], "description": "the last one last, at most 8"}
_PAST_MACHINE = {**columns_of(PastMachine), **_columns(_SAID, "users", "agents")}
_HOST = _object(
    **_PAST_MACHINE,
    **_columns(_COUNT, "peers", "flows", "packets_out", "packets_in", *_BOTH_WAYS),
    **_columns(_TEXT, "ip", "interface"),
    ports_served=_TEXTS,
    history={
        "type": "array",
        "items": _object(**_PAST_MACHINE),
        "description": "machines that had the address, the first one first",
    },
)
_REMOTE = _object(ip=_TEXT, **_columns(_COUNT, "hosts", "flows", *_BOTH_WAYS), ports=_TEXTS)
_VLAN = _object(vlan=_TAGS, **_columns(_COUNT, "hosts", "flows", *_BOTH_WAYS))
_ALERT = _with(
    _object(
        **_columns(_TEXT, "id", "rule", "host", "indicator", "opened", "last_seen"),
        last_seen_ns=_COUNT,
        severity={"enum": [severity.word for severity in Severity]},
        closed=_or_null(_TEXT, "null while it is open"),
        machine=_or_null(_MACHINE, "who the host was when it was last seen"),
        evidence={"type": "array", "items": _TEXT, "description": "captures of its packets, in evidence.directory"},
    ),
    # By the rule, what it has counted.
    **_columns(_TEXT, "remote", "stage", "list", "text"),
    **_columns(_COUNT, "contacts", "connections", "servers", "rejects", "count"),
    **_columns(_COUNT, "packets_out", "packets_in", "bytes_out", "bytes_in"),
    **_columns({"type": "number", "minimum": 0}, "interval_seconds", "jitter_ratio"),
)
_FRAMES_OF_SOURCE = ("frames", "sequence_lost_frames", "sequence_late_frames", "truncated_frames", "merged_frames")
_TCP_OF_SOURCE = ("tcp_flows", "tcp_one_sided_flows", "tcp_acknowledged_bytes", "tcp_unseen_bytes")
_SOURCE = _object(
    **_columns(_TEXT, "source", "interface"),
    **_columns(_or_null(_TEXT, "null where the mirror is not tunnelled"), "encapsulation", "origin"),
    session={"type": ["integer", "null"], "minimum": 0},
    **_columns(_COUNT, "bytes", "bits_per_second", *_FRAMES_OF_SOURCE, *_TCP_OF_SOURCE),
    duplicate_frames={"type": "object", "additionalProperties": _COUNT, "description": "by kind of copy"},
    vlans={"type": "array", "items": _COUNT},
)
_PLACE = _object(
    **_columns(_TEXT, "source", "switch", "port", "protocol"),
    description=_or_null(_TEXT),
    vlan=_or_null(_COUNT),
    last_seen_ns=_COUNT,
)
_MIRROR = _object(
    verdict={"enum": ["ok", "degraded", "blind"]},
    reasons={"type": "array", "items": _object(**_columns(_TEXT, "rule", "source", "text"), blind=_FLAG, figures=_ANY)},
    sources={"type": "array", "items": _SOURCE},
    places={"type": "array", "items": _PLACE, "description": "switch ports that the mirror hangs on"},
)
_STATUS = _with(
    _object(
        **_columns(_TEXT, "version", "started"),
        healthy=_FLAG,
        problems=_TEXTS,
        alerts=_object(**_columns(_COUNT, "open", "opened", "suppressed")),
        evidence=_or_null(
            _object(
                **_columns(_COUNT, "bytes", "captures", "waiting", "cut", "deleted"),
                missed={"type": "object", "additionalProperties": _COUNT, "description": "by reason"},
            )
        ),
        **{name: columns_of(Counters)[name] for name in Counters.__required_keys__},
    ),
    **{name: columns_of(Counters)[name] for name in Counters.__optional_keys__},
)
_STATUS["properties"]["mirror"] = {"$ref": "#/components/schemas/Mirror"}
_SAMPLE = _object(
    time_ns=_COUNT,
    healthy=_FLAG,
    problems=_TEXTS,
    active=_object(**_columns(_COUNT, "flows", "hosts")),
    totals=_object(**_columns(_COUNT, *_ALL_TOTALS)),
    rates=_object(**_columns(_RATE, *(f"{column}_per_second" for column in _ALL_TOTALS))),
    interfaces={
        "type": "array",
        "items": _object(
            **_columns(_TEXT, "name", "state"),
            **_columns(_COUNT, *_TOTALS),
            **_columns(_RATE, *(f"{column}_per_second" for column in _TOTALS)),
        ),
    },
    mirror={"$ref": "#/components/schemas/Mirror"},
    flows=_list_of("Flow"),
    hosts=_list_of("Host"),
    remotes=_list_of("Remote"),
    vlans=_list_of("Vlan"),
    alerts=_object(open=_COUNT, changed=_list_of("Alert")),
)
_HOST_PAGE = _object(
    address=_TEXT,
    host=_or_null({"$ref": "#/components/schemas/Host"}, "null if it is not internal or was not seen"),
    flows=_list_of("Flow"),
    alerts=_list_of("Alert"),
)


def _parameter(name: str, text: str, schema: Schema, place: str = "query") -> Schema:
    return {"name": name, "in": place, "required": place == "path", "description": text, "schema": schema}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


_REFUSALS = {"400": "what is wrong with the question", "500": "the sensor failed to answer"}


def _get(text: str, content: Schema, parameters: tuple[Schema, ...] = (), **errors: str) -> Schema:
    is_json = "application/json" in content
    problem = content if "text/plain" in content else _json({"$ref": "#/components/schemas/Error"})
    answers: Schema = {"200": {"description": "the answer", "content": content}}
    refusals = {**(_REFUSALS if is_json else {}), **errors}
    answers |= {status.lstrip("_"): {"description": why, "content": problem} for status, why in refusals.items()}
    return {"get": {"summary": text, "parameters": list(parameters), "responses": answers}}


def _plain() -> Schema:
    return {"text/plain": {"schema": _TEXT}}


_LIMIT = _parameter(
    "limit",
    "rows at most",
    {"type": "integer", "minimum": FEWEST_ROWS, "maximum": MOST_ROWS, "default": int(DEFAULT_LIMIT)},
)
_FILTER = _parameter(
    "filter", "terms separated by spaces, all must fit: address, network, port, protocol, vlan:ID", _TEXT
)
_FLOW_ORDERS = ["rate", "bytes", "packets", "start", "last"]


def _order(*words: str) -> Schema:
    return _parameter("order", "what comes first, the largest", {"enum": list(words), "default": words[0]})


_ALERT_PARAMETERS = (
    _parameter("state", "open, closed or all; the latest closed are remembered", {"enum": STATES, "default": "open"}),
    _parameter("since", "seen since: a duration back from now such as 2h, or an RFC 3339 time", _TEXT),
    _parameter("rule", "a rule's name, or its part before the dot", _TEXT),
    _parameter("severity", "this severe or more", {"enum": [severity.word for severity in Severity]}),
    _parameter("host", "address or network of the host or of the remote", _TEXT),
    _order("last", "opened", "severity"),
    _LIMIT,
)
_STREAM = (
    "One sample a second as a server-sent event `sample`. Ids count up by one; a gap says that the client was slow and "
    "lost samples. The first sample's rates are null."
)

DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {
        "title": "spanwatch",
        "version": __version__,
        "description": "What the running sensor answers on its Unix socket. Times in `_ns` are nanoseconds since 1970.",
    },
    "paths": {
        "/healthz": _get("whether every worker advances", _plain(), _503="a worker stands still"),
        "/metrics": _get("metrics for Prometheus", _plain()),
        "/api/openapi.json": _get("this document", _json(_ANY)),
        "/api/status": _get("how the sensor is", _json({"$ref": "#/components/schemas/Status"})),
        "/api/hosts": _get(
            "internal hosts", _json(_list_of("Host")), (_FILTER, _order(*_FLOW_ORDERS, "flows", "peers"), _LIMIT)
        ),
        "/api/hosts/{address}": _get(
            "one address with its connections and incidents",
            _json({"$ref": "#/components/schemas/HostPage"}),
            (_parameter("address", "IPv4 or IPv6 address", _TEXT, "path"),),
            _404="nothing is known of it",
        ),
        "/api/flows": _get("live connections", _json(_list_of("Flow")), (_FILTER, _order(*_FLOW_ORDERS), _LIMIT)),
        "/api/alerts": _get("incidents", _json(_list_of("Alert")), _ALERT_PARAMETERS),
        "/api/stream": _get(
            _STREAM,
            {"text/event-stream": {"schema": {"$ref": "#/components/schemas/Sample"}}},
            _503=f"{MOST_LISTENERS} clients listen already, or the sensor stops",
        ),
    },
    "components": {
        "schemas": {
            "Status": _STATUS,
            "Host": _HOST,
            "HostPage": _HOST_PAGE,
            "Flow": _FLOW,
            "Remote": _REMOTE,
            "Vlan": _VLAN,
            "Alert": _ALERT,
            "Mirror": _MIRROR,
            "Sample": _SAMPLE,
            "Error": _object(error=_TEXT),
        }
    },
}

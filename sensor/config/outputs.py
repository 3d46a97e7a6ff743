"""Keys of everything that leaves the sensor: event log, stores, local interface, metrics."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from sensor.config.fields import ConfiguredPath, Duration, Listen, ListenAddress, Many, Size, SocketPath
from sensor.config.section import LATER, Section
from sensor.config.units import GIB

EveType = Literal[
    "alert", "flow", "dns", "tls", "quic", "http", "ssh", "smtp", "pop3", "imap", "login", "stats", "anomaly"
]

_EVE_TYPES: tuple[EveType, ...] = (
    "alert", "flow", "dns", "tls", "quic", "http", "smtp", "pop3", "imap", "stats", "anomaly",
)  # fmt: skip


class Eve(Section):
    """The event log, one JSON object a line."""

    path: ConfiguredPath | None = Field(
        default=Path("/var/log/spanwatch/eve.json"), description="The event log. null: none."
    )
    types: Many[EveType] = Field(
        default=_EVE_TYPES,
        description="Event types that are written; ssh and login can be added.",
    )


class History(Section):
    """The searchable past: records as Parquet files. Whatever limit is met first deletes the oldest hour."""

    enabled: bool = Field(
        default=True, description="Whether it is kept; by `read` only where the configuration has this group."
    )
    directory: ConfiguredPath = Field(
        default=Path("/var/lib/spanwatch/history"), description="Where the files lie; one sensor a directory."
    )
    max_age: Duration = Field(
        default=90 * 86_400.0,
        description="Age of a record, counted from the newest one (duration). 0: no limit. The hourly sums of flows "
        "count as if they had a quarter of their age, here and when room is made.",
    )
    max_size: Size = Field(default=20 * GIB, description="Size of all files together (size).")
    min_free: Size = Field(default=10 * GIB, description="Space that stays free on the disk (size). 0: none.")


class Evidence(Section):
    """Packets of incidents, cut out of the ring. The ring's `min_free` holds for them, too."""

    directory: ConfiguredPath = Field(default=Path("/var/lib/spanwatch/evidence"), description="Where they lie.")
    max_size: Size = Field(
        default=5 * GIB,
        description="Size of all files together (size). The oldest go first; one has at most an eighth of it, and"
        " 256MiB. 0: none are kept.",
    )
    before: Duration = Field(default=300.0, description="How much before the incident is kept (duration).")
    after: Duration = Field(default=60.0, description="How much after the incident is kept (duration).")


class Tls(Section):
    """Certificate of a server."""

    certificate: ConfiguredPath = Field(description="PEM file with the certificate and its chain.")
    key: ConfiguredPath = Field(description="PEM file with the private key.")


class Api(Section):
    """What `spanwatch status`, `hosts`, `flows`, `alerts` and `top` ask."""

    socket: SocketPath | None = Field(default=Path("/run/spanwatch/api.sock"), description="Unix socket. null: none.")
    listen: Listen | None = Field(
        default=None, description="Address and port. Not available in this version: leave it null."
    )
    tls: Tls | None = Field(default=None, description=LATER)
    token_file: ConfiguredPath | None = Field(default=None, description=LATER)

    @field_validator("listen")
    @classmethod
    def _cannot_listen(cls, value: object) -> object:
        if value is not None:
            raise ValueError("not available in this version; write null and use api.socket")
        return value


class Metrics(Section):
    """Metrics for Prometheus, under `/metrics`."""

    listen: Listen | None = Field(
        default=ListenAddress("127.0.0.1", 9669),
        description="Address and port. Beyond loopback, `tls` and `token_file` are required. null: no metrics.",
    )
    tls: Tls | None = Field(default=None, description="Certificate, for HTTPS. null: plain HTTP.")
    token_file: ConfiguredPath | None = Field(
        default=None, description="File whose content is the bearer token. null: no token."
    )

    @model_validator(mode="after")
    def _guarded_beyond_loopback(self) -> "Metrics":
        if self.listen and not self.listen.is_loopback and not (self.tls and self.token_file):
            raise ValueError(f"{self.listen} is open to others: give tls and token_file, or listen on 127.0.0.1")
        return self

"""Keys of lists, thresholds and alerts."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from sensor.alerts.rules import BY_NAME
from sensor.config.fields import (
    ConfiguredNetwork,
    ConfiguredNetworkOrDomain,
    ConfiguredPath,
    Count,
    Expiry,
    Interval,
    Many,
    Port,
    Rate,
    Ratio,
    Size,
    VlanId,
    between,
)
from sensor.config.section import Section
from sensor.config.units import KIB

ListFormat = Literal[
    "auto",
    "plain",
    "csv",
    "yaml",
    "hosts",
    "adblock",
    "zeek",
    "threatfox",
    "feodo",
    "urlhaus",
    "spamhaus",
    "misp",
    "stix",
    "suricata-iprep",
    "suricata-dataset",
]
"""What a list can be written in; docs/watchlists.md describes each."""


class WatchlistSource(Section):
    """One file of indicators, or a glob of files; the stem of a file's name is the name of its list."""

    path: ConfiguredPath = Field(description="File or glob. A glob may match nothing, a file must be there.")
    format: ListFormat = Field(
        default="auto",
        description=f"One of {', '.join(f'`{name}`' for name in get_args(ListFormat))}; `auto` goes by the content, "
        "docs/watchlists.md describes the others.",
    )
    severity: Annotated[int, AfterValidator(between(1, 4))] = Field(
        default=1, description="Severity of entries that bring none: 1 high, 2 medium, 3 low, 4 info."
    )
    allow_empty: bool = Field(
        default=False,
        description="Whether the list may become empty or lose more than half of its entries at once; "
        "else the last good one serves on.",
    )

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, value: object) -> object:
        return {"path": value} if isinstance(value, str) else value


class Mirror(Section):
    """When the mirror itself is in doubt."""

    expected_vlans: Many[VlanId] = Field(
        default=(), description="`mirror.degraded`: VLANs of which some frame should come each minute."
    )
    expected_subnets: Many[ConfiguredNetwork] = Field(
        default=(), description="`mirror.degraded`: networks of which some host should show each minute."
    )
    port_speed: Rate | None = Field(
        default=None,
        description="`mirror.degraded`: speed of the observing port, such as 1Gbit/s; told when more than 95 % of it "
        "was in use in 3 seconds of a minute.",
    )
    silence: Interval = Field(default=60.0, description="`mirror.silent`: no frame for this long (duration).")


class Smtp(Section):
    """Bulk mail, judged for each internal host that is not in `networks.mail_servers`."""

    fanout_servers: Count = Field(default=5, description="`smtp.fanout`: distinct servers on port 25 in 10 minutes.")
    bulk_servers: Count = Field(
        default=20, description="`smtp.bulk`: distinct servers on ports 25, 465 and 587 in 10 minutes."
    )
    bulk_connections: Count = Field(default=30, description="`smtp.bulk`: connections in 10 minutes.")
    bulk_connections_hour: Count = Field(default=300, description="`smtp.bulk`: connections in an hour.")
    reject_ratio: Ratio = Field(
        default=0.3, description="`smtp.rejects`: share of connections that the server ended early, up to 1."
    )
    reject_connections: Count = Field(default=20, description="`smtp.rejects`: connections at least, in 10 minutes.")
    reject_seconds: Interval = Field(
        default=5.0, description="`smtp.rejects`: an end by the server within this time is early (duration)."
    )
    reject_bytes: Annotated[Size, AfterValidator(between(1))] = Field(
        default=KIB, description="`smtp.rejects`: an end by the server before the host sent this much is early (size)."
    )
    bulk_messages: Count = Field(default=100, description="`smtp.bulk`: mails that can be read, in 10 minutes.")
    bulk_recipients: Count = Field(
        default=200, description="`smtp.bulk`: distinct recipients of mails that can be read, in 10 minutes."
    )
    reject_recipients: Count = Field(
        default=20,
        description="`smtp.rejects`: recipients at least, in 10 minutes; `reject_ratio` of them are refused for good.",
    )


class Mail(Section):
    """Mail from outside, judged by what it says (docs/mail.md)."""

    campaign_recipients: Count = Field(
        default=20, description="`mail.campaign`: distinct recipients of one sender, text or subject in the window."
    )
    campaign_window: Interval = Field(
        default=86_400.0, description="`mail.campaign`: time in which mails are counted together (duration)."
    )
    outlier_mails: Count = Field(
        default=50, description="`mail.campaign`: mails in the window from which on a sender may be an outlier."
    )
    outlier_ratio: Annotated[int, AfterValidator(between(2, 1000))] = Field(
        default=10, description="`mail.campaign`: how many times as many mails as the next sender's make an outlier."
    )
    trusted_senders: Many[ConfiguredNetwork] = Field(
        default=(),
        description="`mail.spoofed-sender`: addresses outside that may send as the own domains, such as a service that "
        "writes for you.",
    )


class Web(Section):
    """Attacks on `networks.web_servers`, or on every internal server if that is empty; docs/web.md describes them."""

    rules: Many[ConfiguredPath] = Field(
        default=(),
        description="Files or globs of further rules, in the form of the sensor's own; a reload reads them again.",
    )
    scanner_paths: Annotated[int, AfterValidator(between(1, 512))] = Field(
        default=30, description="`web.scanner`: distinct paths that were refused in 10 minutes, 1 to 512."
    )
    scanner_ratio: Ratio = Field(
        default=0.5, description="`web.scanner`: share of the source's requests that were refused, up to 1."
    )
    scanner_attacks: Annotated[int, AfterValidator(between(1, 512))] = Field(
        default=10, description="`web.scanner`: distinct paths and parameters with attacks in 10 minutes, 1 to 512."
    )
    login_failures: Count = Field(
        default=10,
        description="`web.bruteforce`, `mail.bruteforce`: failed logins of one source at one server in 10 minutes.",
    )


QUIET_DOMAINS = (
    "push.apple.com",
    "mtalk.google.com",
    "connectivitycheck.gstatic.com",
    "captive.apple.com",
    "msftconnecttest.com",
    "detectportal.firefox.com",
    "connectivity-check.ubuntu.com",
    "wns.windows.com",
    "windowsupdate.com",
    "update.microsoft.com",
    "ocsp.digicert.com",
)
"""Push services, connectivity checks, updates and certificate status: regular by design, on every desk."""

QUIET_PORTS = (53, 110, 123, 143, 853, 993, 995, 5223, 5228)
"""Name look-ups, the time, mail polling and the push services of phones."""


class Beacon(Section):
    """Beacons: calls of an internal host to an outside remote end at a machine's pace."""

    calls: Annotated[int, AfterValidator(between(6, 64))] = Field(
        default=20, description="`host.beacon`: calls at least, 6 to 64; connections side by side are one."
    )
    span: Interval = Field(default=1800.0, description="`host.beacon`: how long the pace must have lasted (duration).")
    jitter: Ratio = Field(
        default=0.25,
        description="`host.beacon`: median deviation of the intervals from their median, as a share of it, at most. "
        "An even jitter of 30 % gives 0.15, chance about 0.7.",
    )
    fit: Ratio = Field(
        default=0.9,
        description="`host.beacon`: share of intervals near a beat, or near two to four where calls were missed. "
        "Chance gives about 0.5.",
    )
    call_size: Annotated[Size, AfterValidator(between(1))] = Field(
        default=128 * KIB, description="`host.beacon`: both directions of a call at most, in the median (size)."
    )
    popular_hosts: Count = Field(
        default=10,
        description="`host.beacon`: a remote end that so many hosts call, or half of all and three at least, is a "
        "service.",
    )
    ignore: Many[ConfiguredNetworkOrDomain] = Field(
        default=QUIET_DOMAINS,
        description="`host.beacon`: networks and domains (with all that lies in them) that may be called at any pace, "
        "such as those of monitoring. What is given replaces the default. networks.mail_servers are ignored as well.",
    )
    ignore_ports: Many[Port] = Field(
        default=QUIET_PORTS, description="`host.beacon`: ports of remote ends that may be called at any pace."
    )


class Detect(Section):
    """Thresholds."""

    mirror: Mirror = Mirror()
    smtp: Smtp = Smtp()
    web: Web = Web()
    beacon: Beacon = Beacon()
    mail: Mail = Mail()


class Suppression(Section):
    """One kind of alert that is counted but not written. All that is given must fit."""

    rule: str | None = Field(default=None, description="Name of the rule, such as `smtp.fanout`.")
    host: ConfiguredNetwork | None = Field(default=None, description="Address or network of the internal host.")
    indicator: str | None = Field(default=None, description="The indicator, as the list writes it.")
    remote: ConfiguredNetwork | None = Field(default=None, description="Address or network of the other end.")
    until: Expiry | None = Field(
        default=None,
        description="When it ends: a date (its last second in UTC included) or a time with its zone. null: never.",
    )
    comment: str = Field(default="", description="Why, for whoever reads it next year.")

    @field_validator("rule")
    @classmethod
    def _known_rule(cls, value: str | None) -> str | None:
        if value is not None and value not in BY_NAME:
            near = get_close_matches(value, BY_NAME, 1)
            raise ValueError(f'no rule "{value}"' + (f"; did you mean {near[0]}?" if near else ""))
        return value

    @model_validator(mode="after")
    def _says_something(self) -> "Suppression":
        if not (self.rule or self.host or self.indicator or self.remote):
            raise ValueError("give a rule, host, indicator or remote; an empty entry would suppress every alert")
        return self


class Alerts(Section):
    """Alerts and incidents."""

    log: ConfiguredPath | None = Field(
        default=Path("/var/log/spanwatch/alerts.log"), description="The log for people. null: none."
    )
    state: ConfiguredPath = Field(
        default=Path("/var/lib/spanwatch/state"),
        description="Directory of what survives a restart: open incidents, and who hosts are.",
    )
    heartbeat: Interval = Field(default=60.0, description="Interval of the line that says the sensor lives (duration).")
    suppress: Many[Suppression] = Field(default=(), description="Alerts that are counted but not written.")

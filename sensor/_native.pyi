"""The Rust core: capture, pcap ring, decoding, flows, hosts, watchlists and the event log.

Every call releases the GIL while it works. Records leave as Arrow through the PyCapsule interface, numbers as JSON.
"""

from os import PathLike
from typing import Any, final

__all__ = ["Batch", "Engine", "PacketSearch", "RecordBatch", "Watchlists", "WebRules", "empty_records", "segment_of"]

def empty_records(kind: str) -> RecordBatch:
    """No records of a kind, `mail` and `login` as well, with their schema. ValueError: there is no such kind."""

def segment_of(file_name: str) -> tuple[str, int, int] | None:
    """Interface, worker, and time of the first frame (nanoseconds since 1970, UTC) by the name of a ring file.

    None for a file that is no segment of a ring, or a damaged one.
    """

@final
class RecordBatch:
    """Arrow records that any library takes without a copy (the Arrow PyCapsule interface)."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        """The schema and array capsules, named `arrow_schema` and `arrow_array`; `requested_schema` is ignored."""

    def columns(self, names: list[str] | None = None) -> list[list[Any]]:
        """The columns with these names, or all, as lists of Python values. KeyError: there is no such column."""

    def rows(self) -> list[dict[str, Any]]:
        """The records as dictionaries, lists and dictionaries in them as well."""

    def __len__(self) -> int:
        """Number of records."""

@final
class Watchlists:
    """Compiled watchlists; they do not change any more."""

    @staticmethod
    def compile(lists: list[tuple[str, str, bytes, int]]) -> Watchlists:
        """Compile lists, each `(name, "plain" | "csv", text, default severity 1 to 4)`.

        Lines that are refused are told in `lists`, they fail nothing. ValueError: another format.
        """

    def text(self, index: int) -> bytes:
        """Give what a list was compiled from. IndexError: there are not so many."""

    def find_url(self, url: str, time_ns: int) -> dict[str, Any] | None:
        """Give the entry that lists a URL of HTTP or HTTPS, its host, or its host's address and port, at a packet time.

        It has `list`, `indicator`, `type`, `severity`, and `metadata`, the entry's other columns as a JSON object.
        """

    def write_entries(self, path: str | PathLike[str], first: int) -> int:
        """Append a line for every entry to a file that is there, and give their number. OSError: it cannot be written.

        A line has, between tabs, the entry's number (the first one's is `first`), type, indicator, `network` (of an
        address, without port), port, protocol, direction (`any`, `out`, `in`) and `true` where it allows, else `false`.
        """

    def write_added(
        self, known: str | PathLike[str] | None, added: str | PathLike[str], next: str | PathLike[str]
    ) -> int:
        """Append lines as `write_entries` to `added`, for what the file `known` does not have; give their number.

        Each thing that is asked for stands there once, numbered from 0. Beside them stand all entries that allow,
        uncounted. `next` becomes the file that knows all entries. OSError: a file cannot be read or written; of a
        `known` that is not there FileNotFoundError. ValueError: `known` is damaged.
        """

    def entry(self, number: int) -> dict[str, Any]:
        """Give the entry of a line that is numbered from 0, as `find_url` gives it. IndexError: none has the number."""

    @property
    def lists(self) -> list[dict[str, Any]]:
        """What became of each list, in the order given.

        Each has `name`, `entries`, `indicators` (`ip`, `cidr`, `ip_port`, `domain`, `suffix`, `url`, `ja4`: numbers of
        entries), `duplicates`, `refused` (the first 1000 as `(line, column, reason)`) and `refused_total`.
        """

@final
class WebRules:
    """Compiled rules of web attacks, to try them or to use them; an engine begins with those of its settings."""

    @staticmethod
    def compile(rules: str) -> WebRules:
        """Compile a JSON list of rules. ValueError: its arguments are the place of the first wrong rule, and why."""

    def inspect(self, request: bytes, response: bytes) -> list[tuple[str, str, str, str, str, str, bool]]:
        """Match a request and its answer as they stand on the wire.

        Each finding is its category, rule, place, parameter, excerpt, evidence of success, and whether that proves it.
        """

@final
class Batch:
    """What one `Engine.poll` gives."""

    @property
    def time_ns(self) -> int:
        """Packet time that everything has passed, nanoseconds since 1970; 0 before the first frame."""

    @property
    def hits(self) -> str:
        """Reports of flows that meet a watchlist entry, as a JSON list; counts are since the flow's last report."""

    @property
    def findings(self) -> str:
        """Hosts that send mail in bulk, as a JSON list; what goes on is told every 10 seconds of packet time."""

    @property
    def mails(self) -> RecordBatch:
        """Mail transactions and mails read, by time and flow; columns as `sensor.mail.rows.MailRow`."""

    @property
    def raw_mails(self) -> list[bytes]:
        """The messages of `mails` as they were sent, in their order; empty where there is none, or no room for it.

        All are empty unless the settings say `raw_mails`. A run gives 256 MiB at most.
        """

    @property
    def logins(self) -> RecordBatch:
        """Attempts to log in, by time and flow; columns as `sensor.mail.rows.LoginRow`."""

    @property
    def web(self) -> str:
        """Requests to watched servers that rules of web attacks match, and sources that scan, as a JSON list."""

    @property
    def beacons(self) -> str:
        """Hosts that call a remote end at a machine's pace, as a JSON list; what goes on is told each minute."""

    @property
    def clicks(self) -> str:
        """Links of mails that somebody inside follows, by time and flow: a JSON list of `sensor.mail.rows.ClickRow`."""

    @property
    def conditions(self) -> str:
        """What has become wrong or well with the mirror, as a JSON list; what lasts is told again every 10 minutes."""

    @property
    def punted(
        self,
    ) -> list[
        tuple[int, str, int, str, list[int], tuple[str | None, str | None], tuple[str | None, str | None], bytes]
    ]:
        """Messages of control protocols, as `sensor.identity.facts.PuntedFrame` names their columns."""

    @property
    def routers(self) -> list[str]:
        """MACs that more than 16 IPv4 hosts have in common by now; each is told once."""

    @property
    def ended(self) -> bool:
        """Whether no more will come: all files are read, or everything is drained after `Engine.stop`."""

    def __len__(self) -> int:
        """Number of hits, findings, beacons, conditions, mails, logins, clicks and web findings."""

@final
class Engine:
    """Captures, stores, decodes, accounts and judges, in threads of its own."""

    def __new__(cls, config: str) -> Engine:
        """An engine that has opened nothing; `config` is JSON as `sensor.config.engine_settings` makes it.

        ValueError: the configuration contradicts itself.
        """

    def start(self) -> None:
        """Open everything in the calling thread, whose network namespace counts, and start capturing.

        OSError: something cannot be opened; nothing stays half-started.
        """

    def poll(self, timeout_seconds: float) -> Batch:
        """Wait for news, and return at once when there are any.

        The call says as well that the last batch has been dealt with: in read mode no later record is written before.
        RuntimeError: a thread of the engine has died, and the process must end.
        """

    def records(self, timeout_seconds: float) -> list[tuple[str, RecordBatch]] | None:
        """Records of the kinds that `config` names under `records`, one batch a kind, 8192 rows in all at most.

        Waits at most `timeout_seconds` for the first. None: no more will come. In read mode nothing goes on while
        records wait to be taken, and `poll` returns when there are any; live what does not fit is lost and counted.
        """

    def replace_web_rules(self, rules: WebRules) -> None:
        """Match requests of connections that begin from now on against these rules."""

    def replace_watchlists(self, watchlists: Watchlists) -> int:
        """Put watchlists in force and give their generation; open flows are judged at their next packet."""

    def counters(self) -> str:
        """All numbers at one moment, as a JSON object; both accounts of captured frames close to the frame."""

    def flows(self, filter: str, order: str, limit: int) -> RecordBatch:
        """The live flows that the filter admits, best first; `encapsulation` is a JSON list, as in flow events.

        `filter`: terms separated by spaces, an address, network, port, protocol or `vlan:ID` each. `order`: `rate`,
        `bytes`, `packets`, `start`, `last`. ValueError: one of them cannot be understood. RuntimeError: no answer.
        """

    def hosts(self, filter: str, order: str, limit: int) -> RecordBatch:
        """The hosts that the filter admits, best first; `filter` and errors as for `flows`.

        `order`: `rate`, `bytes`, `packets`, `start`, `last`, `flows`, `peers`.
        """

    def sums(self, limit: int) -> str:
        """All live flows summed up, as a JSON object: `remotes` and `vlans`, the fastest `limit` of each.

        Out is from the own hosts; ends that are internal are no remotes. RuntimeError: no answer.
        """

    def traffic(self, limit: int) -> str:
        """All flow records so far added up, as a JSON object of rows, those with the most bytes first.

        `protocols`, `conversations` and internal `hosts` (`limit` of these two), `timeline`, and `left_out`: records of
        conversations that found no room. RuntimeError: the configuration does not say `traffic`.
        """

    def log_event(self, line: str) -> None:
        """Write a line of JSON, without its newline, to the event log, if there is one."""

    def hand_in(self, interface: int, frames: list[tuple[int, bytes]]) -> None:
        """Take frames, `(timestamp_ns, captured bytes)` each, from whoever captures on this interface.

        RuntimeError: no such interface, or the engine does not run.
        """

    def write_frames(self, path: str, rotation: tuple[int, int, int]) -> tuple[int, int, bool]:
        """After the end of read mode, read the files again and write the frames that are wanted, as nanosecond pcap.

        Wanted are those of flows that `apps` names, or all that pass the filter. `rotation`: seconds and bytes of a
        file, and files that are kept; 0 is no limit. Gives frames, files, and whether there was no room to remember all
        flows. OSError: a file cannot be read or written. RuntimeError: the engine runs.
        """

    def stop(self) -> None:
        """Take what has arrived and end; `poll` gives the rest until it says `ended`."""

@final
class PacketSearch:
    """A search for packets in a ring's directory, in steps."""

    def __new__(cls, query: str) -> PacketSearch:
        """Find out what has to be read; `query` is JSON, as `PacketQuery` in the core names its keys.

        ValueError: a wrong question or filter. OSError: the directory cannot be read.
        """

    @property
    def plan(self) -> str:
        """How much there is and how much has to be read, as JSON."""

    @property
    def read_bytes(self) -> int:
        """Bytes of segments that were read so far."""

    def write_to(self, path: str, *, pcapng: bool | None = None, comment: str = "", statistics: str = "[]") -> None:
        """Say where packets go, `-` for standard output; a file is made when the first one is found.

        Until `finish` it ends in `.tmp`, and it goes away with a search that is given up. `pcapng` None: pcap, or
        pcapng where the ring holds several link types. `statistics` is JSON, as `Statistics` in the core names its
        keys; pcapng only. ValueError: pcap cannot hold the link types, or wrong statistics.
        """

    def step(self) -> bool:
        """Search on for a part of a second; False once everything was found. OSError: the output fails."""

    def finish(self) -> str:
        """Write what is still in memory, sync it and give it its name; what was found, as JSON. OSError."""

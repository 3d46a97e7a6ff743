"""What the doctor hands over: one object for programs, lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sensor.alerts.rules import Severity
from sensor.alerts.text import size
from sensor.doctor.finding import Finding, Verdict, verdict_of
from sensor.doctor.mirror_checks import mirror_findings
from sensor.doctor.nic import Nic
from sensor.doctor.nic_checks import nic_findings
from sensor.doctor.watch import Watch

_MEGABIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """The whole examination; `findings` the gravest first."""

    verdict: Verdict
    findings: Sequence[Finding]
    nic: Nic
    watch: Watch

    def as_object(self) -> Mapping[str, Any]:
        """Give it as JSON-ready data."""
        return {
            "interface": self.nic.device.name,
            "verdict": self.verdict,
            "findings": [_as_object(finding) for finding in self.findings],
            "nic": asdict(self.nic),
            "mirror": {
                **self.watch.mirror,
                "seconds": round(self.watch.seconds, 3),
                "frames": self.watch.frames,
                "bytes": self.watch.bytes,
                "kernel_dropped_frames": self.watch.kernel_dropped_frames,
                "peak_bits_per_second": round(self.watch.peak_bits_per_second),
                "encapsulations": list(self.watch.encapsulations),
            },
        }


def examine(before: Nic, after: Nic, watch: Watch, port_speed_bits: int | None) -> Report:
    """Judge an interface by what was there before and after the watch, and by what was seen in it."""
    mirror, of_mirror = mirror_findings(watch, after, port_speed_bits)
    findings = sorted([*of_mirror, *nic_findings(before, after)], key=lambda finding: finding.severity)
    return Report(verdict_of(mirror, findings), findings, after, watch)


def figures(watch: Watch) -> str:
    """Give what was seen so far in one line."""
    mean = watch.wire_bits / watch.seconds if watch.seconds else 0.0
    return (
        f"{watch.frames:,} frames, {size(watch.bytes)} in {watch.seconds:.0f} s, "
        f"{mean / _MEGABIT:.1f} Mbit/s, peak {watch.peak_bits_per_second / _MEGABIT:.1f}, "
        f"{watch.kernel_dropped_frames:,} dropped"
    )


def text_lines(report: Report) -> Iterator[str]:
    """Give the report for people: verdict, faults, then remarks."""
    yield f"{report.nic.device.name}: {report.verdict}"
    yield f"  {figures(report.watch)}"
    if not report.findings:
        yield "  nothing to change"
    for finding in report.findings:
        yield ""
        yield f"{_label(finding)} {finding.rule}: {finding.seen}"
        yield f"  meaning: {finding.meaning}"
        yield f"  change: {finding.advice}"
        yield from (f"    {command}" for command in finding.commands)
        yield f"  see: {finding.see}"


def _label(finding: Finding) -> str:
    return "remark" if finding.severity is Severity.INFO else finding.severity.word


def _as_object(finding: Finding) -> Mapping[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.word,
        "seen": finding.seen,
        "meaning": finding.meaning,
        "advice": finding.advice,
        "commands": list(finding.commands),
        "see": finding.see,
    }

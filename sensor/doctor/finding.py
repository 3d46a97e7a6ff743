"""What the doctor says: one fault a finding, with what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sensor.alerts.rules import Severity

Verdict = str
"""`ok`, `degraded` or `blind`."""

OK, DEGRADED, BLIND = "ok", "degraded", "blind"
_SETUP_PAGE = "docs/mirror-setup.md"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or remark. `rule` is a `mirror.*` or `sensor.*` rule, or a check of the network card, `nic.*`.

    `seen` says what was measured, `meaning` why it matters, `advice` what to change and where, `commands` how, on this
    machine. INFO is a remark and makes nothing unhealthy.
    """

    rule: str
    severity: Severity
    seen: str
    meaning: str
    advice: str
    commands: tuple[str, ...] = ()

    @property
    def see(self) -> str:
        """Where the setup guide explains it."""
        return f"{_SETUP_PAGE}#{self.rule.replace('.', '-')}"


def verdict_of(mirror: Verdict, findings: Iterable[Finding]) -> Verdict:
    """Give the verdict over all: the mirror's own, and `degraded` at least if more than a remark was found."""
    faults = any(finding.severity < Severity.INFO for finding in findings)
    return DEGRADED if mirror == OK and faults else mirror

"""A Debian of the host's own release, booted with its systemd in a container whose changes are thrown away."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.live.lab import until

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".cache" / "system"
PACKAGES = (
    "ethtool",
    "iproute2",
    "libpcap0.8",
    "logrotate",
    "procps",
    "python3",
    "python3-venv",
    "systemd",
    "systemd-sysv",
)
BOOT_SECONDS = 60.0
END_SECONDS = 30.0


def missing_requirement() -> str:
    """Why no container can be booted here, or nothing."""
    if os.geteuid() != 0:
        return "booting a container needs root"
    for command in ("debootstrap", "systemd-nspawn", "nsenter"):
        if shutil.which(command) is None:
            return f"{command} is missing"
    if _host()["ID"] != "debian":
        return "the host is no Debian, and the wheels are built for the host's Python"
    return ""


def root_file_system() -> Path:
    """The installed Debian, made by the first call and kept in `.cache`."""
    release = _host()["VERSION_CODENAME"]
    fingerprint = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
    root = CACHE / f"{release}-{fingerprint}"
    if not root.exists():
        unfinished = root.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        run(
            "debootstrap",
            "--variant=minbase",
            f"--include={','.join(PACKAGES)}",
            release,
            str(unfinished),
            _mirror(release),
        )
        unfinished.rename(root)
    return root


class Container:
    """One boot. What is written inside lives in memory and ends with it."""

    def __init__(self, root: Path, console: Path, mounts: dict[Path, str]) -> None:
        self.console = console
        binds = [f"--bind-ro={source}:{target}" for source, target in mounts.items()]
        command = ["systemd-nspawn", "--boot", "--quiet", "--register=no", "--keep-unit", "--private-network"]
        command += ["--volatile=overlay", f"--directory={root}", "--machine=spanwatch-test", *binds]
        with console.open("wb") as output:
            self._nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.leader = 0

    def booted(self) -> None:
        """Waits until all units of the container's start are up."""
        self.leader = until("the container's first process", self._first_process, BOOT_SECONDS)
        until("the container's systemd", lambda: self._state() in {"running", "degraded"}, BOOT_SECONDS)
        assert self._state() == "running", self.run("systemctl", "--failed", "--no-pager")

    def close(self) -> None:
        """Powers the container off."""
        self._nspawn.send_signal(signal.SIGTERM)
        try:
            self._nspawn.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()

    def run(self, *command: str) -> str:
        """Runs `command` inside; its standard output."""
        return run(*self._inside(*command))

    def fails(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs `command` inside, which is expected to end with another exit code than 0."""
        done = subprocess.run(self._inside(*command), check=False, capture_output=True, text=True)
        assert done.returncode != 0, f"{command} was expected to fail: {done.stdout}"
        return done

    def path(self, inside: str) -> Path:
        """A file of the container as the host sees it."""
        return Path(f"/proc/{self.leader}/root{inside}")

    def network(self) -> Path:
        """The container's network namespace."""
        return Path(f"/proc/{self.leader}/ns/net")

    def _inside(self, *command: str) -> Sequence[str]:
        environment = ("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8")
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
        return ["nsenter", f"--target={self.leader}", *spaces, "--", *environment, *command]

    def _first_process(self) -> int:
        if self._nspawn.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended: {self.console.read_text(errors='replace')}")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        for child in children:
            # nspawn's helper child shares its name; the container's init has another and is process 1 inside.
            status = Path(f"/proc/{child}/status").read_text()
            if any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in status.splitlines()):
                return int(child)
        return 0

    def _state(self) -> str:
        command = self._inside("systemctl", "is-system-running")
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def run(*command: str) -> str:
    """Runs `command`; its standard output. A failure shows what it said."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
    return done.stdout


def _host() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _mirror(release: str) -> str:
    """The mirror that the host's own apt uses for its release."""
    listing = run("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Identifier: Packages")
    for line in listing.splitlines():
        found, component, mirror = line.split()
        if (found, component) == (release, "main"):
            return mirror
    return "http://deb.debian.org/debian"

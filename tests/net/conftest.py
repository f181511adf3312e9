"""Fixtures of the tests that need namespaces: everything a test makes is named for it alone and gone after it, whatever
way it ends. Without root, or without what a test needs, it is skipped with the reason.

QUELL_BUILD names the build directory; without it, the build directory that is, or is beside, this tree's top.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP))
sys.dont_write_bytecode = True

from lab import frr, netns, quell  # noqa: E402
from lab.netns import wait_until  # noqa: E402,F401  (for the tests)


def pytest_configure(config):
    """SIGTERM (a runner's time limit) unwinds fixtures as Ctrl-C does."""
    def interrupt(sig, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupt)
    config.addinivalue_line("markers", "needs(what, ...): frr, or names of programs in the build directory or PATH")
    config.addinivalue_line("markers", "only_bpf(why): of a module's PLANES, this one's alone")


def pytest_generate_tests(metafunc):
    """A module whose agents are to be tried with several planes names them: PLANES = "bpf", "packet"."""
    planes = getattr(metafunc.module, "PLANES", ())
    if isinstance(planes, tuple) and planes:
        mark = metafunc.definition.get_closest_marker("only_bpf")
        metafunc.parametrize("agent_plane", ["bpf"] if mark else planes, indirect=True)


def find_build():
    candidates = [os.environ.get("QUELL_BUILD"), os.getcwd(), TOP / "build", TOP]
    for c in candidates:
        if c and (pathlib.Path(c) / "lab" / "count").exists():
            return str(pathlib.Path(c).resolve())
    return None


def missing(what, build):
    if what == "frr":
        return frr.available()
    if what in quell.PROGRAMS or "/" in what:
        return None if build and os.access(os.path.join(build, what), os.X_OK) else f"{what} is not built"
    found = any(os.access(os.path.join(d, what), os.X_OK)
                for d in os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"])
    return None if found else f"no {what} here"


def pytest_collection_modifyitems(items):
    build = find_build()
    for item in items:
        reasons = ["needs root"] if os.geteuid() else []
        for mark in item.iter_markers("needs"):
            reasons += [r for r in (missing(w, build) for w in mark.args) if r]
        if reasons:
            item.add_marker(pytest.mark.skip(reason=", ".join(reasons)))


@pytest.fixture(scope="session")
def build():
    """The build directory."""
    found = find_build()
    if not found:
        pytest.skip("nothing is built: set QUELL_BUILD")
    return found


@pytest.fixture
def scope():
    """Namespaces, processes and files of one test: scope.netns("a"), scope.veth(...), scope.spawn(...)."""
    with netns.Scope("test") as s:
        yield s


@pytest.fixture(autouse=True)
def agent_plane(request, monkeypatch):
    """The plane of the agents that a test starts without saying which."""
    plane = getattr(request, "param", None)
    if plane == "packet" and not shutil.which("nft"):
        pytest.skip("no nft here to see the gate with")
    if plane:
        monkeypatch.setenv("QUELL_TEST_PLANE", plane)


FIGURES = []


@pytest.fixture(scope="session")
def figures():
    """figures("what was measured: 1.2 ms"): printed at the end of the run."""
    return FIGURES.append


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("measured")
        for line in FIGURES:
            terminalreporter.write_line(line)


class Capture:
    """tcpdump at an interface of a namespace; the frames are read with scapy."""

    def __init__(self, ns, ifname, *expression):
        self.path = ns.scope.dir / f"{ns.role}-{ifname}.pcap"
        self.process = ns.spawn("tcpdump", ["tcpdump", "-i", ifname, "-U", "-n", "--immediate-mode", "-w", self.path,
                                            *expression])
        wait_until(lambda: "listening on" in self.process.said(), 10, f"tcpdump on {ifname} listens")

    def frames(self):
        from scapy.utils import rdpcap
        return rdpcap(str(self.path)) if os.path.getsize(self.path) > 24 else []

    def stop(self):
        self.process.signal(signal.SIGINT)
        self.process.wait()
        return self.frames()


@pytest.fixture
def capture():
    """capture(ns, "eth0", "arp") -> Capture."""
    made = []

    def start(ns, ifname, *expression):
        made.append(Capture(ns, ifname, *expression))
        return made[-1]

    yield start
    for c in made:
        if c.process.alive():
            c.stop()


@pytest.fixture(scope="session", autouse=True)
def nothing_left():
    """After the last test no namespace, mount or directory of this run exists."""
    yield
    mine = [s["name"] for s in netns.scopes() if s["owner"][0] == os.getpid()]
    assert not mine, f"left behind: {mine}"
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    assert not any(name in listed for name in mine)

"""The ledger of a real port: it is what the interface counts, it proves, it outlives ports and agents."""
import json
import os
import pty
import re
import select
import subprocess
import time

import pytest
import wire
from agent_box import MACS, Agent, ip4
from conftest import wait_until

pytestmark = pytest.mark.needs("quell-agent", "quell")
PLANES = "bpf", "packet"


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build, **{"unregistered-ports": "closed"})
    a.straw = a.feed()
    start(a)
    wait_until(a.open, 15, "the ports are taken")
    yield a
    a.close()


def start(box):
    box.start()
    box.straw.accept().snapshot()
    box.straw.say({"op": "end"})


def quell(box, *args, ok=True):
    r = subprocess.run([os.path.join(box.build, "quell"), *args, "--socket-dir", box.run_dir], capture_output=True,
                       text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert not ok or r.returncode == 0, r.stderr + r.stdout
    return r.stdout


def cell(port, direction, cls, outcome):
    return port[direction].get(cls, {}).get(outcome, [0, 0])[0]


def ledger(box, name):
    """The port's; what it would be if it had counted nothing, if it is not there."""
    ports = {p["name"]: p for p in box.show("ledger")["ports"]}
    return ports.get(name, {"in": {}, "out": {}})


def ask(box, n, target, times):
    with box.port(n) as p:
        for _ in range(times):
            p.send(wire.who_has(MACS[n], ip4(n), target))


def test_a_proof_of_a_stretch_of_time(box):
    """Beside the kernel's own counters of the interface."""
    prove = subprocess.Popen([os.path.join(box.build, "quell"), "show", "ledger", "--prove", "swp1", "--for", "2",
                              "--socket-dir", box.run_dir], stdout=subprocess.PIPE, text=True)
    before = cell(ledger(box, "swp1"), "in", "arp-request", "answered")
    ask(box, 1, ip4(2), 300)
    ask(box, 1, ip4(200), 100)
    wait_until(lambda: cell(ledger(box, "swp1"), "in", "arp-request", "answered") == before + 300, 5, "counted")
    said = prove.communicate(timeout=20)[0]
    assert prove.returncode == 0, said
    made, left = map(int, re.search(r"answers made (\d+) = answers that left (\d+)  holds", said).groups())
    assert 0 < left <= 300 and abs(made - left) <= 1, said
    assert "BUM 0" in said and "silent" in said
    assert "the same" in said and "not the same" not in said, said
    assert "arp-reply  answer   our own" in said


def test_metrics_and_top(box):
    ask(box, 1, ip4(2), 50)
    wait_until(lambda: cell(ledger(box, "swp1"), "in", "arp-request", "answered") >= 50, 5, "counted")
    metrics = quell(box, "show", "ledger", "--metrics")
    assert metrics.endswith("# EOF\n")
    line = next(x for x in metrics.splitlines() if 'port="swp1"' in x and 'outcome="answered"' in x)
    assert line.startswith("quell_ledger_frames_total{lan=\"ixp\"") and float(line.rsplit(" ", 1)[1]) >= 50
    top = subprocess.Popen([os.path.join(box.build, "quell"), "top", "--count", "3", "--interval", "0.3", "--json",
                            "--socket-dir", box.run_dir], stdout=subprocess.PIPE, text=True)
    while top.poll() is None:
        ask(box, 1, ip4(2), 20)
    rows = [json.loads(x) for x in top.stdout.read().splitlines()]
    assert len(rows) == 3
    assert max(cell(p, "in", "arp-request", "answered") for r in rows for p in r["ports"]) > 10
    assert "BUM" in quell(box, "top", "--count", "1", "--interval", "0.1")


def read_until(fd, text, timeout=10):
    seen, end = b"", time.monotonic() + timeout
    while text not in seen:
        left = end - time.monotonic()
        assert left > 0 and select.select([fd], [], [], left)[0], seen[-500:]
        seen += os.read(fd, 65536)
    return seen


def test_top_in_a_terminal(box):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(os.path.join(box.build, "quell"), ["quell", "top", "--interval", "0.2", "--socket-dir",
                                                    str(box.run_dir)])
    try:
        read_until(fd, b"swp1")
        os.write(fd, b"c")
        read_until(fd, b"classes")
        os.write(fd, b"q")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        pid = 0
    finally:
        if pid:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        os.close(fd)


@pytest.mark.only_bpf("the packet plane's counters end with its process")
def test_what_a_departed_port_had_counted_stays(box):
    """Also over a restart of the agent, in which another port leaves."""
    ask(box, 1, ip4(2), 40)
    ask(box, 2, ip4(1), 30)
    wait_until(lambda: cell(ledger(box, "swp1"), "in", "arp-request", "answered") == 40 and
               cell(ledger(box, "swp2"), "in", "arp-request", "answered") == 30, 5, "counted")
    box.ns.ip("link set swp1 nomaster")
    wait_until(lambda: cell(ledger(box, "(departed)"), "in", "arp-request", "answered") == 40, 5, "it is departed")
    box.kill()
    box.ns.ip("link set swp2 nomaster")
    start(box)
    wait_until(lambda: box.show("ledger") and cell(ledger(box, "(departed)"), "in", "arp-request", "answered") == 70,
               10, "both are departed")
    assert all(b["balanced"] for b in box.show("ledger")["balance"])

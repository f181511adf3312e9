"""One member sends all that the kernel makes of ARP or NS, for random targets, from random MACs, with others' addresses; the
others do not notice. The attacker has a core for itself (BPF_F_TEST_XDP_LIVE_FRAMES: some hundred thousand a second with
all that follows of them), those who ask the other one."""
import json
import os
import time

import pytest
from agent_box import MACS, Agent, entry, ip4, ip6
from conftest import wait_until
from test_kill import Asker

pytestmark = pytest.mark.needs("quell-agent", "lab/flood", "tests/bench_agent/offer", "ethtool", "taskset")
SECONDS, RATE = 3, 2000
WAYS = {"bpf": {}, "xdp": {"accelerate": "xdp"}, "sponge": {"unknown-target": "sponge", "sponge": '{mac: "02:00:5e:99:99:99"}'}}


def cpu(process):
    with open(f"/proc/{process.pid}/schedstat") as f:
        return int(f.read().split()[0]) / 1e9


def rss_kb(process):
    return int(next(line for line in open(f"/proc/{process.pid}/status") if line.startswith("VmRSS")).split()[1])


@pytest.mark.parametrize("way, kind", [("bpf", "arp"), ("bpf", "ns"), ("xdp", "ns"), ("sponge", "arp")])
def test_the_others_do_not_notice(scope, build, way, kind, figures):
    box = Agent(scope, build)
    box.write(entry(1), entry(2), entry(3), **{"unregistered-ports": "closed", "police": "{in: 100 kbit}", **WAYS[way]})
    box.ns.run("ethtool", "-K", "swp1", "gro", "on")
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    straw.say({"op": "end"})
    wait_until(box.open, 30, "the ports are taken")
    box.ns.run("taskset", "-acp", 1, box.process.pid)
    offer = os.path.join(build, "tests/bench_agent/offer")

    def attack(seconds):
        p = box.members[1].spawn("attack", [offer, "--iface", "eth0", "--object", offer + ".bpf.o", "--kind", kind, "--attack",
                                            "--ip4", ip4(1), "--ip6", ip6(1), "--seconds", seconds, "--cpu", 0])
        assert p.wait(60) == 0, p.said()
        scope.forget(p)
        return json.loads(p.said().splitlines()[-1])

    attack(0.5)  # what it once takes to remember is no growth
    used, rss, lines, began = cpu(box.process), rss_kb(box.process), box.process.said().count("\n"), time.monotonic()
    asker = Asker(box, 2, (1, 3), RATE)
    box.ns.run("taskset", "-cp", 1, asker.process.pid)
    sent = attack(SECONDS)
    took = time.monotonic() - began
    got = asker.stop()
    used, rss, lines = (cpu(box.process) - used) / took, rss_kb(box.process) - rss, box.process.said().count("\n") - lines
    figures(f"attack with {kind}, {way}: {sent['timed'] / sent['seconds'] / 1e3:.0f} k frames/s; others: {got['unanswered']} of "
            f"{got['asked']} unanswered, p99 {got['p99_ms']} ms; agent {used:.1%} of a core, RSS {rss:+} kB, {lines} log lines")
    assert got["unanswered"] == 0 and got["lost"] == 0 and got["asked"] > 0.5 * RATE * SECONDS
    assert got["p99_ms"] < 10
    assert used < 0.2 and rss < 1024 and lines <= 10 * took
    wait_until(lambda: box.answered(3, ip4(2)) == MACS[2], 5, "all is as it was")
    assert not [b["faults"] for b in box.show("ledger")["balance"] if not b["balanced"]]
    box.close()

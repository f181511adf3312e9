"""A thousand member ports on one bridge (the kernel takes 1 024): the noise of a large LAN reaches none of the idle ones, the
agent has them all within three seconds, and what that saves.

The members' ends are all in one namespace. The cost of a frame is the time that its sender is held up: on a veth the
kernel does all that comes of a frame before the sender goes on.
"""
import json
import os
import subprocess
import time

import pytest
from agent_box import VTEP, Agent
from conftest import wait_until
from lab import netns

pytestmark = pytest.mark.needs("quell-agent", "lab/flood", "bpftool")
PORTS, TALKING = 1000, 5
RATE, SECONDS = 1.5e6, 4
START_S = 3
MEAN_BITS = 570  # of a frame of the mix


def mac(n):
    return f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}"


def ip4(n):
    return f"198.18.{n >> 8}.{n & 255}"


def ip6(n):
    return f"2001:db8:100::{n:x}"


class Large(Agent):
    def __init__(self, scope, build):
        super().__init__(scope, build, ports=0)
        self.far = scope.netns("far")
        self.far.sysctl({"net.ipv6.conf.default.disable_ipv6": 1, "net.ipv6.conf.all.disable_ipv6": 1})
        everyone = range(1, PORTS + 1)
        self.ns.ip(*(f"link add swp{n} type veth peer name m{n} address {mac(n)} netns {self.far.name}" for n in everyone))
        self.ns.ip(*(f"link set swp{n} master br100 up" for n in everyone))
        self.far.ip(*(f"link set m{n} up" for n in everyone))
        self.neighbors = scope.dir / "neighbors"
        self.neighbors.write_text("".join(f"{mac(n)} {ip4(n)} {ip6(n)}\n" for n in everyone))
        self.registry.write_text("members:\n" + "".join(
            f"  - asn: {64500 + n}\n    name: Member {n}\n    ports:\n      - port: swp{n}\n        pe: {VTEP}\n"
            f"        macs: [\"{mac(n)}\"]\n        ipv4: [{ip4(n)}]\n        ipv6: [\"{ip6(n)}\"]\n" for n in everyone))

    def write(self, *entries, **options):
        super().write(**{"unregistered-ports": "closed", "unknown-target": "drop", **options})

    def start_timed(self):
        """Seconds until every port is taken and the kernel has every entry."""
        straw = self.feed()
        began = time.monotonic()
        self.start(up=False)
        straw.accept(30)
        straw.say({"op": "end"})
        wait_until(lambda: (self.show("status") or {}).get("lans", [{}])[0].get("open"), 60, "the LAN is open", every=0.01)
        wait_until(lambda: self.all_taken(), 60, "the ports are taken", every=0.01)
        return time.monotonic() - began

    def all_taken(self):
        status, ports = self.show("status"), self.show("ports")["ports"]
        return status["netlink"]["fdb_pending"] == 0 and sum(p["attached"] for p in ports) == PORTS + 1

    def flood(self, n, rate, seconds):
        return self.far.spawn(f"flood-{n}-{time.monotonic_ns()}", [
            os.path.join(self.build, "lab/flood"), "--iface", f"m{n}", "--mac", mac(n), "--ip4", ip4(n), "--ip6", ip6(n),
            "--neighbors", self.neighbors, "--rate", rate, "--seconds", seconds, "--seed", n])

    def cost(self, frames):
        """Microseconds that a frame of the mix costs, offered without a pause."""
        p = self.flood(1, 1e9, frames * MEAN_BITS / 1e9)
        assert p.wait(60) == 0
        said = json.loads(p.said())
        return said["seconds"] * 1e6 / said["frames"]

    def arrived(self):
        """{member: frames at its end}"""
        return {int(link["ifname"][1:]): link["stats64"]["rx"]["packets"] for link in self.far.ip_json("-s", "link", "show", "type",
                                                                                                       "veth")}

    def rss_kb(self):
        return int(next(line for line in open(f"/proc/{self.process.pid}/status") if line.startswith("VmRSS")).split()[1])

    def maps_kb(self):
        total = 0
        for pin in (self.scope.bpffs() / "agent").glob("v*/*"):
            p = subprocess.run(["bpftool", "-j", "map", "show", "pinned", pin], capture_output=True, text=True)
            shown = json.loads(p.stdout or "{}")
            total += int(shown.get("bytes_memlock", 0)) if isinstance(shown, dict) else 0
        return total // 1024

    def cpu(self):
        with open(f"/proc/{self.process.pid}/schedstat") as f:
            return int(f.read().split()[0]) / 1e9


@pytest.fixture(scope="module")
def large(build):
    with netns.Scope("test") as scope:
        box = Large(scope, build)
        try:
            yield box
        finally:
            box.close()


def test_a_thousand_ports(large, figures):
    plain = large.cost(1000)
    took = large.start_timed()
    started, cpu_started = (took, large.rss_kb()), large.cpu()
    quiet = large.cost(20000)
    before, cpu = large.arrived(), large.cpu()
    senders = [large.flood(n, RATE / TALKING, SECONDS) for n in range(1, TALKING + 1)]
    for p in senders:
        assert p.wait(SECONDS + 30) == 0
    cpu = (large.cpu() - cpu) / SECONDS
    after = large.arrived()
    assert sum(json.loads(p.said())["octets"] for p in senders) * 8 > 0.9 * RATE * SECONDS
    idle = {n: after[n] - before[n] for n in after if n > TALKING}
    assert len(idle) == PORTS - TALKING and not any(idle.values()), "idle ports receive nothing"
    assert all(after[n] > before[n] for n in range(1, TALKING + 1)), "those who ask are answered"
    assert not [b["faults"] for b in large.show("ledger")["balance"] if not b["balanced"]]
    large.kill()
    again = large.start_timed()
    assert large.show("status")["adopted"] and large.lan()["static"] == 2 * PORTS
    figures(f"{PORTS} ports, {2 * PORTS} bindings: started in {started[0]:.2f} s, reconciled after SIGKILL in {again:.2f} s; RSS "
            f"{started[1]} kB, then {large.rss_kb()} kB; maps {large.maps_kb()} kB; under {RATE / 1e6:g} Mbit/s the agent takes "
            f"{cpu:.1%} of a core")
    figures(f"{PORTS} ports: a frame of the mix costs {plain:.0f} us on the plain bridge, {quiet:.1f} us with quell: 1/{plain / quiet:.0f}")
    # On a machine that does other things at the same time only what the agent itself has used says anything.
    assert cpu_started < START_S and again < 4 * START_S, f"{started[0]:.2f} s, {again:.2f} s"
    assert plain > 10 * quiet

"""The lab itself: it measures what is known of today's parts, two stand side by side, and nothing is left behind."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import wire
from conftest import TOP, wait_until
from lab import frr, ledger, measure, netns
from lab.lab import verdict
from lab.topology import Lab, Plain, RouteServer
from scapy.layers.l2 import ARP, Ether

pytestmark = pytest.mark.needs("lab/count", "lab/flood")
RATE, SECONDS = 1.5e6, 3


def left_behind(name):
    mounts = open("/proc/self/mounts").read()
    return [n for n in os.listdir("/run/netns") if n.startswith(name)] + \
        [d for d in os.listdir("/run/frr") if d.startswith(name)] * os.path.isdir("/run/frr") + \
        [m for m in mounts.splitlines() if name in m] + [s["name"] for s in netns.scopes() if s["name"] == name]


def flooded(lab):
    """Means over the idle ports: frames/s and bit/s by class."""
    counters = [measure.Counter(lab, m) for m in lab.idle]
    before = {c: c.read() for c in counters}
    flood = measure.Flood(lab, lab.members, RATE, SECONDS)
    pings = measure.ping_all(lab)
    sent = flood.wait()
    assert not pings.failed
    return measure.arrivals(counters, before, SECONDS).rates, sent


def total_bits(rates):
    return sum(bits for _, bits in rates.values())


def test_a_bridge_brings_all_noise_to_every_port(build):
    with Lab([Plain] * 3, RouteServer, build=build) as lab:
        lab.raise_()
        rates, sent = flooded(lab)
    assert sent["octets"] * 8 / SECONDS == pytest.approx(RATE, rel=0.02)
    assert all(sent["sent"].values())
    # All but LLDP, which a bridge keeps to itself.
    assert total_bits(rates) == pytest.approx(RATE, rel=0.05)


@pytest.mark.needs("frr")
def test_frr_with_every_binding_leaves_two_thirds(build):
    with Lab([frr.FrrPE] * 3, frr.FrrRouteServer, build=build) as lab:
        lab.raise_()
        wait_until(lab.converged, 20, "FRR has all bindings")
        rates, _ = flooded(lab)
        assert sum(sum(pe.frr.notifications().values()) for pe in lab.pes) == 0
    # Known targets of other PEs are suppressed, everything else and everything of the own PE is not.
    assert 0.6 * RATE < total_bits(rates) < 0.85 * RATE


def test_the_member_counts_its_answers_to_the_request(build):
    with Lab([Plain] * 2, RouteServer, members=2, idle=0, build=build) as lab:
        lab.raise_()
        m = lab.members[0]
        said = measure.AskRate(lab, m, 500, 1).wait()
        assert said["asked"] == said["answered"] == 500 and said["unanswered"] == 0
        away = lab.members[1]
        away.ns.ip("link set eth0 down")
        said = measure.AskRate(lab, m, 300, 1).wait()
        assert (said["asked"], said["unanswered"]) == (300, 100)


def test_two_labs_at_once_and_nothing_left(build):
    with Lab([Plain] * 2, RouteServer, members=1, idle=1, build=build) as one, \
            Lab([Plain] * 2, RouteServer, members=1, idle=1, build=build) as two:
        for lab in (one, two):
            lab.raise_()
            assert not measure.ping_all(lab, link_local=True).failed
        names = [lab.scope.name for lab in (one, two)]
        assert len(set(names)) == 2
    for lab in (one, two):
        assert not left_behind(lab.scope.name)
        assert not lab.scope.dir.exists()


def command(build, *argv, **kw):
    return subprocess.Popen([sys.executable, str(TOP / "lab/lab.py"), "--build", build, *argv], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)


def test_up_stands_and_down_takes_it_away(build):
    up = command(build, "up", "--set-up", "bridge", "--members", "1")
    out, err = up.communicate(timeout=60)
    assert up.returncode == 0, err
    name = out.split()[0]
    try:
        state = next(s for s in netns.scopes() if s["name"] == name)
        assert not state["owned"] and f"{name}-m31" in state["namespaces"]
        assert name in command(build, "list").communicate()[0]
        subprocess.run(["ip", "netns", "exec", f"{name}-m11", "ping", "-c1", "-W1", "198.18.3.1"], check=True,
                       capture_output=True)
    finally:
        assert command(build, "down", name).wait(30) == 0
    assert not left_behind(name)


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_interrupted_it_leaves_nothing(build, how):
    import signal
    p = command(build, "run", "--set-up", "bridge", "--seconds", "60", "--members", "1")
    line = ""
    while "flood:" not in line:
        line = p.stderr.readline()
        assert line, "the lab ended early"
        if "converged" in line:
            name = line.split(":")[0].strip()
    p.send_signal(getattr(signal, how))
    p.communicate(timeout=30)
    assert p.returncode == 130
    assert not left_behind(name)


def test_what_a_killed_lab_leaves_is_found(build):
    p = command(build, "run", "--set-up", "bridge", "--seconds", "60", "--members", "1")
    line = ""
    while "flood:" not in line:
        line = p.stderr.readline()
        if "converged" in line:
            name = line.split(":")[0].strip()
    p.kill()
    p.communicate()
    state = next(s for s in netns.scopes() if s["name"] == name)
    assert not state["owned"]
    assert command(build, "down", name).wait(30) == 0
    assert not left_behind(name)


class NoBooks(ledger.Books):
    """The comparison alone, without a LAN."""

    def __init__(self):
        self.unseen = ()


def books_of(came, left, sent, received):
    class Named:
        name, port = "pe1", "swp1"
    nothing = {"in": {}, "out": {}}
    side = {"out": sent, "own": {}, "group": received, "other": {}}
    return NoBooks()._port(Named, Named, [nothing, {"in": came, "out": left}],
                           [{"out": {}, "own": {}, "group": {}, "other": {}}, side])


def test_a_ledger_that_is_off_by_one_frame_is_found():
    came, left = {("ns", "answered"): 3, ("ra", "hygiene"): 2}, {("na", "answer"): 3}
    sent, received = {"ns": [3, 258], "ra": [2, 156]}, {"na": [3, 258]}
    row, wrong = books_of(came, left, sent, received)
    assert not wrong and row["balances"] and (row["in"], row["answered"], row["dropped"]) == (5, 3, 2)
    for spoilt in (books_of({**came, ("ra", "hygiene"): 1}, left, sent, received),
                   books_of(came, {("na", "answer"): 2}, sent, received),
                   books_of(came, left, {**sent, "mld": [1, 90]}, received),
                   books_of(came, left, sent, {**received, "ra": [1, 78]}),
                   books_of({**came, ("ns", "answered"): 2, ("ns", "unknown-target"): 1}, left, sent, received)):
        assert spoilt[1] and not spoilt[0]["balances"]


def test_a_broken_promise_is_named():
    good = {"set_up": "quell", "idle": {"pe1": {"flavour": "quell", "frames": 0}, "pe3": {"flavour": "frr", "frames": 9}},
            "pings": {"failed": []}, "notifications": 0, "ledger": {"wrong": []}}
    assert verdict([good]) == []
    for spoilt in ({"idle": {"pe1": {"flavour": "quell", "frames": 1}}}, {"pings": {"failed": ["m11 -> 198.18.1.2"]}},
                   {"notifications": 1}, {"ledger": {"wrong": ["pe1 swp1: ..."]}}):
        assert len(verdict([{**good, **spoilt}])) == 1


def test_json_is_for_machines(build):
    start = time.monotonic()
    p = command(build, "--set-up", "bridge", "--seconds", "2", "--json", "--members", "1")
    out, err = p.communicate(timeout=60)
    assert p.returncode == 0, err
    result = json.loads(out)["results"][0]
    assert result["pings"] == {"tried": 12, "failed": [], "within_flood": True}
    assert result["idle"]["pe1"]["frames"] > 1000
    assert time.monotonic() - start < 30


def test_it_says_what_it_lacks(tmp_path):
    p = command(str(tmp_path), "run")
    _, err = p.communicate(timeout=10)
    assert p.returncode == 2 and "not built in" in err
    p = command(str(tmp_path), "run", "--set-up", "nonsense")
    _, err = p.communicate(timeout=10)
    assert p.returncode == 2 and "no such set-up: nonsense" in err


def test_an_answer_with_another_mac_is_noticed(scope, build):
    """By the counter of every lab, at every member: that no test of the suite sees one says something only if it would."""
    here, there = scope.netns("a"), scope.netns("b")
    scope.veth(here, "eth0", there, "eth0")
    for ns in (here, there):
        ns.ip("link set eth0 addrgenmode none up")
    registry, mac, other = scope.dir / "neighbors", "02:00:5e:00:00:01", "02:00:5e:00:00:02"
    registry.write_text(f"{mac} 198.18.0.1 2001:db8:100::1\n")
    count = here.spawn("count", [os.path.join(build, "lab/count"), "--iface", "eth0", "--registry", registry])
    wait_until(lambda: "ready" in count.said(), 5, "it counts")
    with wire.Port(there) as p:
        for m in (mac, other):
            p.send(wire.neighbor_advertisement(m, "2001:db8:100::1"))
            p.send(Ether(src=m, dst=other) / ARP(op=2, hwsrc=m, psrc="198.18.0.1", hwdst=other, pdst="198.18.0.2"))
            p.send(Ether(src=m, dst=other) / ARP(op=2, hwsrc=m, psrc="198.18.0.9", hwdst=other, pdst="198.18.0.2"))
    count.signal(signal.SIGTERM)
    assert count.wait() == 0
    assert json.loads(count.said().splitlines()[-1])["wrong"] == 2

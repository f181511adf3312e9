"""What a plane lets flood and what it holds back: egress, buckets, quarantine, dry run, the underlay, full tables."""
import struct
import time

import pytest
from conftest import wait_until
from plane_box import (  # noqa: F401  (a fixture)
    B_EXCHANGE, B_STATIC, CLOSED, DRY, E_SPOOF, IN, LAN, MEMBER, PACKETS, POLICE, P_ALL, P_EXCHANGE, P_KNOWN,
    P_OTHER, P_UNKNOWN, QUARANTINE, UNDERLAY, UNICAST, Wire, dhcp, lan, who_has, with_xdp)

pytestmark = pytest.mark.needs("tests/bpf/plane_shell")
scapy = pytest.importorskip("scapy.all")
from scapy.all import IP, UDP, Ether, IPv6, Raw  # noqa: E402


def test_egress_lets_no_flood_out(lan):
    """From a bridge port that is not ours, and from the PE itself."""
    other = lan.scope.netns("x")
    lan.scope.veth(lan.pe, "m9", other, "eth0")
    lan.pe.ip("link set m9 addrgenmode none master br0 up")
    other.ip("link set eth0 addrgenmode none up")
    s = lan.raise_()
    w, pe = Wire(other, "eth0"), Wire(lan.pe, "br0")
    lan.wires += [w, pe]
    rings = [lan.wire(r) for r in "abcf"]
    before = {r: s.ledger(lan.slot[r]) for r in "abcf"}
    assert before == {r: {} for r in "abcf"}
    w.send(who_has(lan, "r", "198.18.0.77"),
           Ether(src="02:00:00:00:00:77", dst="02:00:00:00:00:88", type=0x0800) / Raw(bytes(50)))
    pe.send(Ether(src="02:00:00:00:00:fe", dst="33:33:00:00:00:01") / IPv6(dst="ff02::1") / Raw(bytes(50)))
    for r in "abcf":
        wait_until(lambda: s.ledger(lan.slot[r]) == {
            ("out", "arp-request", "unauthorised"): 1, ("out", "ipv4", "unknown-unicast"): 1,
            ("out", "ipv6-multicast", "unauthorised"): 1}, 3, f"blocked at {r}")
    assert [f for x in rings for f in x.arrived()] == []


def test_a_rule_lets_flood_and_the_buckets_hold(lan):
    s = lan.raise_()
    lan.set_port(s, "a", unknown=POLICE, in_bps=100000, burst=6000)
    lan.set_port(s, "c", out_bps=50000, burst=1200)
    a, b, c = lan.wire("a"), lan.wire("b"), lan.wire("c")
    frame = bytes(who_has(lan, "a", "198.18.0.77", trailer=bytes(18)))
    began = time.monotonic()
    for _ in range(40):
        a.send(*[frame] * 100)
        time.sleep(0.01)
    took = time.monotonic() - began
    sent = 4000
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == sent, 5, "all are counted")
    ledger = s.ledger(lan.slot["a"])
    let, held = ledger["in", "arp-request", "flooded"], ledger["in", "arp-request", "policed-in"]
    assert let + held == sent
    assert abs(let * len(frame) * 8 - 48000 - 100000 * took) < 0.03 * 100000 * took + 2 * len(frame) * 8
    assert len(b.arrived()) == let == s.ledger(lan.slot["b"])["out", "arp-request", "delivered"]
    out = s.ledger(lan.slot["c"])
    assert len(c.arrived()) == out["out", "arp-request", "delivered"]
    assert out["out", "arp-request", "delivered"] + out["out", "arp-request", "policed-out"] == let
    bits = out["out", "arp-request", "delivered"] * len(frame) * 8
    assert abs(bits - 9600 - 50000 * took) < 0.05 * 50000 * took + 2 * len(frame) * 8


def test_quarantine_is_silence(lan):
    s = lan.raise_()
    lan.set_port(s, "b", flags=CLOSED | QUARANTINE)
    a, b = lan.wire("a"), lan.wire("b")
    b.send(who_has(lan, "b", lan.ip4("a")))
    a.send(Ether(src=lan.mac("a"), dst=lan.mac("b")) / IP(dst=lan.ip4("b")) / UDP())
    quiet = {("in", "arp-request", "quarantine"): 1, ("out", "ipv4", "quarantine"): 1}
    wait_until(lambda: s.ledger(lan.slot["b"]) == quiet, 3)
    assert b.arrived() == []


def test_buckets_by_group(lan):
    """Requests for a known owner in frames a second, for the exchange's own host apart from them."""
    s = lan.raise_()
    s.do("bind", LAN, "198.18.0.200", lan.mac("b"), B_STATIC | B_EXCHANGE, lan.index["b"])
    lan.set_port(s, "a", policed=(1 << P_KNOWN | 1 << P_EXCHANGE, 0))
    s.do("policer", lan.slot["a"], IN, P_KNOWN, 100, 20, PACKETS)
    s.do("policer", lan.slot["a"], IN, P_EXCHANGE, 1000000, 100000, PACKETS)
    a = lan.wire("a")
    known, exchange = bytes(who_has(lan, "a", lan.ip4("b"))), bytes(who_has(lan, "a", "198.18.0.200"))
    began = time.monotonic()
    for _ in range(20):
        a.send(*[known] * 50, *[exchange] * 50)
        time.sleep(0.01)
        # The same again fills no bucket.
        s.do("policer", lan.slot["a"], IN, P_KNOWN, 100, 20, PACKETS)
    took = time.monotonic() - began
    wait_until(lambda: sum(n for (w, _, _), n in s.ledger(lan.slot["a"]).items() if w == "in") == 2000, 3)
    ledger = s.ledger(lan.slot["a"])
    answered = ledger["in", "arp-request", "answered"] - 1000
    assert abs(answered - 20 - 100 * took) <= 3
    assert ledger["in", "arp-request", "policed-in"] == 1000 - answered
    assert len(a.arrived(answered + 1000)) == answered + 1000


def test_the_bucket_of_all_that_floods(lan):
    s = lan.raise_()
    lan.set_port(s, "a", unknown=POLICE, policed=(1 << P_ALL | 1 << P_UNKNOWN | 1 << P_OTHER, 0), flood=1 << 37)
    s.do("policer", lan.slot["a"], IN, P_ALL, 1, 10, PACKETS)
    s.do("policer", lan.slot["a"], IN, P_UNKNOWN, 1, 6, PACKETS)
    s.do("policer", lan.slot["a"], IN, P_OTHER, 0, 0, PACKETS)
    a = lan.wire("a")
    a.send(*[who_has(lan, "a", "198.18.0.77")] * 20)
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == 20, 3)
    assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "flooded"): 6, ("in", "arp-request", "policed-in"): 14}
    a.send(*[Ether(src=lan.mac("a"), dst="02:00:00:00:00:99") / IP(dst="198.18.0.99") / UDP()] * 20)
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == 40, 3)
    assert s.ledger(lan.slot["a"])["in", "ipv4", "flooded"] == 4


@with_xdp
def test_dry_run_says_what_it_would_do(lan):
    s = lan.shell()
    for role in "abcf":
        lan.set_port(s, role, flags=CLOSED | DRY)
    lan.fill(s)
    lan.attach(s)
    a, b = lan.wire("a"), lan.wire("b")
    frames = [who_has(lan, "a", lan.ip4("b")), who_has(lan, "a", "198.18.0.77"), dhcp(lan, "a"),
              who_has(lan, "a", lan.ip4("r"), src=lan.mac("c"))]
    a.send(*frames)
    assert b.arrived(4) == [bytes(f) for f in frames]
    assert a.arrived() == []
    wait_until(lambda: s.would(lan.slot["a"]) == {
        ("in", "arp-request", "answered"): 1, ("in", "arp-request", "unknown-target"): 1,
        ("in", "dhcp4", "hygiene"): 1, ("in", "arp-request", "spoof-mac"): 1}, 3)
    assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "would"): 3, ("in", "dhcp4", "would"): 1}
    assert [(e["type"], e["flags"], e["rule"]) for e in s.do("events")["rows"]] == [(E_SPOOF, 0x80, "source-mac")]
    s.do("zero", lan.slot["a"])
    assert s.would(lan.slot["a"]) == {} and s.ledger(lan.slot["a"]) == {}


def test_unicast_forward_in_dry_run(lan):
    """It goes on, which dry run does not change. The packet plane cannot keep back what it lets go: there it only would be."""
    s = lan.raise_(flags=CLOSED | DRY | UNICAST)
    lan.pe.bridge(f"fdb replace {lan.mac('b')} dev m2 master static")
    a, b, c = lan.wire("a"), lan.wire("b"), lan.wire("c")
    request = who_has(lan, "a", lan.ip4("b"))
    a.send(request)
    if lan.plane == "packet":
        assert b.arrived(1) == [bytes(request)] == c.arrived(1)
        wait_until(lambda: s.ledger(lan.slot["a"]) == {("in", "arp-request", "would"): 1}, 3)
        assert s.would(lan.slot["a"]) == {("in", "arp-request", "unicast-forwarded"): 1}
    else:
        request[Ether].dst = lan.mac("b")
        assert b.arrived(1) == [bytes(request)] and c.arrived() == []
        assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "unicast-forwarded"): 1}
    assert a.arrived() == []


def test_the_underlay(lan):
    """Only VTEPs that have told us of themselves, only for our VNIs; all else on that wire passes."""
    s = lan.shell()
    s.do("port", lan.index["f"], 0, lan.slot["f"], UNDERLAY, 0, 0, 0, 0, 0, 0, 0, 0)
    for vni, ip in (0, "10.0.0.1"), (LAN, "::"), (LAN, "10.0.0.2"):
        s.do("vtep", vni, ip)
    s.do("attach", lan.index["f"], 0)
    f = lan.wire("f")

    def send(source="10.0.0.2", to="10.0.0.1", vni=LAN, flags=8, port=4789):
        f.send(Ether(src=lan.mac("f"), dst="02:00:00:00:00:01") / IP(src=source, dst=to) / UDP(dport=port) /
               Raw(struct.pack("!B3xI", flags, vni << 8) + bytes(50)))
    for case in ({}, {}, {"source": "10.0.0.3"}, {"vni": 101}, {"flags": 0}, {"to": "10.0.0.9"}, {"port": 53}):
        send(**case)
    f.send(who_has(lan, "f", "10.0.0.1", sender="10.0.0.2"))
    said = {("in", "ipv4", "forwarded"): 2, ("in", "ipv4", "unknown-vtep"): 1, ("in", "ipv4", "foreign-vni"): 2}
    wait_until(lambda: s.ledger(lan.slot["f"]) == said, 3)
    s.do("unvtep", LAN, "10.0.0.2")
    send()
    said["in", "ipv4", "unknown-vtep"] += 1
    wait_until(lambda: s.ledger(lan.slot["f"]) == said, 3)


def test_full_tables(lan):
    s = lan.shell(bindings=4)
    lan.set_port(s, "a")
    lan.fill(s)
    lan.attach(s, "a")
    assert s.ask("bind", LAN, "198.18.0.99", lan.mac("b"), 0, lan.index["b"])["result"] == -28
    assert s.ask("bind", LAN, "2001:db8::99", lan.mac("b"), 0, lan.index["b"])["result"] == -28
    s.do("bind", LAN, lan.ip4("b"), lan.mac("b"), B_STATIC, lan.index["b"])  # what is there may change
    for i in range(64):
        s.do("vtep", LAN, f"10.0.0.{i}")
    assert s.ask("vtep", LAN, "10.0.1.0")["result"] == -28
    assert s.ask("port", 4711, LAN, 16, MEMBER, *[0] * 8)["result"] == -28
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1

"""What a plane tells of: who speaks, who forges, who asks for nobody; that a flood of inventions hides none of it."""
import os
import struct
import time

import pytest
from conftest import wait_until
from plane_box import (  # noqa: F401  (a fixture)
    B_SPONGE, B_STATIC, E_BINDING, E_LIFE, E_PROBE, E_QUERY, E_SPOOF, E_TRAP, LAN, M_TRAP, SPONGE, WATCH,
    arp_answer, lan, who_has)

pytestmark = pytest.mark.needs("tests/bpf/plane_shell")
scapy = pytest.importorskip("scapy.all")
from scapy.all import IP, TCP, UDP, Ether  # noqa: E402


def test_events(lan):
    s = lan.raise_()
    a, c = lan.wire("a"), lan.wire("c")
    lan.set_port(s, "c", flags=0)
    stranger = "02:00:00:00:00:77"
    for _ in range(50):
        c.send(who_has(lan, "c", "198.18.0.50", src=stranger, sender="198.18.0.50"))  # announces itself
        a.send(who_has(lan, "a", lan.ip4("c"), sender=lan.ip4("b")))
        a.send(who_has(lan, "a", "198.18.0.99", sender="0.0.0.0"))
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == 100, 3)
    # Fifty of each, told once.
    assert sorted(s.events()) == sorted([(E_BINDING, stranger, "198.18.0.50"), (E_SPOOF, lan.mac("a"), lan.ip4("b")),
                                         (E_PROBE, lan.mac("a"), "198.18.0.99")])
    # A member that invents senders may tell a little, and hides nobody: another port is still heard.
    began, cpus = time.monotonic(), os.cpu_count()
    rest = bytes(who_has(lan, "a", lan.ip4("c")))[12:]
    for i in range(20000):
        a.send(b"\xff" * 6 + struct.pack("!HI", 0x0600, i) + rest)
        if not i % 4000:
            c.send(who_has(lan, "c", "198.18.0.51", src="02:00:00:00:00:78", sender=f"198.18.1.{i // 4000}"))
    wait_until(lambda: s.ledger(lan.slot["a"])["in", "arp-request", "spoof-mac"] == 20000, 5)
    told, took = s.events(), time.monotonic() - began
    assert 16 <= sum(t == E_SPOOF for t, _, _ in told) <= 16 * (4 + took) * cpus
    assert {ip for t, _, ip in told if t == E_BINDING} == {f"198.18.1.{i}" for i in range(5)}


def test_a_scan_hides_nothing(lan):
    """Questions for empty space have a budget of their own: what is to be learned is still told."""
    s = lan.raise_()
    lan.set_port(s, "a", flags=0, unknown=SPONGE)
    a, cpus = lan.wire("a"), os.cpu_count()
    began, request = time.monotonic(), bytes(who_has(lan, "a", "0.0.0.0"))[:38]
    for i in range(20000):
        a.send(request + struct.pack("!I", 0xC6130000 + i))
        if not i % 4000:
            a.send(who_has(lan, "a", lan.ip4("c"), sender=f"198.18.2.{i // 4000}"))
    wait_until(lambda: sum(n for (w, _, o), n in s.ledger(lan.slot["a"]).items() if w == "in") == 20005, 5)
    told, took = s.events(), time.monotonic() - began
    assert {ip for t, _, ip in told if t == E_BINDING} == {f"198.18.2.{i}" for i in range(5)}
    assert 128 <= sum(t == E_QUERY for t, _, _ in told) <= 128 * (4 + took) * cpus


def test_the_sponge(lan):
    sponge = "02:00:00:00:00:53"
    s = lan.raise_()
    s.do("bind", LAN, "198.18.0.50", sponge, B_STATIC | B_SPONGE, 0)
    s.do("mac", LAN, sponge, 0, 0, M_TRAP)
    lan.set_port(s, "c", flags=WATCH)
    a, b, c = lan.wire("a"), lan.wire("b"), lan.wire("c")
    a.send(who_has(lan, "a", "198.18.0.50"))
    assert a.arrived(1) == [arp_answer(lan, sponge, "198.18.0.50", lan.mac("a"), lan.ip4("a"))]
    a.send(Ether(src=lan.mac("a"), dst=sponge) / IP(src=lan.ip4("a"), dst="198.18.0.50") / TCP(dport=179, flags="S"))
    c.send(Ether(src=lan.mac("c"), dst=lan.mac("b")) / IP(src="198.18.0.50", dst=lan.ip4("b")) / UDP())
    assert len(b.arrived(1)) == 1
    told = []
    wait_until(lambda: told.extend((e["type"], e["ip"], e["flags"]) for e in s.do("events")["rows"]) or len(told) >= 3, 3)
    assert sorted(told) == [(E_QUERY, "198.18.0.50", 0), (E_TRAP, "198.18.0.50", 0x10), (E_LIFE, "198.18.0.50", 0)]
    assert s.ledger(lan.slot["a"])["in", "ipv4", "trapped"] == 1

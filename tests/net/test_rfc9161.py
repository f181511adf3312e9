"""RFC 9161 with real kernels as members: duplicate addresses, MAC lists, refresh, announcements, DAD. Ports that the registry
does not name learn; quelld is of straw."""
import contextlib
import json
import select
import time

import pytest
import wire
from agent_box import MACS, OTHER, Agent, entry, ip4, ip6
from conftest import wait_until
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

pytestmark = pytest.mark.needs("quell-agent")
PLANES = "bpf", "packet"
FAR = "02:00:5e:00:0f:01"
SELF = "02:00:5e:99:00:01"
MACS.setdefault(4, "02:00:5e:00:00:04")


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build, ports=4)
    yield a
    a.close()


def begin(box, *entries, **options):
    box.write(*(entries or (entry(1), entry(2))), **options)
    box.straw = box.feed()
    box.start()
    box.straw.accept().snapshot()
    box.straw.say({"op": "end"})
    wait_until(box.open, 10, "the ports are taken")
    return box


def live(box, n, address=None, mac=None):
    """Member n is a Linux host with that address; it speaks for it when it asks for somebody."""
    m = box.members[n]
    if mac:
        m.ip(f"link set eth0 address {mac}")
    m.ip("addr flush dev eth0", f"addr add {address or ip4(n)}/21 dev eth0")


def speak(box, n):
    box.members[n].ip("neigh flush dev eth0")
    box.members[n].run("ping", "-c1", "-W1", ip4(1 if n != 1 else 2), check=False)


def state(box, ip):
    row = box.rows("bindings", "ip").get(ip)
    return row and (row["state"], row["mac"])


@contextlib.contextmanager
def ears(box, *numbers):
    """What arrives at these members: [(seconds, frame)], grown by listen()."""
    ports = {n: box.port(n) for n in numbers}
    heard = {n: [] for n in numbers}

    def listen(seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for s in select.select([p.socket for p in ports.values()], [], [], left)[0]:
                n = next(n for n, p in ports.items() if p.socket is s)
                heard[n].append((time.monotonic(), s.recv(2048)))
        return heard
    try:
        yield heard, listen
    finally:
        for p in ports.values():
            p.close()


def is_probe_for(ip):
    """A question of the PE: ARP from its own MAC, sender IP 0."""
    return lambda f: (f[6:12] == wire.mac_bytes(SELF) and f[12:14] == b"\x08\x06" and f[28:32] == b"\0\0\0\0" and
                      f[38:42] == wire.v4(ip))


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_two_hosts_with_one_address(box):
    """Section 3.7: the former owner is asked, both answer, and the address is frozen until the operator clears it."""
    begin(box, **{"duplicate-ip": "{moves: 2, window: 60, confirm: 20}"})
    live(box, 3, ip4(30))
    speak(box, 3)
    wait_until(lambda: state(box, ip4(30)) == ("active", MACS[3]), 5, "the first has it")
    assert box.answered(1, ip4(30)) == MACS[3]
    with ears(box, 2, 3, 4) as (heard, listen):
        live(box, 4, ip4(30))
        speak(box, 4)
        listen(0.5)
        asked = [f for _, f in heard[3] if is_probe_for(ip4(30))(f)]
        assert asked and all(f[0:6] == wire.mac_bytes(MACS[3]) for f in asked), "the former owner is asked, by unicast"
        assert state(box, ip4(30)) == ("active", MACS[3])
        wait_until(lambda: listen(0.2) and state(box, ip4(30))[0] == "duplicate", 20, "it is a duplicate")
        assert any(is_probe_for(ip4(30))(f) for _, f in heard[4]), "so is the rival"
        assert not any(is_probe_for(ip4(30))(f) for _, f in heard[2]), "and nobody else"
    assert box.answered(1, ip4(30), 0.4) is None
    box.straw.until(op="del", mac=MACS[3], ip=ip4(30))
    assert "two hosts" in box.process.said()
    speak(box, 4)
    assert state(box, ip4(30))[0] == "duplicate"
    assert box.ask(b'{"do":"clear-duplicate-ip","lan":"ixp","ip":"198.18.0.31"}')["error"]
    box.members[4].ip("addr flush dev eth0")
    assert box.ask(json.dumps({"do": "clear-duplicate-ip", "lan": "ixp", "ip": ip4(30)}).encode()) == {"ok": True}
    wait_until(lambda: state(box, ip4(30)) == ("active", MACS[3]), 5, "its owner has it again")
    assert box.answered(1, ip4(30)) == MACS[3]


def test_an_address_moves_to_a_new_router(box):
    """The former owner is silent, so the new one has it."""
    begin(box, **{"duplicate-ip": "{confirm: 5}"})
    live(box, 3, ip4(30))
    speak(box, 3)
    wait_until(lambda: state(box, ip4(30)) == ("active", MACS[3]), 5, "the first has it")
    box.members[3].ip("addr flush dev eth0")
    live(box, 4, ip4(30))
    speak(box, 4)
    assert state(box, ip4(30)) == ("active", MACS[3])
    wait_until(lambda: state(box, ip4(30)) == ("active", MACS[4]), 10, "the other has it")
    assert box.answered(1, ip4(30)) == MACS[4]


def test_a_forger_gets_nothing(box):
    """Who claims an address five times and never answers for it moves and freezes nothing."""
    begin(box, **{"duplicate-ip": "{moves: 2, confirm: 2}"})
    live(box, 3, ip4(30))
    speak(box, 3)
    wait_until(lambda: state(box, ip4(30)) == ("active", MACS[3]), 5, "its owner has it")
    with box.port(4) as forger:
        for _ in range(5):
            forger.send(wire.garp(MACS[4], ip4(30)))
            time.sleep(3)
            assert state(box, ip4(30)) == ("active", MACS[3])
    assert box.answered(1, ip4(30)) == MACS[3]
    assert "its owner answers" in box.process.said()


def test_the_anti_spoofing_mac(box):
    """Quelld and members are told of it; what is sent to it goes nowhere."""
    trap = "02:00:5e:0a:5a:01"
    begin(box, **{"duplicate-ip": f"{{moves: 2, confirm: 0, as-mac: {trap}}}"})
    live(box, 3, ip4(30))
    live(box, 4, ip4(30))
    with ears(box, 2, 3) as (heard, listen):
        speak(box, 3)
        wait_until(lambda: state(box, ip4(30)) == ("active", MACS[3]), 5, "the first has it")
        wait_until(lambda: speak(box, 4) or speak(box, 3) or state(box, ip4(30))[0] == "duplicate", 15, "it is a duplicate")
        box.straw.until(op="add", mac=trap, ip=ip4(30))
        listen(1)
        assert any(f[22:28] == wire.mac_bytes(trap) and f[28:32] == wire.v4(ip4(30)) for _, f in heard[2])
        assert box.answered(1, ip4(30)) == trap
        with box.port(1) as p:
            probe = bytes(wire.who_has(MACS[1], "0.0.0.0", ip4(30)))
            p.send(probe)
            assert p.await_frame(wire.is_arp_reply(ip4(30)), 0.5) is None, "a probe is not answered"
            before = box.show("ledger", port="swp1")["ports"][0]["in"]
            p.send(Ether(src=MACS[1], dst=trap) / IP(src=ip4(1), dst=ip4(30)))
            wait_until(lambda: box.show("ledger", port="swp1")["ports"][0]["in"] != before, 5, "it is counted")
        assert box.show("ledger", port="swp1")["ports"][0]["in"]["ipv4"]["trapped"][0] == 1


# --- MAC lists --------------------------------------------------------------------------------------------------------


def test_a_router_is_swapped(box):
    """Section 5.5: the new MAC is put beside the old one, the router replaced, and the exchange does nothing."""
    new = "02:00:5e:00:01:01"
    begin(box, entry(1, macs=[MACS[1], new]), entry(2))
    assert state(box, ip4(1))[0] == "awaited"
    assert box.answered(2, ip4(1), 0.4) is None
    live(box, 1)
    speak(box, 1)
    wait_until(lambda: state(box, ip4(1)) == ("active", MACS[1]), 5, "the old router is heard")
    box.straw.until(op="add", mac=MACS[1], ip=ip4(1))
    assert box.answered(2, ip4(1)) == MACS[1] and box.answered(2, ip6(1)) == MACS[1]
    box.members[1].ip("link set eth0 down")
    wait_until(lambda: state(box, ip4(1))[0] == "dead", 5, "the cable is out")
    live(box, 1, mac=new)
    box.members[1].ip("link set eth0 up")
    wait_until(lambda: state(box, ip4(1))[0] == "awaited", 5, "nobody is heard yet")
    wait_until(lambda: speak(box, 1) or state(box, ip4(1)) == ("active", new), 10, "the new router is heard")
    box.straw.until(op="add", mac=new, ip=ip4(1))
    assert box.answered(2, ip4(1)) == new and box.answered(2, ip6(1)) == new


# --- ageing and refresh -----------------------------------------------------------------------------------------------


@pytest.mark.only_bpf("it takes a minute, and it is the books that age and ask")
def test_refresh_is_seen_by_the_owner_alone_and_who_does_not_answer_ages(box):
    begin(box, **{"age-time": 60, "refresh": 10})
    live(box, 3, ip4(30))
    speak(box, 3)
    wait_until(lambda: state(box, ip4(30)) == ("active", MACS[3]), 5, "it is learned")
    with box.port(4) as p:
        p.send(wire.garp(MACS[4], ip4(40)))  # nobody who would answer
    wait_until(lambda: state(box, ip4(40)) == ("active", MACS[4]), 5, "so is the other")
    start = time.monotonic()
    with ears(box, 1, 2, 3, 4) as (heard, listen):
        listen(13)
        asked = {n: [f for _, f in heard[n] if f[6:12] == wire.mac_bytes(SELF)] for n in heard}
        assert asked[3] and all(is_probe_for(ip4(30))(f) and f[0:6] == wire.mac_bytes(MACS[3]) for f in asked[3])
        assert asked[4] and all(is_probe_for(ip4(40))(f) and f[0:6] == wire.mac_bytes(MACS[4]) for f in asked[4])
        assert not asked[1] and not asked[2], "static entries are not asked"
        assert not heard[1] and not heard[2], "and nobody hears of it"
    assert box.rows("bindings", "ip")[ip4(30)]["age_s"] < 5
    wait_until(lambda: state(box, ip4(40)) is None, 65, "who does not answer is gone", every=1)
    assert time.monotonic() - start > 50
    assert state(box, ip4(30)) == ("active", MACS[3]) and box.answered(1, ip4(30)) == MACS[3]
    box.straw.until(op="del", mac=MACS[4], ip=ip4(40))


# --- announcements ----------------------------------------------------------------------------------------------------


def test_announcements_are_paced_and_not_for_the_owner(box):
    begin(box, **{"announce": "{on: all, rate: 40, port-rate: 10}"})
    wait_until(lambda: box.lan()["sent"]["waiting_addresses"] == 0, 20, "what was new at the start is told")
    with ears(box, 1, 2, 3, 4) as (heard, listen):
        box.straw.say({"op": "mac", "lan": "ixp", "mac": FAR, "vtep": OTHER, "seq": 0, "sticky": False, "stale": False},
                      *({"op": "bind", "lan": "ixp", "ip": ip, "mac": FAR, "vtep": OTHER, "router": True, "override": True,
                         "immutable": False, "stale": False} for n in range(10, 30) for ip in (ip4(n), ip6(n))))
        with box.port(3) as p:
            p.send(wire.garp(MACS[3], ip4(33)))
        wait_until(lambda: box.rows("bindings", "ip").get(ip4(33)), 5, "all are in")
        wait_until(lambda: listen(0.5) and not box.lan()["sent"]["waiting_addresses"], 30, "all is told")
    for n in (1, 2, 3, 4):
        times = sorted(t for t, f in heard[n] if f[6:12] == wire.mac_bytes(FAR))
        assert len(times) == 40, f"port {n}: each address once"
        assert times[-1] - times[0] > 3, "not at once"
        for t in times:
            assert sum(t <= u < t + 1 for u in times) <= 10 + 3 + 1
        own = [f for _, f in heard[n] if f[6:12] == wire.mac_bytes(MACS[3]) and f[28:32] == wire.v4(ip4(33))]
        assert len(own) == (0 if n == 3 else 1), "absorbed, told to all but its owner"
    everything = sorted(t for n in heard for t, _ in heard[n])
    for t in everything:
        assert sum(t <= u < t + 1 for u in everything) <= 40 + 10 + 4


# --- DAD --------------------------------------------------------------------------------------------------------------


def test_dad_is_answered_at_the_port_that_asks(box):
    """A host that wants another's address hears that it is taken; the answer, to all nodes, reaches nobody else."""
    begin(box)
    with ears(box, 1, 2, 4) as (heard, listen):
        m = box.members[3]
        m.sysctl({"net.ipv6.conf.eth0.accept_dad": 1, "net.ipv6.conf.eth0.dad_transmits": 1,
                  "net.ipv6.conf.all.disable_ipv6": 0, "net.ipv6.conf.eth0.disable_ipv6": 0})
        m.ip(f"addr add {ip6(1)}/64 dev eth0", f"addr add {ip6(50)}/64 dev eth0")
        wait_until(lambda: listen(0.1) and "dadfailed" in m.run("ip", "-6", "addr", "show", "to", ip6(1)), 10, "it is taken")
        wait_until(lambda: listen(0.1) and "tentative" not in m.run("ip", "-6", "addr", "show", "to", ip6(50)), 10, "it is free")
        listen(0.3)
        for n in heard:
            assert not [f for _, f in heard[n] if f[12:14] == b"\x86\xdd" and f[54] == 136], "no NA anywhere else"

"""The import policy of a route server, as its PEs and its operator meet it: each refusal by its reason, what is refused
is told to nobody, duplicate and sticky MACs, and that what was refused comes in when the cause is gone."""
import json
import socket
import struct
import subprocess

import pytest
from bgp_peer import END_OF_RIB, Peer, attribute, macip, message, withdraw
from conftest import wait_until
from quelld_box import Quelld, inside

pytestmark = pytest.mark.needs("quelld")
RS, A, B, C = "10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"
CONFIG = f"""router-id: {RS}
bgp:
  as: 65000
  listen: [{RS}]
  defer-time: 1
  import: {{vteps: [10.99.0.0/24], route-targets: [auto]}}
  neighbors:
    - {{address: {A}, client: true, passive: true}}
    - {{address: {B}, client: true, passive: true}}
    - {{address: {C}, client: true, passive: true, import: {{types: [mac-ip], sticky-macs: false}}}}
lans:
  - name: ixp
    vni: 100
    prefixes: [198.18.0.0/21]
    duplicate-mac: {{moves: 3, window: 60}}
"""
RT = struct.pack("!BBHI", 0, 2, 65000, 100)
VXLAN = struct.pack("!BBIH", 3, 12, 0, 8)
GATEWAY = bytes.fromhex("030d000000000000")
STICKY = bytes.fromhex("0600010000000000")


def mobility(seq):
    return struct.pack("!BBBBI", 6, 0, 0, 0, seq)


def mac(n):
    return f"02:00:5e:00:00:{n:02x}"


def announce(nlri, next_hop, *ecoms, rt=RT):
    attrs = attribute(0x40, 1, b"\x00") + attribute(0x40, 2, b"") + attribute(0x40, 5, struct.pack("!I", 100)) + \
        attribute(0xc0, 16, rt + VXLAN + b"".join(ecoms)) + \
        attribute(0x80, 14, struct.pack("!HBB", 25, 70, 4) + socket.inet_aton(next_hop) + b"\x00" + nlri)
    return message(2, struct.pack("!HH", 0, len(attrs)) + attrs)


def imet(rd_ip, originator):
    value = struct.pack("!H4sH", 1, socket.inet_aton(rd_ip), 2) + bytes(4) + b"\x20" + socket.inet_aton(originator)
    return bytes([3, len(value)]) + value


@pytest.fixture
def wire(scope):
    rs, pes = scope.netns("rs"), scope.netns("pes")
    scope.veth(rs, "up0", pes, "up0")
    rs.ip(f"addr add {RS}/24 dev up0", "link set up0 up")
    pes.ip(*(f"addr add {pe}/24 dev up0" for pe in (A, B, C)), "link set up0 up")
    return rs, pes


@pytest.fixture
def quelld(scope, wire, build):
    made = Quelld(scope, wire[0], build, CONFIG).start()
    yield made
    assert made.process.alive(), made.process.said()[-4000:]


@pytest.fixture
def pes(quelld, wire):
    made = {}
    for address in (A, B, C):
        with inside(wire[1]):
            made[address] = Peer(RS, address).establish()
    for p in made.values():
        p.send(END_OF_RIB)
    for p in made.values():
        p.until_end_of_rib()
    yield made
    for p in made.values():
        p.close()


def rejected(quelld, **which):
    return {r["text"]: r["refused"] for r in quelld.ask(show="routes", rejected=True, **which)["routes"]}


def refused(quelld, address):
    return quelld.neighbor(address)["refused"]


def alarms(quelld):
    return quelld.show("alarms")["alarms"]


REFUSALS = [
    (A, "mac-zero", lambda: announce(macip(A, 2, "00:00:00:00:00:00"), A)),
    (A, "mac-multicast", lambda: announce(macip(A, 2, "01:00:5e:00:00:01"), A)),
    (A, "mac-broadcast", lambda: announce(macip(A, 2, "ff:ff:ff:ff:ff:ff"), A)),
    (A, "ip-unspecified", lambda: announce(macip(A, 2, mac(1), "0.0.0.0"), A)),
    (A, "ip-multicast", lambda: announce(macip(A, 2, mac(1), "224.0.0.5"), A)),
    (A, "ip-loopback", lambda: announce(macip(A, 2, mac(1), "127.0.0.1"), A)),
    (A, "ip-broadcast", lambda: announce(macip(A, 2, mac(1), "198.18.7.255"), A)),
    (A, "ip-outside-lan", lambda: announce(macip(A, 2, mac(1), "192.0.2.1"), A)),
    (A, "default-gateway", lambda: announce(macip(A, 2, mac(1), "198.18.0.1"), A, GATEWAY)),
    (A, "max-esi", lambda: announce(macip(A, 2, mac(2)).replace(bytes(10), b"\xff" * 10, 1), A)),
    (A, "vtep", lambda: announce(macip(A, 2, mac(1)), "10.98.0.1")),
    (A, "originator", lambda: announce(imet(A, "0.0.0.0"), A)),
    (A, "route-target", lambda: announce(macip(A, 2, mac(1)), A, rt=struct.pack("!BBHI", 0, 2, 65000, 200))),
    (C, "route-type", lambda: announce(imet(C, C), C)),
    (C, "unknown-route-type", lambda: announce(b"\xc8\x0a" + bytes(10), C)),
    (C, "sticky", lambda: announce(macip(C, 2, mac(1)), C, STICKY)),
]


def test_each_refusal_by_its_reason(quelld, pes):
    for address, reason, build in REFUSALS:
        pes[address].send(build())
        wait_until(lambda: refused(quelld, address).get(reason) == 1, 5, reason)
        assert reason in rejected(quelld).values(), reason
    # What the others hear is the one behind them all, and nothing before it.
    good = macip(A, 2, mac(99), "198.18.0.99")
    pes[A].send(announce(good, A))
    for address in (B, C):
        heard = pes[address].receive()
        assert good in heard[1], f"{address} heard {heard[1].hex()}"
    assert any(a["what"] == "a default gateway in a LAN that has none" and a["vtep"] == A for a in alarms(quelld))
    n = quelld.neighbor(A)
    assert n["routes_refused"] == len({t for t in rejected(quelld)}) - 3


def test_what_is_refused_replaces_what_was_there(quelld, pes):
    good = macip(A, 2, mac(1), "198.18.0.1")
    pes[A].send(announce(good, A))
    pes[B].until_update(good)
    pes[A].send(announce(good, "10.98.0.1"))
    pes[B].until_update(attribute(0x80, 15, struct.pack("!HB", 25, 70))[4:])
    assert set(rejected(quelld).values()) == {"vtep"}
    pes[A].send(announce(good, A))
    pes[B].until_update(good)
    assert not rejected(quelld)


def frozen(quelld):
    return {m["mac"]: m["vtep"] for m in quelld.show("lan")["lans"][0]["macs"] if m["duplicate"]}


def flap(quelld, pes, n):
    """Three moves, the last to B."""
    for seq, pe in enumerate((A, B, A, B)):
        pes[pe].send(announce(macip(pe, 2, mac(n)), pe, mobility(seq)))
        wait_until(lambda: any(m["mac"] == mac(n) and m["vtep"] == pe for m in quelld.show("lan")["lans"][0]["macs"]),
                   5, f"at {pe}")


def test_a_duplicate_is_frozen_and_cleared(quelld, pes, build):
    flap(quelld, pes, 1)
    assert frozen(quelld) == {mac(1): B}
    assert any(a["mac"] == mac(1) and a["vtep"] == B and "duplicate" in a["what"] for a in alarms(quelld))
    # What A claims from now on is not passed on, and its route of before is gone.
    claim = macip(A, 2, mac(1))
    while True:
        try:
            pes[C].receive(0.3)
        except TimeoutError:
            break
    pes[A].send(announce(claim, A, mobility(9)))
    wait_until(lambda: refused(quelld, A).get("duplicate-mac") == 1, 5, "refused")
    assert list(rejected(quelld, mac=mac(1)).values()) == ["duplicate-mac"]
    pes[C].until_update(attribute(0x80, 15, struct.pack("!HB", 25, 70))[4:])
    assert frozen(quelld) == {mac(1): B}
    # Who may not is told so, and a MAC that is not frozen, too.
    assert "error" in quelld.ask(do="clear-duplicate", lan="ixp", mac=mac(2))
    assert "error" in quelld.ask(do="clear-duplicate", lan="ixp")
    quell = [f"{build}/quell", "--socket-dir", quelld.run_dir]
    subprocess.run([*quell, "clear", "duplicate", "ixp", mac(1)], check=True)
    pes[C].until_update(claim)
    assert not rejected(quelld) and not frozen(quelld)
    wait_until(lambda: quelld.show("lan", lan="ixp")["lans"][0]["macs"][0]["vtep"] == A, 5, "at A")
    assert subprocess.run([*quell, "clear", "duplicate", "ixp", mac(1)], capture_output=True).returncode == 1
    assert subprocess.run([*quell, "clear", "duplicate", "ixp"], capture_output=True).returncode == 2
    shown = subprocess.run([*quell, "show", "alarms"], check=True, capture_output=True, text=True).stdout
    assert mac(1) in shown


def test_a_duplicate_goes_to_who_is_left(quelld, pes):
    flap(quelld, pes, 1)
    claim = macip(A, 2, mac(1))
    pes[A].send(announce(claim, A, mobility(9)))
    wait_until(lambda: rejected(quelld), 5, "refused")
    pes[B].send(withdraw([macip(B, 2, mac(1))]))
    wait_until(lambda: frozen(quelld) == {mac(1): A}, 10, "at A")
    assert not rejected(quelld)


def test_a_sticky_mac_does_not_move(quelld, pes):
    sticky, claim = macip(A, 2, mac(1)), macip(B, 2, mac(1))
    pes[A].send(announce(sticky, A, STICKY))
    pes[C].until_update(sticky)
    for nth in (1, 2):
        pes[B].send(announce(claim, B, mobility(nth)))
        wait_until(lambda: refused(quelld, B).get("sticky-move") == nth, 5, "refused")
    assert len([a for a in alarms(quelld) if a["mac"] == mac(1) and a["vtep"] == B]) == 1
    pes[A].send(withdraw([sticky]))
    pes[C].until_update(claim, 10)
    assert not rejected(quelld)


def test_one_arp_nd_community_goes_on(quelld, pes):
    """RFC 9047 section 3.2: of several the first counts, and the others are not passed on."""
    first, second = bytes.fromhex("0608080000000000"), bytes.fromhex("0608010000000000")
    nlri = macip(A, 2, mac(1), "198.18.0.1")
    pes[A].send(announce(nlri, A, first, second, mobility(7)))
    heard = pes[C].receive()[1]
    assert nlri in heard and RT + VXLAN + first + mobility(7) in heard and second not in heard
    wait_until(lambda: quelld.show("lan")["lans"][0]["bindings"], 5, "in the LAN")
    assert quelld.show("lan")["lans"][0]["bindings"][0]["immutable"]


def test_a_reload_asks_again(quelld, pes, build):
    """Other rules, under sessions that go on: what was refused comes in, what was there goes; and the LAN's limits."""
    kept = macip(A, 2, mac(1), "198.18.0.1")
    outside, sticky = macip(B, 2, mac(2), "198.18.9.1"), macip(C, 2, mac(3))
    pes[A].send(announce(kept, A))
    pes[B].send(announce(outside, B))
    pes[C].send(announce(sticky, C, STICKY))
    wait_until(lambda: sorted(rejected(quelld).values()) == ["ip-outside-lan", "sticky"], 5, "both refused")
    quell = [f"{build}/quell", "--socket-dir", quelld.run_dir]
    shown = json.loads(subprocess.run([*quell, "show", "routes", "--rejected", "--json"], check=True,
                                      capture_output=True).stdout)["routes"]
    assert {r["refused"] for r in shown} == {"ip-outside-lan", "sticky"}
    text = quelld.config.read_text()
    flaps = [quelld.neighbor(n)["flaps"] for n in (A, B, C)]
    quelld.config.write_text(text.replace("198.18.0.0/21", "198.18.8.0/21").replace("sticky-macs: false", "sanity: true")
                             .replace("moves: 3", "moves: 7"))
    subprocess.run([*quell, "reload"], check=True)
    wait_until(lambda: list(rejected(quelld).items()) == [(t, "ip-outside-lan") for t in rejected(quelld) if mac(1) in t],
               5, "the other way round")
    got = b""
    while outside not in got or sticky not in got:
        got += pes[A].receive()[1]
    assert len(rejected(quelld)) == 1
    assert flaps == [quelld.neighbor(n)["flaps"] for n in (A, B, C)] and quelld.established(A, B, C)
    flap(quelld, pes, 9)
    assert not frozen(quelld)
    quelld.config.write_text(text)
    subprocess.run([*quell, "reload"], check=True)
    wait_until(lambda: sorted(rejected(quelld).values()) == ["ip-outside-lan", "sticky"], 5, "as before")

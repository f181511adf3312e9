"""GoBGP 3.10 as a PE: what it announces is read and passed on, what it is told it reads; and quelld stands what it does
differently."""
import time

import pytest
import vectors
from bgp_peer import withdraw
from conftest import EXABGP, GOBGP, ONE, TWO, wait_until
from evpn_wire import key_of
from vectors import ARP_ND, ESI0, ROUTES, RT, TAG, VXLAN, announce, ip, nlri

pytestmark = [pytest.mark.needs("quelld", "gobgpd", "gobgp")]
RD5 = "00010a6300050064"
ENCAP = "rt 65000:100 encap vxlan"

# What is told gobgpd, and the octets that must come out of quelld: NLRI, extended communities, PMSI.
ANNOUNCED = {
    "type 1": ("a-d esi LACP aa:bb:cc:dd:ee:ff 100 etag 200 label 300 rd 10.99.0.5:100 rt 65000:100 encap vxlan",
               nlri(1, RD5, "01aabbccddeeff006400", "000000c8", "00012c"), [RT, VXLAN], None),
    "type 2, IPv4": (f"macadv 02:00:5e:00:00:01 198.18.0.1 etag 0 label 100 rd 10.99.0.5:100 {ENCAP}",
                     nlri(2, RD5, ESI0, TAG, "30", "02005e000001", "20", ip("198.18.0.1"), "000064"), [RT, VXLAN], None),
    "type 2, IPv6, ESI, two labels": (
        f"macadv 02:00:5e:00:00:02 2001:db8:100::2 esi AS 65000 100 etag 0 label 100,200 rd 10.99.0.5:100 {ENCAP} "
        "router-mac 02:00:00:00:00:05",
        nlri(2, RD5, "050000fde80000006400", TAG, "30", "02005e000002", "80", ip("2001:db8:100::2"), "000064", "0000c8"),
        [RT, VXLAN, "0603020000000005"], None),
    "type 2, MAC only": (f"macadv 02:00:5e:00:00:03 0.0.0.0 etag 0 label 100 rd 10.99.0.5:100 {ENCAP}",
                         nlri(2, RD5, ESI0, TAG, "30", "02005e000003", "00", "000064"), [RT, VXLAN], None),
    "type 2, default gateway": (
        "macadv 02:00:5e:00:00:04 198.18.0.4 etag 0 label 16777215 rd 10.99.0.5:100 rt 65000:100 default-gateway",
        nlri(2, RD5, ESI0, TAG, "30", "02005e000004", "20", ip("198.18.0.4"), "ffffff"),
        [RT, "030d000000000000", "030d000000000000"], None),
    "type 3": (f"multicast 10.99.0.5 etag 0 rd 10.99.0.5:100 {ENCAP} pmsi ingress-repl 100 10.99.0.5",
               nlri(3, RD5, TAG, "20", ip("10.99.0.5")), [RT, VXLAN], "00060000640a630005"),
    "type 3, IPv6": (f"multicast 2001:db8::5 etag 7 rd 10.99.0.5:100 {ENCAP}",
                     nlri(3, RD5, "00000007", "80", ip("2001:db8::5")), [RT, VXLAN], None),
    "type 4": (f"esi 10.99.0.5 esi MAC aa:bb:cc:dd:ee:ff 100 rd 10.99.0.5:0 {ENCAP}",
               nlri(4, "00010a6300050000", "03aabbccddeeff000064", "20", ip("10.99.0.5")),
               [RT, VXLAN, "0602aabbccddeeff"], None),
    "type 5": (f"prefix 10.0.0.0/24 gw 172.16.0.1 etag 10 label 1000 rd 10.99.0.5:100 {ENCAP} router-mac 02:00:00:00:00:05",
               nlri(5, RD5, ESI0, "0000000a", "18", ip("10.0.0.0"), ip("172.16.0.1"), "0003e8"),
               [RT, VXLAN, "0603020000000005"], None),
    "type 5, ESI": (f"prefix 2001:db8::/48 esi ROUTERID 1.1.1.1 100 etag 0 label 1000 rd 10.99.0.5:100 {ENCAP}",
                    nlri(5, RD5, "04010101010000006400", TAG, "30", ip("2001:db8::"), ip("::"), "0003e8"),
                    [RT, VXLAN], None),
}


@pytest.fixture(autouse=True)
def called(exchange):
    """It takes its time to call."""
    exchange.calls.add(GOBGP)


def test_what_it_announces(exchange):
    """All types that it can: announced, decoded, reflected; seen by ExaBGP, too; withdrawn."""
    q = exchange.raise_quelld()
    g, e, other = exchange.gobgp(), exchange.exabgp(), exchange.peer()
    exchange.up(GOBGP, EXABGP)
    for what, (command, want, ecs, pmsi) in ANNOUNCED.items():
        g.do(f"global rib add -a evpn {command}")
        key = key_of(want)
        other.hear(lambda: key in other.table.routes)
        got, hop, attrs = other.table.routes[key]
        assert got == want and hop == bytes([10, 99, 0, 5]), f"{what}: {got.hex()}"
        assert attrs[16][1].hex() == "".join(ecs), what
        assert attrs.get(22, (0, b""))[1].hex() == (pmsi or ""), what
        wait_until(lambda: e.routes().get(key, [b""])[0] == want, 10, f"ExaBGP has {what}")
    shown = q.routes()
    assert len(shown) == len(ANNOUNCED) and {r["from"] for r in shown} == {GOBGP} and all(r["best"] for r in shown)
    assert sorted(r["type"] for r in shown) == [1, 2, 2, 2, 2, 3, 3, 4, 5, 5]
    # It sends one route an UPDATE; whoever comes later is told them in as few as their attributes allow.
    assert q.neighbor(GOBGP)["updates_in"] >= len(ANNOUNCED)
    late = exchange.peer(TWO)
    late.hear(lambda: len(late.table.routes) == len(ANNOUNCED))
    assert len(late.updates) < len(ANNOUNCED)
    for what, (command, want, _, _) in ANNOUNCED.items():
        g.do(f"global rib del -a evpn {command}")
        other.hear(lambda: key_of(want) not in other.table.routes)
        wait_until(lambda: key_of(want) not in e.routes(), 10, f"ExaBGP has no {what}")
    assert not q.routes()


def told(g):
    """What it has from its neighbour, in short."""
    found = {}
    for p in g.routes():
        v = p["nlri"]["value"]
        found[p["nlri"]["type"], v.get("mac") or v.get("prefix") or v.get("ip") or v.get("esi"), v.get("etag", 0)] = \
            (v["rd"]["admin"], v.get("labels") or v.get("label"), v.get("esi"), v.get("gateway"), v.get("ip"))
    return found


def test_what_it_is_told(exchange):
    exchange.raise_quelld()
    g, one = exchange.gobgp(), exchange.peer()
    exchange.up(GOBGP)
    one.send(announce(ROUTES.values()))
    wait_until(lambda: len(g.routes()) == len(ROUTES), 10, "GoBGP has all")
    has, rd = told(g), "10.99.0.3"
    single = "single-homed"
    assert has[1, "ESI_ARBITRARY | 11:22:33:44:55:66:77:88:99", 0xffffffff][:2] == (rd, 0)
    assert has[1, "ESI_MAC | system mac aa:bb:cc:dd:ee:ff, local discriminator 100", 0][:2] == (rd, 100)
    assert has[2, "02:00:5e:00:00:02", 0] == (rd, [100], single, None, "198.18.0.2")
    assert has[2, "02:00:5e:00:00:03", 0] == (rd, [100], single, None, "2001:db8:100::3")
    assert has[2, "02:00:5e:00:00:04", 0][:2] == (rd, [100, 1000])
    assert has[2, "02:00:5e:00:00:05", 0][2] == "ESI_AS | as 65000, local discriminator 100"
    assert has[3, "10.99.0.3", 0][0] == rd
    assert has[5, "192.0.2.0/24", 0] == (rd, 100, single, "192.0.2.1", None)
    assert has[5, "2001:db8::/48", 0] == (rd, 100, single, "2001:db8::1", None)
    # A change of no more than a label and the segment is told.
    one.send(announce([nlri(2, vectors.RD, vectors.ESIS[5], TAG, "30", "02005e000002", "20", ip("198.18.0.2"), "000065")]))
    wait_until(lambda: told(g)[2, "02:00:5e:00:00:02", 0][1:3] ==
               ([101], "ESI_AS | as 65000, local discriminator 100"), 10, "the new label and segment")
    one.send(withdraw(list(ROUTES.values())))
    wait_until(lambda: not g.routes(), 10, "all is withdrawn")


def test_it_takes_the_arp_nd_community_for_a_withdrawal(exchange):
    """RFC 9047's community, and others of EVPN that it does not know: quelld passes on what it was sent."""
    exchange.raise_quelld()
    g, one, two = exchange.gobgp(), exchange.peer(ONE), exchange.peer(TWO)
    exchange.up(GOBGP)
    route = ROUTES["type 2, IPv4"]
    one.send(announce([route]))
    wait_until(lambda: len(g.routes()) == 1, 10, "GoBGP has it")
    one.send(announce([route], communities=(RT, VXLAN, ARP_ND)))
    two.hear(lambda: ARP_ND in two.table.routes[key_of(route)][2][16][1].hex() if two.table.routes else False)
    wait_until(lambda: not g.routes(), 10, "GoBGP has thrown it away")
    one.send(announce([route]))
    wait_until(lambda: len(g.routes()) == 1, 10, "and has it again")
    assert g.established()


def test_it_goes_deaf_at_an_unknown_route_type(exchange):
    """Unless it is a neighbour of the conservative profile: that is not told them."""
    q = exchange.raise_quelld({GOBGP: {"profile": "conservative"}})
    g, one, two = exchange.gobgp(), exchange.peer(ONE), exchange.peer(TWO)
    exchange.up(GOBGP)
    one.send(announce([ROUTES["type 3, IPv4"], *vectors.UNKNOWN.values(), ROUTES["type 2, IPv4"]]))
    two.hear(lambda: len(two.table.routes) == 2 + len(vectors.UNKNOWN))
    wait_until(lambda: len(g.routes()) == 2, 10, "GoBGP has the two that it knows")
    one.send(announce([ROUTES["type 2, IPv6"]]))
    wait_until(lambda: len(g.routes()) == 3, 10, "and hears on")
    assert q.neighbor(GOBGP)["withheld"] == len(vectors.UNKNOWN)
    one.send(withdraw(list(vectors.UNKNOWN.values())))
    two.hear(lambda: len(two.table.routes) == 3)
    one.send(withdraw([ROUTES["type 2, IPv6"]]))
    wait_until(lambda: len(g.routes()) == 2, 10, "it was not told of their end either")


def test_it_sends_again(exchange):
    """What it sends a second time costs nobody anything. It never asks for a refresh: its `softresetin` reads its own copy."""
    q = exchange.raise_quelld()
    g, two = exchange.gobgp(), exchange.peer(TWO)
    exchange.up(GOBGP)
    for what in ("type 2, IPv4", "type 3", "type 5"):
        g.do(f"global rib add -a evpn {ANNOUNCED[what][0]}")
    two.hear(lambda: len(two.table.routes) == 3)
    before, heard = q.neighbor(GOBGP)["updates_in"], len(two.updates)
    g.do("neighbor 10.99.0.1 softresetout -a evpn")
    wait_until(lambda: q.neighbor(GOBGP)["updates_in"] >= before + 3, 10, "the same again")
    g.do(f"global rib add -a evpn {ANNOUNCED['type 4'][0]}")
    two.hear(lambda: len(two.table.routes) == 4)
    assert len(two.updates) == heard + 1, "the same again is not passed on"


def test_it_restarts_gracefully(exchange):
    """Killed, with graceful restart: its routes stay, stale, and are there when it is back with them."""
    q = exchange.raise_quelld()
    g, other = exchange.gobgp(restart=True), exchange.peer()
    exchange.up(GOBGP)
    g.do(f"global rib add -a evpn {ANNOUNCED['type 3'][0]}")
    g.do(f"global rib add -a evpn {ANNOUNCED['type 2, IPv4'][0]}")
    other.hear(lambda: len(other.table.routes) == 2)
    assert q.neighbor(GOBGP)["gr"]
    g.process.kill()
    wait_until(lambda: q.neighbor(GOBGP)["state"] != "Established", 10)
    assert [r["stale"] for r in q.routes()] == [True, True]
    g.start("-r")
    g.do(f"global rib add -a evpn {ANNOUNCED['type 3'][0]}")
    exchange.up(GOBGP)
    wait_until(lambda: [(r["type"], r["stale"]) for r in q.routes()] == [(3, False)], 30, "what it tells again stays")
    other.hear(lambda: len(other.table.routes) == 1)


def test_quelld_restarts_gracefully(exchange):
    """GoBGP, which refuses a peer for some seconds after a close, keeps what quelld told it."""
    q = exchange.raise_quelld()
    g, one = exchange.gobgp(restart=True), exchange.peer()
    exchange.up(GOBGP)
    one.send(announce([ROUTES["type 2, IPv4"]]))
    wait_until(lambda: len(g.routes()) == 1, 10)
    q.process.kill()
    wait_until(lambda: not g.established(), 10)
    assert [p.get("stale") for p in g.routes()] == [True]
    q.start()
    one = exchange.peer()
    one.send(announce([ROUTES["type 2, IPv4"]]))
    one.send(withdraw([]))  # End-of-RIB
    exchange.up(GOBGP, timeout=30)
    wait_until(lambda: [p.get("stale") for p in g.routes()] == [False], 20, "fresh again")


@pytest.mark.parametrize("theirs", ["secret", "wrong"])
def test_password(exchange, theirs):
    key = exchange.scope.dir / "key"
    key.write_text("secret\n")
    key.chmod(0o600)
    q = exchange.raise_quelld({GOBGP: {"password-file": key}})
    g = exchange.gobgp(lines=[f'auth-password = "{theirs}"'])
    if theirs == "secret":
        exchange.up(GOBGP)
        assert g.established()
        return
    tries = exchange.scope.dir / "gobgp.log"
    end = time.monotonic() + 5
    while time.monotonic() < end:
        assert not q.established(GOBGP), tries
        time.sleep(0.1)


def test_served_by_the_route_server(exchange):
    """An eBGP client: next hop, AS path, MED and communities of another client reach it untouched, and its own go out so."""
    exchange.raise_quelld({GOBGP: {"remote-as": 65005}, ONE: {"remote-as": 65003}})
    g = exchange.gobgp(asn=65005, tail="""[neighbors.ebgp-multihop.config]
enabled = true
multihop-ttl = 2
""")
    one = exchange.peer(ONE, asn=65003)
    exchange.up(GOBGP)
    med, large = vectors.attribute(0x80, 4, b"\x00\x00\x00\x07"), vectors.attribute(0xc0, 32, bytes(11) + b"\x05")
    one.send(announce([ROUTES["type 2, IPv4"]], as_path=bytes.fromhex("02010000fdeb"), local_pref=None, more=med + large))
    g.do(f"global rib add -a evpn {ANNOUNCED['type 2, IPv6, ESI, two labels'][0]}")
    wait_until(lambda: len(g.routes()) == 2, 10, "GoBGP has the other's")
    attrs = next({a["type"]: a for a in p["attrs"]} for p in g.routes() if p.get("source-id") == "10.99.0.1" or
                 p["nlri"]["value"]["mac"] == "02:00:5e:00:00:02" and p["nlri"]["value"]["rd"]["admin"] == "10.99.0.3")
    assert attrs[2]["as_paths"][0]["asns"] == [65003] and attrs[14]["nexthop"] == "10.99.0.3"
    assert attrs[4]["metric"] == 7 and 32 in attrs
    key = key_of(ANNOUNCED["type 2, IPv6, ESI, two labels"][1])
    one.hear(lambda: key in one.table.routes)
    _, hop, got = one.table.routes[key]
    assert got[2][1].hex() == "02010000fded" and hop == bytes([10, 99, 0, 5])


def test_route_target_membership(exchange):
    """RFC 4684: it is sent what it wants, and no more. (Without graceful restart it does not say where its memberships end,
    and would be sent nothing for a minute. It dies of `vrf del`.)"""
    exchange.raise_quelld({GOBGP: {"rt-constrain": "true"}})
    g, one = exchange.gobgp(families=("l2vpn-evpn", "rtc"), restart=True), exchange.peer()
    exchange.up(GOBGP)
    wanted, other = ROUTES["type 2, IPv4"], ROUTES["type 2, IPv6"]
    one.send(announce([wanted]))
    one.send(announce([other], communities=("0002fde8000000c8", VXLAN)))
    g.do("vrf add red rd 65000:1 rt both 65000:100")
    wait_until(lambda: [p["nlri"]["value"]["ip"] for p in g.routes()] == ["198.18.0.2"], 10, "what it wants")
    g.do("vrf add blue rd 65000:2 rt both 65000:200")
    wait_until(lambda: len(g.routes()) == 2, 10, "and the other")
    one.send(withdraw([wanted]))
    wait_until(lambda: [p["nlri"]["value"]["ip"] for p in g.routes()] == ["2001:db8:100::3"], 10, "the first is withdrawn")


def test_several_paths(exchange):
    """RFC 7911: two PEs with one key are two paths to it, each withdrawn by itself; and it sends with identifiers, too."""
    q = exchange.raise_quelld({GOBGP: {"add-path": "both"}})
    g = exchange.gobgp(tail="[neighbors.add-paths.config]\nreceive = true\nsend-max = 8\n")
    one, two = exchange.peer(ONE), exchange.peer(TWO)
    exchange.up(GOBGP)
    route = ROUTES["type 2, IPv4"]

    def hops():
        return sorted(a["nexthop"] for p in g.routes() for a in p["attrs"] if a["type"] == 14)
    one.send(announce([route], next_hop=ONE))
    two.send(announce([route], next_hop=TWO))
    wait_until(lambda: hops() == [ONE, TWO], 10, "both paths")
    one.send(withdraw([route]))
    wait_until(lambda: hops() == [TWO], 10, "one of them")
    g.do(f"global rib add -a evpn {ANNOUNCED['type 3'][0]}")
    two.hear(lambda: two.table.routes)
    assert q.neighbor(GOBGP)["routes_in"] == 1
    g.do(f"global rib del -a evpn {ANNOUNCED['type 3'][0]}")
    two.hear(lambda: not two.table.routes)


def test_gtsm(exchange):
    exchange.raise_quelld({GOBGP: {"ttl-security": 1}})
    g = exchange.gobgp(tail="[neighbors.ttl-security.config]\nenabled = true\nttl-min = 255\n")
    exchange.up(GOBGP)
    g.do(f"global rib add -a evpn {ANNOUNCED['type 3'][0]}")
    wait_until(lambda: exchange.quelld.routes(), 10)

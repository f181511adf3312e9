"""FRR 8.4 as a PE below quelld and as a reflector above it. Sessions, passwords and GTSM between the two are tried in
tests/net/test_quelld_frr.py, whole LANs of FRR PEs in tests/net/test_route_server.py."""
import socket

import pytest
import vectors
from bgp_peer import withdraw
from conftest import EXABGP, FRR, ONE, RS, TWO, Hearer, wait_until
from evpn_wire import key_of
from frr_view import seen
from quelld_box import inside
from vectors import ESI0, ESIS, ROUTES, RT, TAG, VXLAN, announce, ip, nlri

pytestmark = pytest.mark.needs("quelld", "frr")
MAC, IP, VNI = "02:00:5e:00:00:77", "198.18.0.77", 100
KEY2, KEY3 = ROUTES["type 2, IPv4"], ROUTES["type 3, IPv4"]


def config(*neighbors, lines=(), family=()):
    """`neighbors`: (address, options..., options of the family...), the latter with a blank in front."""
    text = ["frr defaults traditional", "hostname pe", "router bgp 65000", f" bgp router-id {FRR}",
            " no bgp default ipv4-unicast", " coalesce-time 0", *(f" {line}" for line in lines)]
    for address, *options in neighbors:
        text += [f" neighbor {address} remote-as 65000", f" neighbor {address} timers connect 1",
                 f" neighbor {address} update-source {FRR}"]
        text += [f" neighbor {address} {o}" for o in options if o[0] != " "]
    text.append(" address-family l2vpn evpn")
    for address, *options in neighbors:
        text.append(f"  neighbor {address} activate")
        text += [f"  neighbor {address}{o}" for o in options if o[0] == " "]
    return "\n".join([*text, *(f"  {line}" for line in family), " exit-address-family", "exit"]) + "\n"


def bridge(e):
    """A VNI without VRF, and a port, in FRR's namespace."""
    member = e.scope.netns("m")
    e.scope.veth(e.pe, "swp1", member, "eth0")
    member.sysctl({"net.ipv6.conf.eth0.disable_ipv6": 1})
    member.ip("link set eth0 up")
    e.pe.ip("link add br0 type bridge stp_state 0",
            f"link add vx0 type vxlan id {VNI} local {FRR} dstport 4789 nolearning", "link set vx0 master br0",
            "link set swp1 master br0", "link set swp1 up", "link set vx0 up", "link set br0 up",
            "addr add 198.18.7.202/21 dev br0")
    e.pe.bridge("link set dev vx0 learning off")


def calm(f):
    return sum(f.notifications().values()) == 0


def test_what_it_announces(exchange):
    """Types 2 and 3, which need no VRF and no bond: announced, seen by ExaBGP and by hand, moved to another MAC, withdrawn."""
    q = exchange.raise_quelld()
    bridge(exchange)
    f, e, one = exchange.frr(config((RS,), family=["advertise-all-vni"])), exchange.exabgp(), exchange.peer()
    exchange.up(FRR, EXABGP)
    rd = None

    def types():
        return sorted(r[0][0] for r in one.table.routes.values())
    one.hear(lambda: 3 in types())
    exchange.pe.bridge(f"fdb replace {MAC} dev swp1 master dynamic")
    exchange.pe.ip(f"neigh replace {IP} lladdr {MAC} dev br0 nud reachable")

    def has(ends):
        return [r for r in one.table.routes.values() if r[0][0] == 2 and r[0].hex().endswith(ends)]
    mac_ip = "30" + MAC.replace(":", "") + "20" + ip(IP) + "000064"
    one.hear(lambda: has(mac_ip))
    route, hop, attrs = has(mac_ip)[0]
    rd = route[2:10]
    assert rd[:6] == b"\x00\x01" + socket.inet_aton(FRR) and hop == socket.inet_aton(FRR)
    assert VXLAN in attrs[16][1].hex() and RT in attrs[16][1].hex()
    imet = next(r for r in one.table.routes.values() if r[0][0] == 3)
    assert imet[2][22][1].hex() == "0006000064" + ip(FRR)
    wait_until(lambda: {r[0] for r in e.routes().values()} == {r[0] for r in one.table.routes.values()}, 10,
               "ExaBGP has the same")
    assert {r["type"] for r in q.routes()} == {2, 3}
    exchange.pe.ip(f"neigh del {IP} dev br0")
    exchange.pe.bridge(f"fdb del {MAC} dev swp1 master")
    one.hear(lambda: not has(mac_ip))
    wait_until(lambda: key_of(route) not in e.routes(), 10, "and ExaBGP")
    assert calm(f)


def shown(f):
    """(RD, prefix) of what FRR has of others."""
    return {(rd, prefix) for rd, prefixes in f.json("show bgp l2vpn evpn route").items() if isinstance(prefixes, dict)
            for prefix in prefixes if prefix != "rd"}


def test_a_reset_and_what_the_profile_is_for(exchange):
    """What is legal ends FRR's session, and quelld's with nobody else; with the profile it does not."""
    q = exchange.raise_quelld({FRR: {"profile": "standard"}})
    f, one, two = exchange.frr(config((RS,))), exchange.peer(ONE), exchange.peer(TWO)
    exchange.up(FRR)
    one.send(announce([KEY2]))
    wait_until(lambda: len(shown(f)) == 1, 10)
    one.send(announce([vectors.RARE["type 3, IPv6"]], pmsi="00060000640a630003"))
    wait_until(lambda: not calm(f), 10, "FRR's NOTIFICATION")
    assert "received 3/9" in q.neighbor(FRR)["last_error"]
    two.hear(lambda: len(two.table.routes) == 2)
    assert q.established(ONE, TWO)


def test_what_it_is_told(exchange):
    exchange.raise_quelld()
    f, one = exchange.frr(config((RS,))), exchange.peer()
    exchange.up(FRR)
    one.send(announce([*ROUTES.values(), *vectors.RARE.values(), *vectors.UNKNOWN.values()]))
    rd = "10.99.0.3:100"
    want = {
        (rd, "[1]:[4294967295]:[00:11:22:33:44:55:66:77:88:99]:[32]:[0.0.0.0]:[0]"),
        (rd, "[1]:[0]:[03:aa:bb:cc:dd:ee:ff:00:00:64]:[32]:[0.0.0.0]:[0]"),
        (rd, "[2]:[0]:[48]:[02:00:5e:00:00:01]"), (rd, "[2]:[0]:[48]:[02:00:5e:00:00:02]:[32]:[198.18.0.2]"),
        (rd, "[2]:[0]:[48]:[02:00:5e:00:00:03]:[128]:[2001:db8:100::3]"),
        (rd, "[2]:[0]:[48]:[02:00:5e:00:00:04]:[32]:[198.18.0.4]"),
        (rd, "[2]:[0]:[48]:[02:00:5e:00:00:05]:[128]:[2001:db8:100::5]"),
        (rd, "[2]:[0]:[48]:[02:00:5e:00:00:06]"), (rd, "[2]:[0]:[48]:[02:00:5e:00:00:07]"),
        (rd, "[2]:[0]:[48]:[02:00:5e:00:00:08]"), (rd, "[3]:[0]:[32]:[10.99.0.3]"),
        (rd, "[4]:[04:01:01:01:01:00:00:00:64:00]:[32]:[10.99.0.3]"), (rd, "[5]:[0]:[24]:[192.0.2.0]"),
        (rd, "[5]:[0]:[48]:[2001:db8::]")}
    wait_until(lambda: shown(f) == want, 10, "FRR shows all that it can")
    one.send(withdraw([*ROUTES.values(), *vectors.RARE.values(), *vectors.UNKNOWN.values()]))
    wait_until(lambda: not shown(f), 10, "all is withdrawn")
    assert calm(f)


def test_refresh(exchange):
    q = exchange.raise_quelld()
    f, one = exchange.frr(config((RS,))), exchange.peer()
    exchange.up(FRR)
    one.send(announce(ROUTES.values()))
    wait_until(lambda: len(shown(f)) == len(ROUTES), 10)
    before = q.neighbor(FRR)["updates_out"]
    f.vtysh(f"clear bgp l2vpn evpn {RS} soft in")
    wait_until(lambda: q.neighbor(FRR)["updates_out"] > before, 10, "what it asked for")
    assert len(shown(f)) == len(ROUTES) and calm(f)


def test_long_messages(exchange):
    """RFC 8654: FRR has it too, so what shares its attributes comes in few messages; all of it arrives."""
    q = exchange.raise_quelld()
    f, one = exchange.frr(config((RS,))), exchange.peer()
    exchange.up(FRR)
    assert q.neighbor(FRR)["extended_message"]
    before = q.neighbor(FRR)
    macs = [nlri(2, vectors.RD, ESI0, TAG, "30", f"02005e{n:06x}", "00", "000064") for n in range(5000)]
    one.send(b"".join(announce(macs[i:i + 100]) for i in range(0, len(macs), 100)))
    wait_until(lambda: len(shown(f)) == len(macs), 30, "FRR has all")
    after = q.neighbor(FRR)
    sizes = (after["octets_out"] - before["octets_out"]) / (after["updates_out"] - before["updates_out"])
    assert sizes > 4096, f"{sizes:.0f} octets a message"
    assert calm(f)


def test_it_restarts_gracefully(exchange):
    """FRR says that it kept its EVPN routes: quelld keeps them, stale, until it is back. (FRR does not keep quelld's.)"""
    q = exchange.raise_quelld()
    bridge(exchange)
    f = exchange.frr(config((RS,), lines=["bgp graceful-restart"], family=["advertise-all-vni"]))
    exchange.up(FRR)
    wait_until(lambda: q.routes(type=3), 10)
    for p in f.processes:
        p.kill()
    wait_until(lambda: not q.established(FRR), 10)
    stale = [r["stale"] for r in q.routes(type=3)]
    f.processes.clear()
    f.start()
    exchange.up(FRR, timeout=30)
    wait_until(lambda: [r["stale"] for r in q.routes(type=3)] == [False], 20, "told again")
    assert stale == ([True] if q.neighbor(FRR)["gr"] else [])


def raise_reflector(exchange):
    """quelld is FRR's client, and so is a hand-made peer; another one is quelld's."""
    exchange.raise_quelld({FRR: {"client": "false"}})
    f = exchange.frr(config((RS, " route-reflector-client"), (TWO, "passive", " route-reflector-client")))
    exchange.up(FRR)
    with inside(exchange.rs):
        two = Hearer(FRR, TWO).establish()
    exchange.closers.append(two.close)
    return f, exchange.peer(ONE), two


# FRR reflects these with other octets: their gateway becomes zero.
ALTERED = {"type 5, IPv4", "type 5, IPv6"}


def test_it_reflects_above_us(exchange):
    """From quelld's client through both reflectors, and back."""
    f, one, two = raise_reflector(exchange)
    one.send(announce(ROUTES.values()))
    two.hear(lambda: len(two.table.routes) == len(ROUTES))
    for what, route in ROUTES.items():
        got, hop, attrs = two.table.routes[key_of(route)]
        assert (got == route) == (what not in ALTERED) and hop == socket.inet_aton("10.99.0.3"), what
        assert attrs[9][1] == socket.inet_aton(ONE), "originator"
        assert attrs[10][1] == socket.inet_aton(FRR) + socket.inet_aton(RS), "clusters"
        assert attrs[16][1].hex() == RT + VXLAN
    one.send(withdraw(list(ROUTES.values())))
    two.hear(lambda: not two.table.routes)
    two.send(announce(ROUTES.values(), next_hop=TWO))
    one.hear(lambda: len(one.table.routes) == len(ROUTES))
    for what, route in ROUTES.items():
        got, hop, attrs = one.table.routes[key_of(route)]
        assert (got == route) == (what not in ALTERED) and hop == socket.inet_aton(TWO), what
        assert attrs[10][1] == socket.inet_aton(RS) + socket.inet_aton(FRR)
    two.close()
    one.hear(lambda: not one.table.routes)
    assert calm(f)


def test_what_it_does_not_pass_on(exchange):
    """A change of the label or the segment alone: quelld tells FRR, FRR tells nobody."""
    f, one, two = raise_reflector(exchange)
    watcher = exchange.exabgp()
    exchange.up(EXABGP)
    one.send(announce([KEY2]))
    two.hear(lambda: two.table.routes)
    changed = nlri(2, vectors.RD, ESIS[5], TAG, "30", "02005e000002", "20", ip("198.18.0.2"), "000065")
    assert key_of(changed) == key_of(KEY2)
    one.send(announce([changed]))
    wait_until(lambda: watcher.routes().get(key_of(changed), [b""])[0] == changed, 10, "quelld tells it")
    one.send(announce([KEY3]))
    two.hear(lambda: len(two.table.routes) == 2)  # behind the change
    assert two.table.routes[key_of(KEY2)][0] == KEY2
    assert calm(f)


def test_several_paths(exchange):
    """RFC 7911: FRR takes several paths of an EVPN route, and does not send them."""
    exchange.raise_quelld({FRR: {"add-path": "both"}})
    f, one, two = exchange.frr(config((RS,))), exchange.peer(ONE), exchange.peer(TWO)
    exchange.up(FRR)

    def hops():
        paths = [p for prefixes in f.json("show bgp l2vpn evpn route").values() if isinstance(prefixes, dict)
                 for prefix, what in prefixes.items() if prefix != "rd" for ps in what["paths"] for p in ps]
        return sorted(h["ip"] for p in paths for h in p["nexthops"])
    one.send(announce([KEY2], next_hop=ONE))
    two.send(announce([KEY2], next_hop=TWO))
    wait_until(lambda: hops() == [ONE, TWO], 10, "both paths")
    two.send(withdraw([KEY2]))
    wait_until(lambda: hops() == [ONE], 10, "one of them")
    assert calm(f)


def test_served_by_the_route_server(exchange):
    """An eBGP client: another's AS path, next hop, MED and communities reach FRR untouched, and FRR's own go out so."""
    exchange.raise_quelld({FRR: {"remote-as": 65020}, ONE: {"remote-as": 65003}})
    bridge(exchange)
    text = config((RS, "ebgp-multihop 2"), lines=["no bgp ebgp-requires-policy"], family=["advertise-all-vni"])
    f, one = exchange.frr(text.replace("router bgp 65000", "router bgp 65020")), exchange.peer(ONE, asn=65003)
    exchange.up(FRR)
    med = vectors.attribute(0x80, 4, b"\x00\x00\x00\x07")
    one.send(announce([KEY2], as_path=bytes.fromhex("02010000fdeb"), local_pref=None, more=med))
    wait_until(lambda: shown(f), 10, "FRR has the other's")
    got = seen(f.json("show bgp l2vpn evpn route detail"))["10.99.0.3:100", "[2]:[0]:[48]:[02:00:5e:00:00:02]:[32]:[198.18.0.2]"]
    assert (got["as path"], got["next hop"], got["med"]) == ([(2, [65003])], "10.99.0.3", 7)
    one.hear(lambda: one.table.routes)
    route, hop, attrs = next(iter(one.table.routes.values()))
    assert route[0] == 3 and hop == socket.inet_aton(FRR) and attrs[2][1].hex() == "02010000fdfc"
    assert calm(f)

"""ExaBGP 4.2, which announces no EVPN but shows each NLRI that it is told in hex: a third opinion on what quelld sends."""
import time

import pytest
import vectors
from bgp_peer import withdraw
from conftest import EXABGP, ONE, wait_until
from evpn_wire import Table, key_of, update
from frr_view import is_told
from test_random import KEYS, SEED, Source
from vectors import ESI0, RARE, ROUTES, RT, TAG, VXLAN, announce, ip, nlri

pytestmark = [pytest.mark.needs("quelld", "exabgp")]
ALL = {**ROUTES, **RARE, **vectors.UNKNOWN}


def test_what_it_is_told(exchange):
    """All types, those that it does not know included, octet for octet; changed; withdrawn."""
    exchange.raise_quelld()
    e, one = exchange.exabgp(), exchange.peer()
    exchange.up(EXABGP)
    one.send(announce(ALL.values(), communities=(RT, VXLAN, vectors.ARP_ND)))
    wait_until(lambda: {r[0] for r in e.routes().values()} == set(ALL.values()), 10, "ExaBGP has all of it")
    _, hop, attribute = e.routes()[key_of(ROUTES["type 2, IPv4"])]
    assert hop == "10.99.0.3" and attribute["originator-id"] == "10.99.0.3" and attribute["cluster-list"] == ["10.99.0.1"]
    assert [c["value"] for c in attribute["extended-community"]] == [int(c, 16) for c in (RT, VXLAN, vectors.ARP_ND)]
    changed = nlri(2, vectors.RD, ESI0, TAG, "30", "02005e000002", "20", ip("198.18.0.2"), "ffffff")
    one.send(announce([changed]))
    wait_until(lambda: e.routes()[key_of(changed)][0] == changed, 10, "no more than a label changes")
    one.send(withdraw(list(ALL.values())))
    wait_until(lambda: not e.routes(), 10, "all is withdrawn")


def test_unknown_types_can_be_discarded(exchange):
    """The knob: what shares an attribute with them comes through, they themselves are kept with the reason, and told nobody."""
    q = exchange.raise_quelld({ONE: {"import": "{unknown-route-types: discard}"}})
    e, one = exchange.exabgp(), exchange.peer()
    exchange.up(EXABGP)
    unknown = [vectors.UNKNOWN["type 9"], vectors.UNKNOWN["type 200"]]
    one.send(announce([ROUTES["type 3, IPv4"], *unknown, vectors.UNKNOWN["type 6"], ROUTES["type 2, IPv4"]]))
    wait_until(lambda: len(e.routes()) == 3, 10, "what is known")
    assert not {key_of(u) for u in unknown} & set(e.routes())
    assert (q.neighbor(ONE)["routes_in"], q.neighbor(ONE)["routes_refused"]) == (5, 2)
    assert [r["refused"] for r in q.routes(rejected=True)] == ["unknown-route-type"] * 2
    assert q.established(ONE)


def test_sanity_refuses_what_no_pe_should_say(exchange):
    """The default: a route that can be no host's is not told; its neighbours in the message are."""
    q = exchange.raise_quelld(sanity="true")
    e, one = exchange.exabgp(), exchange.peer()
    exchange.up(EXABGP)
    bad = [nlri(2, vectors.RD, ESI0, TAG, "30", "ffffffffffff", "00", "000064"),
           nlri(2, vectors.RD, ESI0, TAG, "30", "02005e000009", "20", ip("224.0.0.1"), "000064"),
           vectors.RARE["type 2, ESI all ones"]]
    one.send(announce([*bad, ROUTES["type 2, IPv4"]]))
    wait_until(lambda: set(e.routes()) == {key_of(ROUTES["type 2, IPv4"])}, 10, "the good one")
    assert (q.neighbor(ONE)["routes_in"], q.neighbor(ONE)["routes_refused"]) == (4, 3)
    assert {r["refused"] for r in q.routes(rejected=True)} == {"mac-broadcast", "ip-multicast", "max-esi"}


def ends_its_session(attrs, next_hop):
    """On these it sends a NOTIFICATION, beyond what the conservative profile leaves out: a next hop that is not IPv4, and
    among the communities the flow specification's redirect to a 4-octet AS, and its rate if that is no number."""
    ecs = attrs.get(16, (0, b""))[1]
    flow = {(ecs[i] & 15, ecs[i + 1]) for i in range(0, len(ecs), 8)} & {(2, 8), (0, 6)}
    return len(next_hop) not in (0, 4) or bool(flow)


def test_random_updates(exchange, figures):
    """What it shows is what was sent, NLRI and next hop."""
    exchange.raise_quelld({EXABGP: {"profile": "conservative"}})
    e, one, sent = exchange.exabgp(), exchange.peer(), Table()
    exchange.up(EXABGP)
    with Source(exchange.build, SEED, KEYS) as source:
        for m in source.take(2000):
            attrs, next_hop, _, _ = update(m[19:])
            if not ends_its_session(attrs, next_hop):
                one.send(m)
                sent.take(m[19:])
    want = {k: (n, vectors.socket.inet_ntoa(h)) for k, (n, h, attrs) in sent.routes.items() if is_told(n, attrs)}
    assert len(want) > 1000
    wait_until(lambda: {k: r[:2] for k, r in e.routes().items()} == want, 60, "ExaBGP shows what was sent", every=1)
    figures(f"ExaBGP 4.2 shows the same {len(want)} routes in hex")


def test_refresh(exchange):
    """It asks; and is told all again, no more."""
    exchange.raise_quelld()
    e, one = exchange.exabgp(), exchange.peer()
    exchange.up(EXABGP)
    one.send(announce(ROUTES.values()))
    wait_until(lambda: len(e.routes()) == len(ROUTES), 10)
    said = len(e.said())
    e.command("announce route-refresh l2vpn evpn")

    def again():
        new = [m for m in e.said()[said:] if m["type"] == "update"]
        return {n["raw"] for m in new for n in m["neighbor"]["message"].get("update", {}).get("announce", {}).get(
            "l2vpn evpn", {}).get("10.99.0.3", [])}
    wait_until(lambda: again() == {r.hex().upper() for r in ROUTES.values()}, 10, "all of it again")
    wait_until(lambda: e.refreshes() == ["begin", "end"], 10, "in between the marks of RFC 7313")


@pytest.mark.parametrize("theirs", ["secret", "wrong"])
def test_password(exchange, theirs):
    key = exchange.scope.dir / "key"
    key.write_text("secret\n")
    key.chmod(0o600)
    q = exchange.raise_quelld({EXABGP: {"password-file": key}})
    e = exchange.exabgp(lines=[f'md5-password "{theirs}";'])
    if theirs == "secret":
        exchange.up(EXABGP)
        return
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert not q.established(EXABGP) and not e.up()
        time.sleep(0.1)


def test_graceful_restart_is_agreed(exchange):
    q = exchange.raise_quelld()
    e = exchange.exabgp(capability=("route-refresh enable;", "graceful-restart 30;"))
    exchange.up(EXABGP)
    assert q.neighbor(EXABGP)["gr"]
    e.process.kill()
    wait_until(lambda: q.neighbor(EXABGP)["state"] != "Established", 10)
    e.start()
    exchange.up(EXABGP)
    one = exchange.peer(ONE)
    one.send(announce([ROUTES["type 3, IPv4"]]))
    wait_until(lambda: len(e.routes()) == 1, 10)


def test_served_by_the_route_server(exchange):
    """An eBGP client is told another's AS path, next hop and MED as they came."""
    exchange.raise_quelld({EXABGP: {"remote-as": 65030}, ONE: {"remote-as": 65003}})
    e, one = exchange.exabgp(asn=65030), exchange.peer(ONE, asn=65003)
    exchange.up(EXABGP)
    med = vectors.attribute(0x80, 4, b"\x00\x00\x00\x07")
    one.send(announce(ROUTES.values(), as_path=bytes.fromhex("02010000fdeb"), local_pref=None, more=med))
    wait_until(lambda: {r[0] for r in e.routes().values()} == set(ROUTES.values()), 10, "all of it")
    _, hop, attribute = e.routes()[key_of(ROUTES["type 3, IPv4"])]
    assert (hop, attribute["as-path"], attribute["med"]) == ("10.99.0.3", [65003], 7)
    assert "local-preference" not in attribute and "originator-id" not in attribute


def test_gtsm(exchange):
    exchange.raise_quelld({EXABGP: {"ttl-security": 1}})
    e, one = exchange.exabgp(lines=["outgoing-ttl 255;", "incoming-ttl 255;"]), exchange.peer()
    exchange.up(EXABGP)
    one.send(announce([ROUTES["type 3, IPv4"]]))
    wait_until(lambda: len(e.routes()) == 1, 10)

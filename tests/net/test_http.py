"""Metrics and pages of both daemons, as Prometheus and a browser meet them."""
import os
import re
import socket
import statistics
import time

import pytest
import wire as frames
from agent_box import MACS, Agent, entry, ip4
from bgp_peer import END_OF_RIB, KEEPALIVE, Peer, macip, message, update
from conftest import wait_until
from http_look import documented, get, in_sources, scrape, samples, value
from quelld_box import Quelld, inside

RS, A, B = "10.99.0.1", "10.99.0.2", "10.99.0.3"
Q, G = 9179, 9180
CONFIG = f"""router-id: {RS}
http: {{quelld: "127.0.0.1:{Q}"}}
bgp:
  as: 65000
  listen: [{RS}]
  defer-time: 1
  import: {{vteps: [10.99.0.0/16]}}
  neighbors:
    - {{address: {A}, client: true, passive: true, name: "a \\"<b>&\\\\é", max-routes: 1000}}
    - {{address: {B}, client: true, passive: true}}
lans:
  - {{name: ixp, vni: 100, route-target: "65000:100", prefixes: [198.18.0.0/21]}}
"""


@pytest.fixture
def net(scope):
    rs, pes = scope.netns("rs"), scope.netns("pes")
    scope.veth(rs, "up0", pes, "up0")
    rs.ip(f"addr add {RS}/24 dev up0", "link set up0 up", "link set lo up")
    pes.ip(*(f"addr add 10.99.0.{i}/24 dev up0" for i in range(2, 10)), "link set up0 up")
    return rs, pes


@pytest.fixture
def quelld(scope, net, build):
    return Quelld(scope, net[0], build, CONFIG).start()


def establish(net, address):
    with inside(net[1]):
        return Peer(RS, address).establish()


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build, more=f'http: {{agent: "127.0.0.1:{G}"}}\n')
    a.straw = a.feed()
    a.start()
    a.straw.accept().snapshot()
    a.straw.say({"op": "end"})
    wait_until(a.open, 10, "the ports are taken")
    yield a
    a.close()


def check_documented(families):
    """Every sample has its row in docs/metrics.md, with these labels, and the family its unit."""
    rows = documented()
    for f in families.values():
        for s in f.samples:
            name = re.sub("_(bucket|count|sum)$", "", s.name) if f.type == "histogram" else s.name
            assert name in rows, f"{name} is not in docs/metrics.md"
            kind, labels = rows[name]
            assert kind == f.type, name
            for label in s.labels:
                assert labels.startswith("the same") or re.search(rf"\b{label}\b", labels), f"{name}: label {label}"
        if f.unit:
            assert f.name.endswith(f.unit)


def test_names_are_documented():
    rows, found = documented(), in_sources()
    assert set(rows) == set(found), set(rows) ^ set(found)
    assert {n: k for n, (k, _) in rows.items()} == found
    for name, kind in found.items():
        assert re.match(r"(quell|process)_[a-z0-9_]*[a-z]$", name), name
        if kind != "counter":
            assert not name.endswith("_total"), name


@pytest.mark.needs("quelld")
def test_metrics_of_quelld(quelld, net):
    peer = establish(net, A)
    good = [macip(A, 100, f"02:00:5e:00:00:{i:02x}", ip4(i)) for i in range(1, 6)]
    peer.send(update(good, A) + update([macip(A, 100, "02:00:5e:00:00:77")], "192.0.2.9") + END_OF_RIB)
    wait_until(lambda: quelld.neighbor(A)["routes_in"] == 6, 5, "the routes are in")
    m = scrape(net[0], Q)
    check_documented(m)
    assert value(m, "quell_bgp_neighbor_up", neighbor=A) == 1
    assert value(m, "quell_bgp_neighbor_up", neighbor=B) == 0
    assert value(m, "quell_bgp_neighbor_info", neighbor=A, name='a "<b>&\\é', remote_as="65000", type="ibgp", client="true",
                 dynamic="false") == 1
    assert value(m, "quell_bgp_neighbor_routes", neighbor=A, direction="in") == 6
    assert value(m, "quell_bgp_neighbor_routes_of_type", neighbor=A, type="2") == 6
    assert value(m, "quell_bgp_neighbor_routes_rejected", neighbor=A) == 1
    assert value(m, "quell_bgp_neighbor_routes_max", neighbor=A) == 1000
    assert sum(samples(m, "quell_bgp_neighbor_refused_total").values()) == 1
    assert value(m, "quell_bgp_neighbor_messages_total", neighbor=A, direction="in", type="update") == 3
    assert value(m, "quell_rib_paths") == 6 and value(m, "quell_rib_paths_refused") == 1
    assert value(m, "quell_lan_macs", lan="ixp", origin="remote") == 5
    assert value(m, "quell_lan_bindings", lan="ixp", origin="remote") == 5
    shown = quelld.neighbor(A)
    assert value(m, "quell_bgp_neighbor_bytes_total", neighbor=A, direction="in") == shown["octets_in"]
    assert abs(value(m, "quell_bgp_neighbor_state_since_seconds", neighbor=A) - time.time() + shown["since_s"]) < 3
    assert 1 << 20 < value(m, "process_resident_memory_bytes") < 1 << 30
    assert abs(value(m, "process_start_time_seconds") - time.time()) < 60
    peer.close()
    wait_until(lambda: not quelld.established(A), 5, "the session is down")
    m = scrape(net[0], Q)
    assert value(m, "quell_bgp_neighbor_flaps_total", neighbor=A) == 1
    assert [dict(k)["by"] for k in samples(m, "quell_bgp_neighbor_last_error_info")] == ["other"]


@pytest.mark.needs("quelld")
def test_a_peers_words_make_no_series(quelld, net):
    """A shutdown communication (RFC 9003) is the peer's to choose."""
    for text in (b"first", b'"}\n# EOF\n'):
        peer = establish(net, A)
        peer.send(message(3, bytes([6, 2, len(text)]) + text))
        peer.close()
        wait_until(lambda: "6/2" in quelld.neighbor(A)["last_error"], 5, "it is down")
        m = scrape(net[0], Q)
        assert value(m, "quell_bgp_neighbor_last_error_info", neighbor=A, by="peer", code="6", subcode="2") == 1
        assert len(samples(m, "quell_bgp_neighbor_last_error_info")) == 1


@pytest.mark.needs("quelld")
def test_http_is_taken_over_by_a_reload(quelld, net):
    def set_http(text):
        quelld.config.write_text(re.sub("(?m)^http: .*$", f"http: {text}", quelld.config.read_text()))
        return quelld.ask(do="reload")

    peer = establish(net, A)
    assert "not a loopback address" in set_http(f'{{quelld: "{RS}:9179"}}')["errors"][0]
    assert get(net[0], Q)[0] == 200
    assert set_http('{quelld: "127.0.0.1:9199", hosts: [lg.example.net]}')["applied"]
    assert get(net[0], 9199)[0] == 200
    with pytest.raises(OSError):
        get(net[0], Q)
    assert get(net[0], 9199, headers={"Host": "lg.example.net"})[0] == 200
    assert get(net[0], 9199, headers={"Host": "lg.example.org"})[0] == 421
    assert set_http(f'{{quelld: "0.0.0.0:{Q}", public: true}}')["applied"]
    assert get(net[1], Q, host=RS)[0] == 200
    with inside(net[0]), socket.socket() as s:
        s.bind(("127.0.0.1", 9200))
        s.listen()
        answer = set_http('{quelld: "127.0.0.1:9200"}')
    assert "127.0.0.1:9200: Address already in use: nothing was changed" in answer["errors"][0]
    assert get(net[1], Q, host=RS)[0] == 200
    assert set_http("{}")["applied"]
    with pytest.raises(OSError):
        get(net[1], Q, host=RS)
    assert quelld.established(A)
    peer.close()


@pytest.mark.needs("quell-agent")
def test_metrics_of_the_agent(box):
    assert box.answered(1, ip4(2)) == MACS[2]
    with box.port(1) as p:
        p.send(frames.who_has(MACS[1], ip4(1), ip4(99)))
    wait_until(lambda: "unknown-target" in str(box.show("ledger")), 5, "it is counted")
    m = scrape(box.ns, G)
    check_documented(m)
    assert value(m, "quell_agent_feed_live") == 1 and value(m, "quell_netlink_synced") == 1
    assert value(m, "quell_port_up", lan="ixp", port="swp1") == 1
    assert value(m, "quell_port_attached", lan="ixp", port="vx100") == 1
    assert value(m, "quell_port_info", lan="ixp", port="swp1", kind="member", asn="64501", member="Member 1", closed="true",
                 xdp="false") == 1
    assert value(m, "quell_binding_addresses", lan="ixp", source="static") == 4
    assert value(m, "quell_ledger_balanced", lan="ixp") == 1
    # To the frame, and with the same names, as the control socket has them.
    wait_until(lambda: same_as_shown(box), 10, "ledger and metrics agree")


def same_as_shown(box):
    m = scrape(box.ns, G)
    shown = {}
    for p in box.show("ledger")["ports"]:
        for d in ("in", "out"):
            for cls, outcomes in p[d].items():
                for outcome, (n, octets) in outcomes.items():
                    key = {"lan": p["lan"] or "", "port": p["name"], "direction": d, "class": cls, "outcome": outcome}
                    shown[tuple(sorted(key.items()))] = (n, octets)
    return shown and {k: v[0] for k, v in shown.items()} == samples(m, "quell_ledger_frames_total") and \
        {k: v[1] for k, v in shown.items()} == samples(m, "quell_ledger_bytes_total")


@pytest.mark.needs("quell-agent")
def test_dry_run_quarantine_and_departed_ports_are_told(box):
    box.write(entry(1), entry(2), **{"dry-run": "true", "police": "{in: 100 kbit, unknown: 20 pps}"},
              more=f'http: {{agent: "127.0.0.1:{G}"}}\n')
    assert box.ask(b'{"do":"reload"}')["applied"]
    box.ask(b'{"do":"quarantine","port":"swp2","add":true}')
    with box.port(1) as p:
        p.send(frames.who_has(MACS[1], ip4(1), ip4(99)))
    wait_until(lambda: samples(scrape(box.ns, G), "quell_ledger_would_frames_total"), 5, "it would have been dropped")
    m = scrape(box.ns, G)
    check_documented(m)
    assert value(m, "quell_port_dry_run", lan="ixp", port="swp1") == 1
    assert value(m, "quell_port_policer_bytes_per_second", lan="ixp", port="swp1", direction="in", group="all") == 12500
    assert value(m, "quell_port_policer_frames_per_second", lan="ixp", port="swp1", direction="in", group="unknown") == 20
    box.ns.ip("link del swp1")
    wait_until(lambda: any(dict(k)["port"] == "(departed)" for k in samples(scrape(box.ns, G), "quell_ledger_frames_total")), 5,
               "it has left")
    assert ("lan", "ixp") in next(iter(samples(scrape(box.ns, G), "quell_port_up")))


@pytest.mark.needs("quelld")
def test_slow_callers_disturb_nobody(quelld, net, figures):
    """Half-open requests on more connections than there are places, readers that read nothing, and a session whose updates
    are reflected all the while."""
    from_a, from_b = establish(net, A), establish(net, B)
    from_a.send(END_OF_RIB)
    from_b.send(END_OF_RIB)
    from_b.until_end_of_rib()
    took, held = [], []
    for i in range(60):
        with inside(net[0]):
            s = socket.create_connection(("127.0.0.1", Q))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + (b"\r\n" if i % 3 == 0 else b"X: "))
        held.append(s)
        nlri = macip(A, 100, f"02:00:5e:00:01:{i:02x}")
        begun = time.monotonic()
        from_a.send(update([nlri], A))
        took.append(1e3 * (from_b.until_update(nlri) - begun))
    assert get(net[0], Q)[0] == 200
    m = scrape(net[0], Q)
    assert value(m, "quell_http_connections") <= 32
    assert value(m, "quell_http_closed_total", reason="crowded") >= 28
    figures(f"an update reflected while 60 callers hold HTTP connections open: median {statistics.median(took):.1f} ms, "
            f"at most {max(took):.1f} ms")
    assert statistics.median(took) < 20
    for s in held:
        s.close()
    from_a.close()
    from_b.close()

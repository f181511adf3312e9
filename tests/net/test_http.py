"""Metrics and pages of both daemons, as Prometheus and a browser meet them."""
import json
import re
import socket
import statistics
import threading
import time
from urllib.parse import quote

import pytest
import wire as frames
from agent_box import MACS, Agent, entry, ip4
from bgp_peer import END_OF_RIB, KEEPALIVE, Peer, macip, message, update
from conftest import wait_until
from http_look import TOP, browse, documented, get, in_sources, page, samples, scrape, site, value
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
  bmp: [{{address: 10.99.0.9}}]
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
    a.begin()
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


def test_rules_and_dashboard_use_what_there_is():
    known = set(documented())
    known |= {f"{n}_{part}" for n, (k, _) in documented().items() if k == "histogram" for part in ("bucket", "count", "sum")}
    board = json.loads((TOP / "packaging/grafana/quell.json").read_text())
    used = " ".join(t["expr"] for p in board["panels"] for t in p.get("targets", []))
    used += " ".join(v["query"]["query"] for v in board["templating"]["list"] if v["type"] == "query")
    rules = (TOP / "packaging/prometheus/quell.rules.yml").read_text()
    used += " ".join(re.findall(r"(?ms)expr: (.*?)^ +(?:for|labels):", rules))
    names = set(re.findall(r"\b(?:quell|process)_[a-z0-9_]+", used))
    assert len(names) > 40 and names <= known, names - known
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)


@pytest.mark.needs("quelld", "quell-agent")
def test_all_that_is_documented_is_told(quelld, net, scope, build):
    """A family is told as soon as there is something that could have samples of it."""
    told = set(scrape(net[0], Q))
    a = Agent(scope, build, **{"dry-run": "true"}, more=f'http: {{agent: "127.0.0.1:{G}"}}\n')
    try:
        a.start()
        wait_until(a.open, 15, "the ports are taken")
        with a.port(1) as p:
            p.send(frames.who_has(MACS[1], ip4(1), ip4(99)))
        wait_until(lambda: "quell_ledger_would_frames" in scrape(a.ns, G), 5, "a frame is counted")
        told |= set(scrape(a.ns, G))
    finally:
        a.close()
    assert told == {re.sub("_(total|info)$", "", n) for n in documented()}


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


# --- pages --------------------------------------------------------------------------------------------------------------

NASTY = ["<script>document.title='pwned'</script>", "<img src=x onerror=\"document.title='pwned'\">", "\"' onmouseover=alert(1) x=",
         "&lt;b&gt; &amp; </td></table>", "javascript:alert(1)", "\u202eright to left\u202c", "S\u00f6hne \u65e5\u672c", "a" * 200]
MEMBERS = "members:\n" + "".join(
    f"  - asn: {64500 + i}\n    name: {json.dumps(n)}\n    ports:\n"
    f"      - {{port: swp{i}, pe: {A}, switch: {json.dumps(n[:60])}, macs: ['02:00:5e:00:00:{i:02x}'], ipv4: [{ip4(i)}]}}\n"
    for i, n in enumerate(NASTY, 1))


@pytest.fixture
def glass(scope, net, build):
    """A route server with routes of two PEs, members with nasty names, and a neighbor that has said something nasty."""
    registry = scope.dir / "members.yaml"
    registry.write_text(MEMBERS)
    registry.chmod(0o644)
    names = "".join(f"    - {{address: 10.99.0.{4 + i}, passive: true, name: {json.dumps(n[:60])}}}\n"
                    for i, n in enumerate(NASTY[:5]))
    q = Quelld(scope, net[0], build, CONFIG.replace("lans:", names + "lans:").replace(
        "prefixes: [198.18.0.0/21]", f"prefixes: [198.18.0.0/21], registry: [{registry}]").replace(
        "http: {", 'http: {agent: "127.0.0.1:9180", ')).start()
    q.peer = establish(net, A)
    q.peer.send(b"".join(update([macip(A, 100, f"02:00:5e:00:{i >> 8:02x}:{i & 255:02x}", f"198.18.{i >> 8}.{i & 255}")], A)
                         for i in range(1, 251)))
    q.peer.send(update([macip(A, 100, "02:00:5e:00:7f:01", "198.18.7.7")], "192.0.2.9") + END_OF_RIB)
    other = establish(net, B)
    other.send(update([macip(B, 100, "02:00:5e:00:00:01", ip4(1))], B) + END_OF_RIB)
    wait_until(lambda: q.neighbor(A)["routes_in"] == 251 and q.neighbor(B)["routes_in"] == 1, 10, "the routes are in")
    text = NASTY[1].encode()
    other.send(message(3, bytes([6, 2, len(text)]) + text))
    other.close()
    wait_until(lambda: "6/2" in q.neighbor(B)["last_error"], 5, "it has said its word")
    yield q
    q.peer.close()


@pytest.mark.needs("quelld")
def test_looking_glass(glass, net):
    ns = net[0]
    home = page(ns, Q)
    assert "1 of 7 established" in home.text and "1 rejected" in home.text
    assert ["ixp", "100", "0", "250", "0", "250"] in [r[:6] for r in home.rows]
    assert f"http://127.0.0.1:{G}/" in home.links
    rows = page(ns, Q, "/neighbors").rows
    assert [r[0] for r in rows[1:]] == [A, B] + [f"10.99.0.{4 + i}" for i in range(5)]
    assert rows[1][3:4] == ["Established"] and rows[1][5:7] == ["251", "1"]
    assert NASTY[1] in rows[2][-1].replace('\\x22', '"')
    assert "251 of 1000 at most" in page(ns, Q, f"/neighbor?address={A}").text
    for path in ("/nothing", "/neighbor", "/neighbor?address=x", "/lan?name=nothing"):
        assert get(ns, Q, path)[0] == 404
    assert "no such neighbor" in page(ns, Q, "/neighbor?address=192.0.2.1").text
    rejected = page(ns, Q, "/rejected").rows
    assert len(rejected) == 2 and "198.18.7.7" in rejected[1][0] and rejected[1][3] == "vtep"
    assert len(page(ns, Q, f"/rejected?neighbor={A}").rows) == 2 and "None." in page(ns, Q, f"/rejected?neighbor={B}").text


@pytest.mark.needs("quelld")
@pytest.mark.parametrize("what", ["addresses", "macs"])
def test_pages_of_a_lan_are_the_lan(glass, net, what):
    """Each entry once, in order."""
    path, seen = f"/lan?name=ixp&what={what}", []
    while path:
        p = page(net[0], Q, path)
        assert "250" in p.text
        seen += [r[0 if what == "addresses" else 1] for r in p.rows[1:]]
        path = next((link for link in p.links if "after=" in link), None)
    if what == "addresses":
        assert seen == [f"198.18.{i >> 8}.{i & 255}" for i in range(1, 251)]
    else:
        assert seen == [f"02:00:5e:00:{i >> 8:02x}:{i & 255:02x}" for i in range(1, 251)]


@pytest.mark.needs("quelld")
def test_search(glass, net):
    def search(text):
        return page(net[0], Q, f"/search?q={text}")

    for text in ("02:00:5e:00:00:01", "0200.5e00.0001", "02-00-5E-00-00-01", "198.18.0.1", "%20198.18.0.1+", "AS64501", "64501"):
        p = search(text)
        assert any(r[1:3] == ["ixp", "swp1"] and NASTY[0] in r[0] for r in p.rows), text
        assert any(r[:3] == ["198.18.0.1", "02:00:5e:00:00:01", A] for r in p.rows), text
        assert any("198.18.0.1" in r[0] and r[2:4] == [A, "best"] for r in p.rows), text
    assert "rejected" not in search("198.18.7.7").text.lower().replace("rejected routes", "")
    assert any(r[3] == "vtep" for r in search("198.18.7.7").rows if len(r) == 5)
    assert "No such member" in search("AS1").text
    for text in ("", "x", "AS", "AS99999999999", "198.18.0", "%22%3E%3Cscript%3E", "%ff%fe", "02:00"):
        assert "Search for a MAC" in search(text).text


@pytest.mark.needs("quelld")
def test_nothing_breaks_out(glass, net):
    """Every page that links lead to is made of our own tags alone (http_look.Page asserts it), with the nasty texts as text."""
    pages = site(net[0], Q)
    assert len(pages) > 50
    everything = "".join(p.text for p in pages.values())
    for text in NASTY[:6]:
        assert text in everything
    for text in NASTY:
        page(net[0], Q, f"/search?q={quote(text)}")
        page(net[0], Q, f"/lan?name=ixp&after={quote(text)}")


@pytest.mark.needs("quelld", "chromium")
def test_in_a_browser(glass, net, scope):
    """Chromium runs nothing of it, loads the style sheet, and needs no wider window than a phone's."""
    for path in ("/", "/neighbors", f"/neighbor?address={B}", "/lan", "/search?q=AS64501", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E"):
        dom = browse(net[0], Q, path)
        assert "</footer>" in dom and "<title>pwned" not in dom
        assert not re.search(r"<(script|img|iframe|svg|style)\b|\son\w+=", re.sub(r">[^<]*<", "><", dom)), path
    before = value(scrape(net[0], Q), "quell_http_requests_total", status="2xx")
    shot = scope.dir / "phone.png"
    browse(net[0], Q, "/lan", screenshot=shot, size="500,900")
    assert shot.stat().st_size > 10000
    # The page and its style sheet (and what scrape() itself asked).
    assert value(scrape(net[0], Q), "quell_http_requests_total", status="2xx") >= before + 3


@pytest.mark.needs("quell-agent")
def test_pages_of_the_agent(box):
    nasty = entry(2).replace("name: Member 2", f"name: {json.dumps(NASTY[0])}")
    box.write(entry(1), nasty, entry(3, status="quarantine"), more=f'http: {{agent: "127.0.0.1:{G}"}}\n')
    assert box.ask(b'{"do":"reload"}')["applied"]
    assert box.answered(1, ip4(2)) == MACS[2]
    with box.port(1) as p:
        p.send(frames.who_has(MACS[1], ip4(1), ip4(99)))
        p.send(frames.who_has(MACS[2], ip4(2), ip4(1)))
    wait_until(lambda: "spoof-mac" in str(box.show("ledger")), 5, "it is counted")
    wait_until(lambda: box.show("alarms")["alarms"], 5, "it is told")
    home = page(box.ns, G)
    assert "live" in home.text and "in step" in home.text
    rows = page(box.ns, G, "/ports").rows
    assert [r[0] for r in rows[1:]] == ["swp1", "swp2", "swp3", "vx100"]
    assert rows[1][4:7] == ["3", "1", "2"] and rows[1][-1] == "0"
    assert "quarantine: registry" in rows[3][3]
    port = page(box.ns, G, "/port?name=swp1")
    assert ["arp-request", "unknown-target", "1", "42"] in port.rows and ["arp-reply", "answer", "1", "42"] in port.rows
    assert "no such port" in page(box.ns, G, "/port?name=nothing").text
    assert get(box.ns, G, "/port?name=" + "x" * 40)[0] == 404
    bindings = page(box.ns, G, "/bindings?lan=ixp").rows
    assert [r[:3] for r in bindings[1:3]] == [[ip4(1), MACS[1], "swp1"], [ip4(2), MACS[2], "swp2"]]
    assert NASTY[0] in bindings[2][3]
    for text in ("AS64502", MACS[2], ip4(2)):
        assert [ip4(2), MACS[2], "swp2"] in [r[:3] for r in page(box.ns, G, f"/search?q={text}").rows], text
    assert any(r[4] == "swp1" and r[6] == MACS[2] for r in page(box.ns, G, "/alarms").rows[1:])
    assert len(site(box.ns, G)) > 10


# --- what it costs the others -----------------------------------------------------------------------------------------------


def lookers(ns, port, paths, stop, count):
    """A thread that looks at these pages again and again."""
    def look():
        while not stop.is_set():
            for path in paths:
                assert get(ns, port, path)[0] == 200
                count.append(path)

    t = threading.Thread(target=look)
    t.start()
    return t


@pytest.mark.needs("quelld")
def test_pages_of_many_routes_hold_nobody_up(quelld, net, figures):
    """Every page walks the whole RIB, or the LAN, again and again, while a session's updates are reflected."""
    many = 60000
    quelld.config.write_text(quelld.config.read_text().replace("max-routes: 1000", "max-routes: 1000000"))
    assert quelld.ask(do="reload")["applied"]
    from_a, from_b = establish(net, A), establish(net, B)
    for k in range(0, many, 20):
        from_a.send(update([macip(A, 100, f"02:00:5e:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}") for i in range(k, k + 20)], A))
    from_a.send(END_OF_RIB)
    from_b.send(END_OF_RIB)
    from_b.until_end_of_rib()
    wait_until(lambda: quelld.neighbor(A)["routes_in"] == many, 60, "the routes are in")

    def reflected(times):
        took = []
        for i in range(times):
            nlri = macip(A, 100, f"02:00:5f:{len(done) & 255:02x}:{i >> 8:02x}:{i & 255:02x}")
            begun = time.monotonic()
            from_a.send(update([nlri], A))
            took.append(1e3 * (from_b.until_update(nlri) - begun))
        return statistics.median(took), max(took)

    done = []
    alone = reflected(200)
    stop = threading.Event()
    thread = lookers(net[0], Q, ["/search?q=198.18.0.1", "/lan?what=macs", "/metrics", "/rejected", "/"], stop, done)
    wait_until(lambda: len(done) > 2, 20, "somebody looks")
    looked = reflected(400)
    stop.set()
    thread.join()
    figures(f"an update reflected beside {many} routes: median {alone[0]:.2f} ms, at most {alone[1]:.1f} ms; while pages that walk "
            f"them are looked at without a pause ({len(done)} pages): median {looked[0]:.2f} ms, at most {looked[1]:.1f} ms")
    assert looked[0] < alone[0] + 5
    from_a.close()
    from_b.close()

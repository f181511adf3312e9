"""quelld as its neighbours and its operator meet it: sessions, reflection within milliseconds, callers and peers that
behave badly, and the ways in which a start can fail. FRR is in test_quelld_frr.py."""
import os
import signal
import socket
import statistics
import struct
import subprocess
import time

import pytest
from bgp_peer import END_OF_RIB, KEEPALIVE, NOTIFICATION, UPDATE, Peer, macip, message, open_message, update
from conftest import wait_until
from quelld_box import Quelld, inside

pytestmark = pytest.mark.needs("quelld")
RS, A, B = "10.99.0.1", "10.99.0.2", "10.99.0.3"
CONFIG = f"""router-id: {RS}
bgp:
  as: 65000
  listen: [{RS}]
  defer-time: 1
  neighbors:
    - {{address: {A}, client: true, passive: true, name: a}}
    - {{address: {B}, client: true, passive: true, name: b}}
"""


@pytest.fixture
def wire(scope):
    """Two namespaces on one cable: the route server's, and that of its peers, with their addresses."""
    rs, pes = scope.netns("rs"), scope.netns("pes")
    scope.veth(rs, "up0", pes, "up0")
    rs.ip(f"addr add {RS}/24 dev up0", "link set up0 up")
    pes.ip(*(f"addr add 10.99.0.{i}/24 dev up0" for i in range(2, 10)), "link set up0 up")
    return rs, pes


@pytest.fixture
def quelld(scope, wire, build):
    return Quelld(scope, wire[0], build, CONFIG).start()


def peer(wire, source, **kw):
    with inside(wire[1]):
        return Peer(RS, source, **kw)


@pytest.fixture
def peers(quelld, wire):
    a, b = peer(wire, A).establish(), peer(wire, B).establish()
    for p in (a, b):
        p.send(END_OF_RIB)
    for p in (a, b):
        p.until_end_of_rib()
    yield a, b
    a.close()
    b.close()


def mac(i):
    return f"02:00:5e:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"


def test_a_change_is_reflected_within_milliseconds(peers):
    a, b = peers
    times = []
    for i in range(60):
        nlri = macip(A, 100, mac(i), f"198.18.0.{i}")
        start = time.monotonic()
        a.send(update([nlri], A))
        times.append(b.until_update(nlri) - start)
    median, worst = statistics.median(times) * 1000, max(times) * 1000
    print(f"\nsingle change through quelld: median {median:.2f} ms, worst {worst:.2f} ms")
    assert median < 5


def test_it_withdraws_what_a_lost_peer_said(peers, quelld):
    a, b = peers
    nlri = macip(A, 100, mac(1), "198.18.0.1")
    a.send(update([nlri], A))
    b.until_update(nlri)
    assert len(quelld.routes()) == 1
    a.close()
    kind, body = b.receive()
    assert b"\x0f" in body and nlri[2:10] in body
    wait_until(lambda: not quelld.routes(), 5, "no route is left")


def test_routes_come_before_the_end_of_rib(scope, wire, build):
    """After a start the last neighbour's routes and its End-of-RIB come in one breath; the others sweep what they kept at
    ours, so the routes have to be there first."""
    Quelld(scope, wire[0], build, CONFIG.replace("defer-time: 1", "defer-time: 30")).start()
    b = peer(wire, B).establish()
    b.send(END_OF_RIB)
    a = peer(wire, A).establish()
    nlri = macip(A, 100, mac(1))
    a.send(update([nlri], A) + END_OF_RIB)
    while (got := b.receive())[0] != UPDATE:
        pass
    assert nlri in got[1]
    b.until_end_of_rib()


def test_show(peers, quelld):
    a, b = peers
    a.send(update([macip(A, 100, mac(1), "198.18.0.1"), macip(A, 100, mac(2))], A))
    wait_until(lambda: len(quelld.routes()) == 2, 5)
    assert [r["mac"] for r in quelld.routes(ip="198.18.0.1")] == [mac(1)]
    assert [r["mac"] for r in quelld.routes(mac=mac(2))] == [mac(2)]
    assert quelld.routes(type=3) == []
    r = quelld.routes(ip="198.18.0.1")[0]
    assert (r["type"], r["rd"], r["label"], r["next_hop"], r["from"], r["best"]) == (2, f"{A}:100", 100, A, A, True)
    assert "65000:100" in r["communities"]
    limited = quelld.ask(show="routes", limit=1)
    assert (len(limited["routes"]), limited["matched"], limited["truncated"]) == (1, 2, True)
    n = quelld.neighbor(A)
    assert (n["name"], n["routes_in"], n["client"], n["remote_as"]) == ("a", 2, True, 65000)
    status = quelld.show("status")
    assert (status["program"], status["router_id"], status["as"], status["feed"]) == ("quelld", RS, 65000, None)
    for request, error in (({"show": "what"}, "quelld shows"), ({"do": 1}, "expected"),
                           ({"show": "routes", "lan": "x"}, "no such LAN"), ({"show": "routes", "mac": 1}, "mac:"),
                           ({"show": "routes", "ip": "x"}, "ip:"), ({"show": "routes", "type": 0}, "type:")):
        assert error in quelld.ask(**request)["error"]


def test_what_is_refused_is_shown_and_not_told(peers, quelld):
    a, b = peers
    multicast, sound = macip(A, 100, "01:00:5e:00:00:01", "198.18.0.1"), macip(A, 100, mac(2))
    a.send(update([multicast], A) + update([sound], A))
    while (got := b.receive())[0] != UPDATE:
        pass
    assert sound in got[1] and multicast not in got[1]
    r, = quelld.routes(rejected=True)
    assert (r["mac"], r["refused"], r["best"], r["from"]) == ("01:00:5e:00:00:01", "mac-multicast", False, A)
    assert [(r["mac"], "refused" in r) for r in sorted(quelld.routes(), key=lambda r: r["best"])] == [
        ("01:00:5e:00:00:01", True), (mac(2), False)]
    n = quelld.neighbor(A)
    assert (n["routes_in"], n["routes_refused"], n["refused"]) == (2, 1, {"mac-multicast": 1})
    assert n["routes_by_type"] == {"2": 2} and n["max_by_type"] == {}


def test_goodbye(peers, quelld):
    """SIGTERM: Cease/Administrative Shutdown with a communication to every peer, then exit 0."""
    for p in peers:
        p.send(message(KEEPALIVE))
    quelld.process.signal(signal.SIGTERM)
    for p in peers:
        while (got := p.receive())[0] != NOTIFICATION:
            pass
        assert got[1][:2] == b"\x06\x02" and got[1][3:] == b"quelld is stopping"
        assert p.receive() is None
    for p in peers:
        p.close()
    assert quelld.process.wait(3) == 0
    assert not os.path.exists(quelld.run_dir / "quelld.sock")


def test_it_stops_in_time_when_a_peer_does_not_close(peers, quelld):
    start = time.monotonic()
    assert quelld.process.stop() == 0
    assert time.monotonic() - start < 3


def test_hangup_changes_nothing(peers, quelld):
    quelld.process.signal(signal.SIGHUP)
    wait_until(lambda: "0 changes" in quelld.process.said(), 5)
    assert quelld.established(A, B)


def test_privileges_are_gone(quelld):
    status = open(f"/proc/{quelld.process.pid}/status").read()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {"65534"} and set(fields["Gid"].split()) == {"65534"}
    assert all(int(fields[c], 16) == 0 for c in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert fields["NoNewPrivs"] == "1" and fields["Groups"].strip() == ""


def test_a_stranger_is_reset(quelld, wire):
    for _ in range(50):
        # The reset may be there before connect() has returned.
        with inside(wire[1]), pytest.raises(ConnectionResetError):
            socket.create_connection((RS, 179), 5, ("10.99.0.9", 0)).recv(1)
    assert quelld.show("status")["connections"]["refused"] == 50
    # As nobody's neighbour, and as one who calls too often: five lines a minute each, and their summaries.
    assert quelld.process.said().count("10.99.0.9") <= 12


GARBAGE = [b"GET / HTTP/1.0\r\n\r\n", bytes(19), os.urandom(4096), open_message(65001, "10.99.0.6"), message(9),
           b"\xff" * 16 + struct.pack("!HB", 65535, 2)]


def test_garbage_costs_its_sender_only(scope, wire, build):
    strangers = [f"10.99.0.{4 + i}" for i in range(len(GARBAGE))]
    q = Quelld(scope, wire[0], build, CONFIG + "".join(
        f"    - {{address: {s}, client: true, passive: true}}\n" for s in strangers)).start()
    a, b = peer(wire, A).establish(), peer(wire, B).establish()
    for p in (a, b):
        p.send(END_OF_RIB)
    bad = [peer(wire, s) for s in strangers]
    for p, octets in zip(bad, GARBAGE):
        p.send(octets)
    nlri = macip(A, 100, mac(5))
    a.send(update([nlri], A))
    b.until_update(nlri)
    for p in bad[1:5]:
        while (got := p.receive()) and got[0] != NOTIFICATION:
            pass
        assert got and p.receive() is None
    assert q.established(A, B)
    for p in bad + [a, b]:
        p.close()


def test_a_peer_that_sends_and_never_reads_costs_nobody_anything(quelld, wire):
    """B takes nothing from its socket while A fills the table; C still hears of a change at once."""
    b = peer(wire, B, rcvbuf=4096).establish()
    b.send(END_OF_RIB)
    a = peer(wire, A).establish()
    a.send(END_OF_RIB)
    count = 20000
    for start in range(0, count, 100):
        a.send(update([macip(A, 100, mac(i)) for i in range(start, start + 100)], A))
    for start in range(0, count, 100):
        b.send(update([macip(B, 100, mac(i)) for i in range(start, start + 100)], B))
    wait_until(lambda: quelld.neighbor(A)["routes_in"] == count and quelld.neighbor(B)["routes_in"] == count, 20)
    times = []
    for i in range(20):
        nlri = macip(A, 100, mac(count + i))
        start = time.monotonic()
        a.send(update([nlri], A))
        wait_until(lambda: quelld.neighbor(A)["routes_in"] == count + 1 + i, 5, every=0.001)
        times.append(time.monotonic() - start)
    assert statistics.median(times) < 0.05
    assert quelld.established(A, B)
    assert len(quelld.routes()) == 2 * count + 20
    rss = int(next(line for line in open(f"/proc/{quelld.process.pid}/status") if line.startswith("VmRSS")).split()[1])
    assert rss < 150_000
    a.close()
    b.close()


@pytest.mark.parametrize("v6", [False, True])
def test_dynamic_neighbors(scope, wire, build, v6):
    here, there, net = ("2001:db8:99::1", "2001:db8:99::2", "2001:db8:99::/64") if v6 else (RS, A, "10.99.0.0/24")
    if v6:
        wire[0].ip(f"addr add {here}/64 dev up0 nodad")
        wire[1].ip(f"addr add {there}/64 dev up0 nodad")
    q = Quelld(scope, wire[0], build, f"router-id: {RS}\nbgp:\n  as: 65000\n  listen: [\"{here}\"]\n  neighbors:\n"
               f"    - {{prefix: \"{net}\", client: true, max: 2}}\n").start()
    with inside(wire[1]):
        p = Peer(here, there, router_id=A).establish()
    wait_until(lambda: q.established(there), 5)
    assert q.neighbor(there)["dynamic"]
    p.close()


def test_it_calls_from_its_listen_address(scope, wire, build):
    wire[0].ip("addr add 10.99.0.77/24 dev up0")
    with inside(wire[1]):
        server = socket.create_server((A, 179))
    q = Quelld(scope, wire[0], build, "router-id: 10.99.0.77\nbgp:\n  as: 65000\n  listen: [10.99.0.77]\n"
               f"  neighbors:\n    - {{address: {A}, client: true, connect-retry: 1}}\n").start()
    with server:
        p = Peer(listener=server, router_id=A)
        assert p.sock.getpeername()[0] == "10.99.0.77"
        p.establish()
        wait_until(lambda: q.established(A), 5)
        p.close()


# --- starts that fail: one clear line, exit 1, nothing changed -----------------------------------------------------

def fails(quelld, *more):
    p = subprocess.run([*quelld.ns.enter, *map(str, quelld.argv), *more], capture_output=True, text=True, timeout=10)
    assert p.returncode == 1
    lines = p.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_busy_port(scope, wire, build):
    q = Quelld(scope, wire[0], build, CONFIG)
    with inside(wire[0]):
        server = socket.create_server(("0.0.0.0", 179))
    with server:
        assert fails(q).endswith("10.99.0.1:179: Address already in use (another BGP daemon?)")
    assert not os.path.exists(q.run_dir / "quelld.sock")


def test_no_such_address(scope, wire, build):
    q = Quelld(scope, wire[0], build, CONFIG.replace(f"[{RS}]", "[10.77.0.1]"))
    assert "10.77.0.1:179: Cannot assign requested address" in fails(q)


def test_no_permission(scope, wire, build):
    q = Quelld(scope, wire[0], build, CONFIG)
    q.run_dir.mkdir()
    q.run_dir.chmod(0o777)
    p = subprocess.run([*wire[0].enter, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                        *map(str, q.argv)], capture_output=True, text=True, timeout=10)
    assert p.returncode == 1 and "Permission denied" in p.stderr and len(p.stderr.splitlines()) == 1


def test_a_second_one(quelld):
    assert "another quelld is running" in fails(quelld)
    assert quelld.show("status")


def test_no_such_user(scope, wire, build):
    q = Quelld(scope, wire[0], build, CONFIG, user="no-such-user-here")
    assert "no such user" in fails(q)


@pytest.mark.parametrize("wrong, told", [
    ("    - {address: 10.99.0.2, clientt: true}\n", "quell.yaml:"),
    ("    - {address: 10.99.0.300}\n", "quell.yaml:"),
    ("    - {address: 10.99.0.8, password-file: /no/such/file}\n", "/no/such/file"),
])
def test_bad_config(scope, wire, build, wrong, told):
    q = Quelld(scope, wire[0], build, CONFIG + wrong)
    assert told in fails(q) and told in fails(q, "-n")
    assert not q.run_dir.exists()


def test_check_only(scope, wire, build):
    q = Quelld(scope, wire[0], build, CONFIG)
    p = subprocess.run([*map(str, q.argv), "-n"], capture_output=True, text=True)
    assert (p.returncode, p.stderr) == (0, "") and not q.run_dir.exists()
    p = subprocess.run([q.argv[0], "-c", "/no/such/file"], capture_output=True, text=True)
    assert p.returncode == 1 and len(p.stderr.splitlines()) == 1
    p = subprocess.run([q.argv[0], "-c", str(q.config), "-d", "loud"], capture_output=True, text=True)
    assert p.returncode == 1

"""quelld and monitoring stations (RFC 7854): what a station hears, as we read it and as Wireshark does; stations that go,
come back, or never read."""
import os
import shutil
import signal
import socket
import statistics
import struct
import time

import pytest
from bgp_peer import END_OF_RIB, Peer, macip, open_message, update, withdraw
from bmp_collector import DOWN, ROUTE, STATS, UP, Collector, attributes, bgp, tshark
from conftest import wait_until
from quelld_box import Quelld, inside

pytestmark = pytest.mark.needs("quelld")
RS, A, B, MON = "10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.8"
CONFIG = f"""router-id: {RS}
bgp:
  as: 65000
  listen: [{RS}]
  defer-time: 1
  bmp:
    - {{address: {MON}, name: mon, connect-retry: 1, stats-interval: 1, queue: 1}}
  neighbors:
    - {{address: {A}, client: true, passive: true}}
    - {{address: {B}, client: true, passive: true}}
"""


@pytest.fixture
def wire(scope):
    """Two namespaces on one cable: the route server's, and that of its peers and the station."""
    rs, pes = scope.netns("rs"), scope.netns("pes")
    scope.veth(rs, "up0", pes, "up0")
    rs.ip(f"addr add {RS}/24 dev up0", "link set up0 up")
    pes.ip(*(f"addr add 10.99.0.{i}/24 dev up0" for i in range(2, 10)), "link set up0 up")
    return rs, pes


@pytest.fixture
def collector(wire):
    with inside(wire[1]):
        c = Collector(MON)
    yield c
    c.close()


@pytest.fixture
def quelld(scope, wire, build):
    return Quelld(scope, wire[0], build, CONFIG).start()


def peer(wire, source, **kw):
    with inside(wire[1]):
        return Peer(RS, source, **kw)


def mac(i):
    return f"02:00:5e:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"


def routes(first, last, source=A):
    return [macip(source, 100, mac(i), f"198.18.{i >> 8}.{i & 255}") for i in range(first, last)]


def keys(nlris):
    return {n[:-3] for n in nlris}


def station(quelld):
    return quelld.show("bmp")["stations"][0]


def batches(nlris, n=80):
    return [update(nlris[i:i + n], A) for i in range(0, len(nlris), n)]


def check_with_tshark(collector, path):
    if not shutil.which("tshark"):
        pytest.skip("no tshark here: the rest has passed")
    kinds, malformed, complaints = tshark(collector.stream, path)
    assert kinds == [m.type for m in collector.messages]
    assert malformed == 0 and not complaints, complaints


def test_what_a_station_hears(scope, wire, quelld, collector):
    a = peer(wire, A).establish()
    first, more = routes(0, 300), routes(300, 310)
    for m in batches(first):
        a.send(m)
    a.send(END_OF_RIB)
    wait_until(lambda: len(quelld.routes()) == 300, 5)
    b = peer(wire, B).establish()
    collector.accept().until(lambda: {A, B} <= collector.done, what="End-of-RIB of both")
    assert collector.initiation[1].startswith(b"quelld ") and collector.initiation[2] == os.uname().nodename.encode()
    assert collector.routes[A] == keys(first) and not collector.routes[B]
    sent, received, ports, local = collector.opens[A]
    assert b"\xff" * 16 + struct.pack("!HB", 19 + len(received), 1) + received == open_message(65000, A)
    assert ports == (179, a.sock.getsockname()[1]) and local == RS
    assert sent[:5] == struct.pack("!BHH", 4, 65000, 90)
    ups = [m for m in collector.messages if m.type == UP]
    assert all(abs(m.time - time.time()) < 60 and m.asn == 65000 and m.router_id == socket.inet_aton(m.peer)
               for m in ups)
    # What it says itself is nobody's business.
    collector.conn.sendall(b"x" * 200000)
    # From now on as it comes, octet for octet.
    live = update(more, A)
    a.send(live)
    collector.until(lambda: keys(more) <= collector.routes[A], what="what comes live")
    last = [m for m in collector.messages if m.type == ROUTE][-1]
    assert last.body == live and last.flags == 0
    a.send(withdraw(first[:80]))
    collector.until(lambda: collector.routes[A] == keys(first[80:] + more), what="the withdrawal")
    collector.until(lambda: collector.messages[-1].type == STATS, what="Stats Reports")
    b.close()
    collector.until(lambda: (B, 4, b"") in collector.downs, what="Peer Down of B")
    s = station(quelld)
    assert (s["state"], s["name"], s["policy"], s["losses"], s["queued_octets"]) == ("up", "mon", "pre", 0, 0)
    assert s["messages"] >= len(collector.messages)
    quelld.process.stop()
    collector.until_closed()
    assert (A, 1, b"\x06\x02") in collector.downs
    assert collector.termination == {1: b"\x00\x00"}
    check_with_tshark(collector, scope.dir / "bmp.pcap")


def test_errors_of_a_peer_do_not_reach_the_station(scope, wire, quelld, collector):
    """RFC 7606 is dealt with before: a station never sees what it could stumble over."""
    collector.accept()
    a = peer(wire, A).establish()
    good = routes(0, 2)
    a.send(update(good, A))
    collector.until(lambda: collector.routes[A] == keys(good), what="the routes")
    bad = bytearray(update(good[:1], A))
    bad[bad.index(b"\x50\x01\x00\x01\x00") + 4] = 7  # ORIGIN
    a.send(bytes(bad))
    collector.until(lambda: collector.routes[A] == keys(good[1:]), what="its withdrawal")
    short = good[1][:1] + bytes([5]) + good[1][2:7]
    a.send(update([good[0], short], A))
    collector.until(lambda: collector.routes[A] == keys(good), what="the good one of the two")
    check_with_tshark(collector, scope.dir / "bmp.pcap")


def test_before_and_after_the_policy(scope, wire, build, collector):
    config = CONFIG.replace("queue: 1", "queue: 1, policy: both").replace(
        f"{{address: {A}, client: true, passive: true}}",
        f"{{address: {A}, client: true, passive: true, import: {{vteps: [{A}/32]}}}}")
    Quelld(scope, wire[0], build, config).start()
    a = peer(wire, A).establish()
    good, bad, moved = routes(0, 100), routes(100, 110), routes(200, 201)
    a.send(update(good[:80], A) + update(good[80:], A) + update(bad, B) + update(moved, A))
    collector.accept().until(lambda: A in collector.done and len(collector.routes[A]) == 111)
    # The same when it is told live, and when a route becomes good or bad.
    more = routes(300, 302)
    a.send(update(more[:1], A) + update(more[1:], B) + update(moved, B) + update(bad[:1], A) + withdraw(bad[1:2]))
    collector.until(lambda: more[1][:-3] in collector.routes[A] and len(collector.routes[A]) == 112)
    collector.until(lambda: collector.let_in[A] == keys(good + more[:1] + bad[:1]), what="the same after the policy")
    collector.until(lambda: collector.stats.get(A, {}).get(7) == 112, what="a Stats Report")
    assert collector.stats[A][0] == 10 + 2 and collector.stats[A][10] == 25 << 72 | 70 << 64 | 102
    check_with_tshark(collector, scope.dir / "bmp.pcap")


def test_a_station_that_comes_back_is_told_all(wire, quelld, collector):
    a = peer(wire, A).establish()
    for m in batches(routes(0, 1000)):
        a.send(m)
    collector.accept().until(lambda: A in collector.done and len(collector.routes[A]) == 1000)
    collector.hang_up()
    a.send(withdraw(routes(0, 80)))
    wait_until(lambda: station(quelld)["losses"] == 1, 5, "the loss is seen")
    assert station(quelld)["last_error"] == "closed by the station"
    collector.accept().until(lambda: A in collector.done)
    assert collector.routes[A] == keys(routes(80, 1000))
    collector.hang_up()
    wait_until(lambda: station(quelld)["retry_s"] <= 4 and station(quelld)["state"] == "waiting", 5)


def test_stations_come_and_go_with_the_configuration(wire, quelld, collector):
    """What is not changed keeps its connection; a new one is told of sessions that are older than it."""
    a = peer(wire, A).establish()
    a.send(update(routes(0, 3), A))
    collector.accept().until(lambda: A in collector.done and len(collector.routes[A]) == 3)
    with inside(wire[1]):
        other = Collector(MON, 11020)
    was = f"    - {{address: {MON}, name: mon, connect-retry: 1, stats-interval: 1, queue: 1}}\n"
    new = f"    - {{address: {MON}, port: 11020, name: new}}\n"
    text = quelld.config.read_text()
    quelld.config.write_text(text.replace(was, was + new))
    quelld.process.signal(signal.SIGHUP)
    other.accept().until(lambda: A in other.done)
    assert other.opens[A] == collector.opens[A] and other.routes[A] == collector.routes[A]
    assert station(quelld)["losses"] == 0 and not collector.closed
    quelld.config.write_text(text.replace(was, new))
    quelld.process.signal(signal.SIGHUP)
    collector.until_closed()
    assert collector.termination == {1: b"\x00\x00"}
    a.send(update(routes(3, 4), A))
    other.until(lambda: len(other.routes[A]) == 4, what="what comes live")
    assert [s["name"] for s in quelld.show("bmp")["stations"]] == ["new"] and quelld.established(A)
    other.close()


def test_no_station_there(wire, quelld):
    wait_until(lambda: station(quelld)["last_error"] == "Connection refused", 5)
    peer(wire, A).establish().close()
    s = station(quelld)
    assert s["state"] == "waiting" and s["connects"] >= 1 and s["losses"] == 0


def test_a_station_that_never_reads_costs_nobody_else_anything(scope, wire, build, figures):
    """Its queue is bounded; sessions and other stations notice nothing; when it reads again it is told all."""
    config = CONFIG.replace("  neighbors:", f"    - {{address: {MON}, port: 11020, name: good}}\n  neighbors:", 1)
    with inside(wire[1]):
        bad, good = Collector(MON, rcvbuf=4096), Collector(MON, 11020)
    quelld = Quelld(scope, wire[0], build, config).start()
    bad.accept()
    good.accept()
    a, b = peer(wire, A).establish(), peer(wire, B).establish()
    for p in (a, b):
        p.send(END_OF_RIB)
    many = routes(0, 4000)
    # Announced with one set of attributes and then another: 190 kB each time, until the queue is full.
    versions = [b"".join(update(many[i:i + 80], hop) for i in range(0, len(many), 80)) for hop in (A, B)]
    times, turns = [], 0
    def shown():
        return {s["name"]: s for s in quelld.show("bmp")["stations"]}

    while shown()["mon"]["overflows"] == 0:
        assert turns < 300, "no end to what the station takes"
        a.send(versions[turns % 2])
        mark = macip(A, 101, mac(turns))
        start = time.monotonic()
        a.send(update([mark], A))
        times.append(b.until_update(mark) - start)
        good.until(lambda: mark[:-3] in good.routes[A], what="the mark")
        turns += 1
    seen = shown()
    assert "queue is full" in seen["mon"]["last_error"] and seen["good"]["losses"] == 0
    assert quelld.established(A, B) and quelld.neighbor(A)["flaps"] == 0
    figures(f"BMP station that does not read, dropped after {turns} times 190 kB; a change meanwhile, behind 4 000 others: "
            f"median {statistics.median(times) * 1000:.1f} ms")
    bad.hang_up()
    bad.accept().until(lambda: A in bad.done, what="the dump when it is back")
    wanted = keys(many) | {macip(A, 101, mac(i))[:-3] for i in range(turns)}
    assert bad.routes[A] == good.routes[A] == wanted
    bad.close()
    good.close()

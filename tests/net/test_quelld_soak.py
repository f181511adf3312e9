"""Three quellds, two agents of straw and a BGP peer that announce, withdraw, move, die and come back at random; when they
rest, all tables say the same. QUELL_SOAK gives the seconds (default 12), QUELL_SEED the seed."""
import os
import random
import select
import socket
import struct
import threading
import time

import pytest
from bgp_peer import (END_OF_RIB, EVPN, KEEPALIVE, MARKER, NOTIFICATION, OPEN, UPDATE, Peer, attribute, macip, message,
                      update, withdraw)
from conftest import wait_until
from quelld_box import Quelld, inside
from test_quelld_feed import Agent, mac, pe_config

pytestmark = pytest.mark.needs("quelld")
RS, ONE, TWO, PEER = "10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"
SECONDS = float(os.environ.get("QUELL_SOAK", 12))
OWN = {ONE: range(1, 200), TWO: range(300, 500), PEER: range(600, 1000)}
SHARED = range(1100, 1140)


def ip(i):
    return f"198.18.{i >> 8}.{i & 255}"


def caps_open(gr):
    caps = b"\x01\x04" + EVPN + b"\x41\x04" + struct.pack("!I", 65000) + b"\x02\x00\x46\x00"
    if gr:
        caps += b"\x40\x06" + struct.pack("!HHBB", 0x4000 | 60, 25, 70, 0x80)
    return message(OPEN, struct.pack("!BHH4sBBB", 4, 65000, 90, socket.inet_aton(PEER), len(caps) + 2, 2, len(caps)) +
                   caps)


class Reader(threading.Thread):
    """A BGP peer that keeps what it is told: {NLRI without segment and label: next hop}."""

    def __init__(self, ns, gr):
        super().__init__(daemon=True)
        self.rib, self.lock, self.over, self.why = {}, threading.Lock(), False, None
        with inside(ns):
            self.peer = Peer(RS, PEER)
        self.peer.opened = None
        self.peer.send(caps_open(gr))
        got = self.peer.receive()
        assert got and got[0] == OPEN, got
        self.peer.send(message(KEEPALIVE))
        got = self.peer.receive()
        assert got and got[0] == KEEPALIVE, got
        self.start()

    @staticmethod
    def key(n):
        return n[:10] + n[20:] if n[0] != 2 else n[:10] + n[20:32 + n[31] // 8]

    def nlris(self, octets):
        while octets:
            one, octets = octets[:2 + octets[1]], octets[2 + octets[1]:]
            yield self.key(one)

    def take(self, body):
        attrs = body[4:]
        while attrs:
            kind = attrs[1]
            if attrs[0] & 0x10:
                length, at = struct.unpack("!H", attrs[2:4])[0], 4
            else:
                length, at = attrs[2], 3
            value, attrs = attrs[at:at + length], attrs[at + length:]
            if kind == 14:
                hop = value[4:4 + value[3]]
                for k in self.nlris(value[5 + value[3]:]):
                    self.rib[k] = hop
            elif kind == 15:
                for k in self.nlris(value[3:]):
                    self.rib.pop(k, None)

    def run(self):
        try:
            while not self.over:
                try:
                    got = self.peer.receive(0.2)
                except TimeoutError:
                    self.peer.send(message(KEEPALIVE))
                    continue
                if got is None or got[0] == NOTIFICATION:
                    self.why = got
                    break
                if got[0] == UPDATE:
                    with self.lock:
                        self.take(got[1])
        except OSError as e:
            self.why = e
        self.over = True

    def close(self):
        self.over = True
        self.peer.close()
        self.join()


class Straw:
    """The agent of one PE: what is behind its ports, whether or not it is connected."""

    def __init__(self, quelld):
        self.quelld, self.has, self.agent = quelld, {}, None

    def line(self, op, i, claim=True):
        return {"op": op, "lan": "ixp", "mac": mac(i), "ip": ip(i), "claim": claim}

    def connect(self):
        if self.agent:
            self.agent.close()
        try:
            self.agent = Agent(self.quelld, [self.line("add", i, False) for i in self.has])
        except (OSError, AssertionError):
            self.agent = None

    def say(self, *lines):
        if not self.agent:
            return self.connect()
        try:
            while select.select([self.agent.conn], [], [], 0)[0]:
                if not self.agent.conn.recv(1 << 20):
                    raise OSError("closed")
            self.agent.say(*lines)
        except OSError:
            self.connect()

    def add(self, i):
        self.has[i] = True
        self.say(self.line("add", i))

    def drop(self, i):
        if self.has.pop(i, None):
            self.say(self.line("del", i))


def test_soak(scope, build):
    seed = int(os.environ.get("QUELL_SEED", time.time()))
    print(f"seed {seed}")
    rng = random.Random(seed)
    spaces = [scope.netns(n) for n in ("rs", "one", "two", "peer")]
    hub = scope.netns("hub")
    hub.ip("link add br0 type bridge stp_state 0 forward_delay 0", "link set br0 up")
    for ns, address in zip(spaces, (RS, ONE, TWO, PEER)):
        scope.veth(ns, "up0", hub, ns.role)
        hub.ip(f"link set {ns.role} master br0", f"link set {ns.role} up")
        ns.ip(f"addr add {address}/24 dev up0", "link set up0 up")
    neighbors = "".join(f"    - {{address: {a}, client: true, passive: true}}\n" for a in (ONE, TWO, PEER))
    rs = Quelld(scope, spaces[0], build, f"router-id: {RS}\nbgp:\n  as: 65000\n  listen: [{RS}]\n  defer-time: 3\n"
                f"  neighbors:\n{neighbors}", name="rs").start()
    pes = {a: Quelld(scope, ns, build, pe_config(a), name=ns.role).start()
           for a, ns in zip((ONE, TWO), spaces[1:3])}
    straws = {a: Straw(q) for a, q in pes.items()}
    peer, theirs = None, {}
    boxes = [rs, *pes.values()]
    restarts = {q.name: 0 for q in boxes}

    def nlris(i):
        return [macip(PEER, 2, mac(i)), macip(PEER, 2, mac(i), ip(i))]

    def call():
        nonlocal peer
        if peer and not peer.over:
            return True
        if peer:
            peer.close()
        try:
            peer = Reader(spaces[3], rng.random() < 0.7)
            for i in theirs:
                peer.peer.send(update(nlris(i), PEER))
            peer.peer.send(END_OF_RIB)
        except (OSError, AssertionError, TimeoutError):
            return False
        return True

    def tell(octets):
        try:
            if call():
                peer.peer.send(octets)
        except OSError:
            peer.over = True

    def sound(q):
        said = q.process.said()
        assert q.process.alive() and "Sanitizer" not in said and "runtime error" not in said, said[-5000:]

    def restart(q):
        sound(q)
        restarts[q.name] += 1
        if rng.random() < 0.7:
            q.process.kill()
        else:
            q.process.stop()
        time.sleep(rng.choice((0, 0, 0.3, 1)))
        q.start()

    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        dice = rng.random()
        if dice < 0.45:
            a = rng.choice((ONE, TWO))
            i = rng.choice(OWN[a])
            (straws[a].drop if i in straws[a].has else straws[a].add)(i)
        elif dice < 0.80:
            many = rng.sample(OWN[PEER], rng.randint(1, 60))
            if rng.random() < 0.5:
                theirs.update({i: True for i in many})
                tell(update([n for i in many for n in nlris(i)][:100], PEER))
                theirs.update({i: True for i in many[:50]})
                for i in many[50:]:
                    tell(update(nlris(i), PEER))
            else:
                for i in many:
                    theirs.pop(i, None)
                tell(withdraw([n for i in many for n in nlris(i)]))
        elif dice < 0.92:
            # A shared MAC is seen here or there.
            i = rng.choice(SHARED)
            here, there = rng.sample((ONE, TWO), 2)
            straws[here].add(i)
            if rng.random() < 0.5:
                straws[there].drop(i)
        elif dice < 0.95:
            tell(MARKER + struct.pack("!HBHBB", 23, 5, 25, 0, 70))  # a refresh, please
        elif dice < 0.97:
            straws[rng.choice((ONE, TWO))].connect()
        elif dice < 0.98 and peer:
            peer.close()
        elif dice < 0.99:
            restart(rng.choice(boxes))
        time.sleep(rng.random() * 0.02)
    # A MAC that is at both PEs is nobody's in particular: one of them forgets it.
    for i in SHARED:
        if all(i in s.has for s in straws.values()):
            straws[rng.choice((ONE, TWO))].drop(i)
    wait_until(call, 30, "the peer calls")
    for s in straws.values():
        s.connect()
        assert s.agent

    def places(q, me):
        lan = q.show("lan")["lans"][0]
        return ({e["mac"]: me if e["local"] else e["vtep"] for e in lan["macs"]},
                {e["ip"]: (e["mac"], me if e["local"] else e["vtep"]) for e in lan["bindings"]}, set(lan["flood"]),
                not any(e["stale"] for e in lan["macs"] + lan["bindings"]))

    want_macs = {mac(i): a for a, s in straws.items() for i in s.has} | {mac(i): PEER for i in theirs}
    want_ips = {ip(i): (mac(i), a) for a, s in straws.items() for i in s.has} | \
               {ip(i): (mac(i), PEER) for i in theirs}

    def wrong():
        found = []
        for a, q in pes.items():
            macs, ips, flood, fresh = places(q, a)
            found += [f"{a}: mac {k}: {macs.get(k)}, wanted {want_macs.get(k)}" for k in {*macs, *want_macs}
                      if macs.get(k) != want_macs.get(k)]
            found += [f"{a}: ip {k}: {ips.get(k)}, wanted {want_ips.get(k)}" for k in {*ips, *want_ips}
                      if ips.get(k) != want_ips.get(k)]
            if flood != {ONE, TWO} - {a}:
                found.append(f"{a}: flood list {flood}")
            if not fresh:
                found.append(f"{a}: stale")
        # The peer's view: what is behind the PEs, each twice, and their type 3.
        with peer.lock:
            told = set(peer.rib)
        expected = 2 * sum(len(s.has) for s in straws.values()) + 2
        if len(told) != expected:
            found.append(f"the peer knows {len(told)} routes, wanted {expected}")
        shown = rs.show("routes")
        if shown["matched"] != expected + 2 * len(theirs) or any(r["stale"] for r in shown["routes"]):
            found.append(f"rs has {shown['matched']} routes, wanted {expected + 2 * len(theirs)}")
        return found

    deadline = time.monotonic() + 60
    while (left := wrong()) and time.monotonic() < deadline:
        assert not peer.over, f"the peer's session ended: {peer.why}"
        time.sleep(0.3)
    print(f"restarts {restarts}; {len(want_macs)} MACs; neighbors {[n['flaps'] for n in rs.show('neighbors')['neighbors']]}")
    for q in boxes:
        sound(q)
    assert not left, left[:10]
    peer.close()

"""A BMP station for tests (RFC 7854): reads what it is told, keeps the octets for another's opinion, and the routes of each
peer by what it heard, before and after the import policy. Nothing of quell is used here."""
import collections
import re
import select
import socket
import struct
import subprocess
import time

from bgp_peer import NOTIFICATION, OPEN, UPDATE

ROUTE, STATS, DOWN, UP, INITIATION, TERMINATION = range(6)
EVPN = struct.pack("!HB", 25, 70)
Message = collections.namedtuple("Message", "type peer flags asn router_id time body")


def bgp(octets, kind):
    """One BGP message off the front: its body, and the rest."""
    assert octets[:16] == b"\xff" * 16
    length, got = struct.unpack("!HB", octets[16:19])
    assert got == kind, f"BGP type {got} instead of {kind}"
    return octets[19:length], octets[length:]


def attributes(body):
    """{type: value} of an UPDATE, whole."""
    withdrawn, length = struct.unpack("!HH", body[:4])
    assert withdrawn == 0 and len(body) == 4 + length
    found, body = {}, body[4:]
    while body:
        flags, kind = body[:2]
        size, at = (struct.unpack("!H", body[2:4])[0], 4) if flags & 0x10 else (body[2], 3)
        assert kind not in found and len(body) >= at + size
        found[kind], body = body[at:at + size], body[at + size:]
    return found


def nlris(octets):
    while octets:
        yield octets[:2 + octets[1]]
        octets = octets[2 + octets[1]:]


class Collector:
    def __init__(self, address, port=11019, rcvbuf=None):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if rcvbuf:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.listener.bind((address, port))
        self.listener.listen(4)
        self.conn = None

    def accept(self, timeout=10):
        self.listener.settimeout(timeout)
        self.conn, self.caller = self.listener.accept()
        self.stream, self.at, self.messages, self.closed = b"", 0, [], False
        self.routes, self.let_in = collections.defaultdict(set), collections.defaultdict(set)
        self.done, self.opens, self.downs, self.stats = set(), {}, [], {}
        self.initiation = self.termination = None
        return self

    def close(self):
        if self.conn:
            self.conn.close()
        self.listener.close()

    def hang_up(self):
        self.conn.close()
        self.conn = None

    def until(self, condition, timeout=10, what="what it waits for"):
        end = time.monotonic() + timeout
        while not condition():
            assert not self.closed, f"closed before {what}"
            left = end - time.monotonic()
            assert left > 0 and select.select([self.conn], [], [], left)[0], f"no {what}"
            self.take(self.conn.recv(1 << 20))
        return self

    def until_closed(self, timeout=10):
        return self.until(lambda: self.closed, timeout, "the end")

    def take(self, got):
        self.closed = not got
        self.stream += got
        while len(self.stream) - self.at >= 6:
            version, length, kind = struct.unpack_from("!BIB", self.stream, self.at)
            assert version == 3 and 6 <= length <= 48 + 65535
            if len(self.stream) - self.at < length:
                return
            self.hear(kind, self.stream[self.at + 6:self.at + length])
            self.at += length

    def hear(self, kind, body):
        peer = flags = asn = router_id = stamp = None
        assert (kind == INITIATION) == (not self.messages), "the first message is the Initiation"
        assert not self.termination, "something after the Termination"
        if kind < INITIATION:
            ptype, flags, distinguisher = struct.unpack_from("!BBQ", body)
            assert ptype == 0 and distinguisher == 0 and not flags & 0x80
            peer = socket.inet_ntoa(body[22:26])
            assert body[10:22] == bytes(12)
            asn, router_id, sec, usec = struct.unpack_from("!I4sII", body, 26)
            stamp, body = sec + usec / 1e6, body[42:]
        m = Message(kind, peer, flags, asn, router_id, stamp, body)
        self.messages.append(m)
        if kind == INITIATION:
            self.initiation = dict(self.tlvs(body))
        elif kind == TERMINATION:
            self.termination = dict(self.tlvs(body))
        elif kind == UP:
            assert peer not in self.opens, "up twice"
            sent, rest = bgp(body[20:], OPEN)
            received, rest = bgp(rest, OPEN)
            assert not rest
            self.opens[peer] = sent, received, struct.unpack("!HH", body[16:20]), socket.inet_ntoa(body[12:16])
        else:
            assert peer in self.opens, "of a peer that is not up"
            if kind == DOWN:
                self.downs.append((peer, body[0], bgp(body[1:], NOTIFICATION)[0][:2] if body[0] in (1, 3) else b""))
                del self.opens[peer]
                self.done.discard(peer)
                self.routes[peer].clear()
                self.let_in[peer].clear()
            elif kind == STATS:
                count, self.stats[peer] = struct.unpack("!I", body[:4])[0], {t: int.from_bytes(v, "big")
                                                                             for t, v in self.tlvs(body[4:])}
                assert count == len(self.stats[peer])
            elif kind == ROUTE:
                self.hear_update(peer, bgp(body, UPDATE), self.let_in if flags & 0x40 else self.routes)

    def hear_update(self, peer, message, routes):
        body, rest = message
        assert not rest
        found = attributes(body)
        if 15 in found:
            assert found[15][:3] == EVPN
            # The key of these type 2 routes is all but the label.
            routes[peer] -= {n[:-3] for n in nlris(found[15][3:])}
            if found[15] == EVPN:
                self.done.add(peer)
        if 14 in found:
            value = found[14]
            assert value[:3] == EVPN
            routes[peer] |= {n[:-3] for n in nlris(value[5 + value[3]:])}

    @staticmethod
    def tlvs(body):
        while body:
            kind, length = struct.unpack("!HH", body[:4])
            yield kind, body[4:4 + length]
            body = body[4 + length:]


def pcap_of(stream, path, port=11019):
    """The octets as a TCP stream in a file: raw IPv4 packets, one segment each."""
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for at in range(0, len(stream), 1400):
            data = stream[at:at + 1400]
            tcp = struct.pack("!HHIIBBHHH", 40000, port, (1 + at) & 0xffffffff, 1, 0x50, 0x18, 65535, 0, 0)
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0x4000, 64, 6, 0, bytes([10, 0, 0, 1]),
                             bytes([10, 0, 0, 2]))
            packet = ip + tcp + data
            f.write(struct.pack("=IIII", 1, at, len(packet), len(packet)) + packet)


def tshark(stream, path, port=11019):
    """What Wireshark makes of it: message types in their order, and its complaints."""
    pcap_of(stream, path, port)
    fields = ["-e", "bmp.type", "-e", "_ws.malformed", "-e", "_ws.expert.message"]
    out = subprocess.run(["tshark", "-r", str(path), "-d", f"tcp.port=={port},bmp", "-T", "fields", *fields,
                          "-E", "occurrence=a", "-E", "aggregator=,"], capture_output=True, text=True, check=True).stdout
    kinds, malformed, complaints = [], 0, set()
    for line in out.splitlines():
        types, bad, experts = (line.split("\t") + [""] * 3)[:3]
        kinds += [int(t) for t in types.split(",") if t]
        malformed += bool(bad)
        complaints |= {e for e in re.split(r",(?=[A-Z])", experts) if e}
    return kinds, malformed, complaints

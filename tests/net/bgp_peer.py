"""A small BGP peer for tests: it says what it is told, and keeps what it hears. Nothing of quell is used here, so it is a
second opinion on the wire. Octets as RFC 4271, 4760, 5492, 7432 and 8365 lay them out."""
import select
import socket
import struct
import time

MARKER = b"\xff" * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE = 1, 2, 3, 4
EVPN = struct.pack("!HBB", 25, 0, 70)


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def open_message(asn, router_id, hold=90):
    caps = b"\x01\x04" + EVPN + b"\x41\x04" + struct.pack("!I", asn) + b"\x02\x00"
    return message(OPEN, struct.pack("!BHH4sBBB", 4, min(asn, 65535), hold, socket.inet_aton(router_id),
                                     len(caps) + 2, 2, len(caps)) + caps)


def attribute(flags, kind, value):
    return struct.pack("!BBH", flags | 0x10, kind, len(value)) + value


def macip(rd_ip, number, mac, ip="", vni=100):
    """A type-2 NLRI: RD of type 1, no segment, tag 0."""
    address = socket.inet_aton(ip) if ip else b""
    value = struct.pack("!H4sH", 1, socket.inet_aton(rd_ip), number) + bytes(10) + bytes(4) + b"\x30" + \
        bytes.fromhex(mac.replace(":", "")) + bytes([8 * len(address)]) + address + struct.pack("!I", vni)[1:]
    return bytes([2, len(value)]) + value


def update(nlris, next_hop, asn=65000, vni=100):
    """An iBGP UPDATE that announces them with route target asn:vni and VXLAN."""
    ecs = struct.pack("!BBHI", 0, 2, asn, vni) + struct.pack("!BBIH", 3, 12, 0, 8)
    attrs = attribute(0x40, 1, b"\x00") + attribute(0x40, 2, b"") + attribute(0x40, 5, struct.pack("!I", 100)) + \
        attribute(0xc0, 16, ecs) + \
        attribute(0x80, 14, struct.pack("!HBB", 25, 70, 4) + socket.inet_aton(next_hop) + b"\x00" + b"".join(nlris))
    return message(UPDATE, struct.pack("!HH", 0, len(attrs)) + attrs)


def withdraw(nlris):
    attrs = attribute(0x80, 15, struct.pack("!HB", 25, 70) + b"".join(nlris))
    return message(UPDATE, struct.pack("!HH", 0, len(attrs)) + attrs)


END_OF_RIB = withdraw([])


class Peer:
    """One session, from our side active unless a listening socket is given."""

    def __init__(self, to=None, source=None, asn=65000, router_id=None, listener=None, port=179, rcvbuf=None,
                 timeout=10, md5=None):
        if listener:
            listener.settimeout(timeout)
            self.sock, _ = listener.accept()
        else:
            self.sock = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET)
            if rcvbuf:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
            self.sock.settimeout(timeout)
            if md5:  # struct tcp_md5sig
                key = md5.encode()
                self.sock.setsockopt(socket.IPPROTO_TCP, 14, struct.pack("=HH4s120xBBHi80s", socket.AF_INET, 0,
                                                                         socket.inet_aton(to), 0, 0, len(key), 0, key))
            if source:
                self.sock.bind((source, 0))
            self.sock.connect((to, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf, self.opened = b"", None
        self.asn, self.router_id = asn, router_id or source

    def establish(self):
        self.send(open_message(self.asn, self.router_id))
        assert (self.opened or self.receive())[0] == OPEN
        self.send(message(KEEPALIVE))
        assert self.receive()[0] == KEEPALIVE
        return self

    def send(self, octets):
        self.sock.sendall(octets)

    def receive(self, timeout=10):
        """The next message as (type, body); None when the peer closed."""
        end = time.monotonic() + timeout
        while True:
            if len(self.buf) >= 19:
                length, kind = struct.unpack("!HB", self.buf[16:19])
                if len(self.buf) >= length:
                    body, self.buf = self.buf[19:length], self.buf[length:]
                    return kind, body
            if not select.select([self.sock], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("no message")
            got = self.sock.recv(65536)
            if not got:
                return None
            self.buf += got

    def until_update(self, octets, timeout=10):
        """Reads until an UPDATE holds these octets; returns the time at which it was there."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            got = self.receive(max(0.01, end - time.monotonic()))
            assert got and got[0] != NOTIFICATION, f"session ended: {got}"
            if got[0] == UPDATE and octets in got[1]:
                return time.monotonic()
        raise TimeoutError("no such UPDATE")

    def until_end_of_rib(self):
        self.until_update(attribute(0x80, 15, struct.pack("!HB", 25, 70))[4:])

    def close(self):
        self.sock.close()

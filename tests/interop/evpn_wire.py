"""Reads UPDATEs of EVPN as the RFCs lay them out, with nothing of quell: a second opinion on what went in and came out.

A route is (key, (NLRI, attributes)): the key is what tells one route from another (RFC 7432 section 7, RFC 9136, RFC 9251),
the NLRI all its octets, attributes a dictionary of type to (flags without Extended Length, value)."""
import struct

MP_REACH, MP_UNREACH = 14, 15
EVPN = b"\x00\x19\x46"


def key_of(nlri):
    """The octets of an NLRI that are its key, behind the type."""
    kind, value = nlri[0], nlri[2:]
    if kind == 1:
        return bytes([kind]) + value[:22]
    if kind == 2:
        return bytes([kind]) + value[:8] + value[18:30 + value[29] // 8]
    if kind == 5:
        ip = 4 if len(value) == 34 else 16
        return bytes([kind]) + value[:8] + value[18:23 + ip]
    if kind in (6, 7):
        return bytes([kind]) + value[:-1]
    if kind == 8:
        return bytes([kind]) + value[:-6]
    return bytes([kind]) + value


def nlris(octets):
    at = 0
    while at < len(octets):
        end = at + 2 + octets[at + 1]
        yield octets[at:end]
        at = end


def attributes(octets):
    found, at = {}, 0
    while at < len(octets):
        flags, kind = octets[at], octets[at + 1]
        if flags & 0x10:
            length, = struct.unpack_from("!H", octets, at + 2)
            at += 4
        else:
            length = octets[at + 2]
            at += 3
        assert at + length <= len(octets), "attribute overruns"
        assert kind not in found, f"attribute {kind} twice"
        found[kind] = (flags & 0xef, octets[at:at + length])
        at += length
    return found


def update(body):
    """(attributes without MP_REACH, next hop, announced NLRIs, withdrawn NLRIs) of an UPDATE without its header."""
    withdrawn_len, = struct.unpack_from("!H", body)
    attrs_len, = struct.unpack_from("!H", body, 2 + withdrawn_len)
    assert withdrawn_len == 0 and 4 + attrs_len == len(body), "IPv4 routes"
    attrs = attributes(body[4:])
    reach, unreach = attrs.pop(MP_REACH, None), attrs.pop(MP_UNREACH, None)
    next_hop, announced, gone = b"", [], []
    if reach and reach[1][:3] == EVPN:
        hop = reach[1][3]
        next_hop = reach[1][4:4 + hop]
        announced = list(nlris(reach[1][5 + hop:]))
    if unreach and unreach[1][:3] == EVPN:
        gone = list(nlris(unreach[1][3:]))
    return attrs, next_hop, announced, gone


def messages(octets):
    """(type, body) of each whole message of a stream."""
    at = 0
    while at < len(octets):
        length, kind = struct.unpack_from("!HB", octets, at + 16)
        yield kind, octets[at + 19:at + length]
        at += length


class Table:
    """What a receiver of these UPDATEs knows after them: key -> (NLRI, next hop, attributes)."""

    def __init__(self):
        self.routes = {}

    def take(self, body):
        attrs, next_hop, announced, gone = update(body)
        for n in gone:
            self.routes.pop(key_of(n), None)
        for n in announced:
            self.routes[key_of(n)] = (n, next_hop, attrs)
        return len(announced) + len(gone)

"""EVPN routes as octets, written from RFC 7432, 9136, 9251 and 9572 by hand, and UPDATEs of them."""
import socket
import struct

from bgp_peer import UPDATE, attribute, message

RD = "00010a6300030064"
ESI0 = "00" * 10
ESIS = {0: "00112233445566778899", 1: "01aabbccddeeff006400", 2: "02aabbccddeeff800000", 3: "03aabbccddeeff000064",
        4: "04010101010000006400", 5: "050000fde80000006400", "none": ESI0, "all ones": "ff" * 10}
TAG = "00000000"
MAC = "02005e0000"
RT = "0002fde800000064"
VXLAN = "030c000000000008"
ARP_ND = "0608090000000000"


def nlri(kind, *parts):
    value = bytes.fromhex("".join(parts))
    return bytes([kind, len(value)]) + value


def ip(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text).hex()


# All forms of types 1 to 5.
ROUTES = {
    "type 1, per segment": nlri(1, RD, ESIS[0], "ffffffff", "000000"),
    "type 1, per EVI": nlri(1, RD, ESIS[3], TAG, "000064"),
    "type 2, MAC only": nlri(2, RD, ESI0, TAG, "30", MAC, "01", "00", "000064"),
    "type 2, IPv4": nlri(2, RD, ESI0, TAG, "30", MAC, "02", "20", ip("198.18.0.2"), "000064"),
    "type 2, IPv6": nlri(2, RD, ESI0, TAG, "30", MAC, "03", "80", ip("2001:db8:100::3"), "000064"),
    "type 2, IPv4, two labels": nlri(2, RD, ESIS[1], TAG, "30", MAC, "04", "20", ip("198.18.0.4"), "000064", "0003e8"),
    "type 2, IPv6, two labels": nlri(2, RD, ESIS[5], TAG, "30", MAC, "05", "80", ip("2001:db8:100::5"), "000064", "0003e8"),
    "type 3, IPv4": nlri(3, RD, TAG, "20", ip("10.99.0.3")),
    "type 4, IPv4": nlri(4, RD, ESIS[4], "20", ip("10.99.0.3")),
    "type 5, IPv4": nlri(5, RD, ESI0, TAG, "18", ip("192.0.2.0"), ip("192.0.2.1"), "000064"),
    "type 5, IPv6": nlri(5, RD, ESI0, TAG, "30", ip("2001:db8::"), ip("2001:db8::1"), "000064"),
}
# With these FRR 8.4 and others have trouble.
RARE = {
    "type 2, MAC only, two labels": nlri(2, RD, ESI0, TAG, "30", MAC, "06", "00", "000064", "0003e8"),
    "type 2, label ffffff": nlri(2, RD, ESI0, TAG, "30", MAC, "07", "00", "ffffff"),
    "type 2, ESI all ones": nlri(2, RD, "ff" * 10, TAG, "30", MAC, "08", "00", "000064"),
    "type 3, IPv6": nlri(3, RD, TAG, "80", ip("2001:db8::3")),
    "type 4, IPv6": nlri(4, RD, ESIS[2], "80", ip("2001:db8::3")),
}
UNKNOWN = {
    "type 6": nlri(6, RD, TAG, "00", "20", ip("239.1.1.1"), "20", ip("10.99.0.3"), "02"),
    "type 9": nlri(9, RD, "0000000a"),
    "type 200": nlri(200, RD, "01020304"),
}


def announce(nlris, communities=(RT, VXLAN), pmsi=None, next_hop="10.99.0.3", as_path=b"", local_pref=100, more=b""):
    attrs = attribute(0x40, 1, b"\x00") + attribute(0x40, 2, as_path)
    if local_pref is not None:
        attrs += attribute(0x40, 5, struct.pack("!I", local_pref))
    attrs += attribute(0xc0, 16, bytes.fromhex("".join(communities)))
    if pmsi:
        attrs += attribute(0xc0, 22, bytes.fromhex(pmsi))
    attrs += more + attribute(0x80, 14, struct.pack("!HBB", 25, 70, len(ip(next_hop)) // 2) + bytes.fromhex(ip(next_hop)) +
                              b"\x00" + b"".join(nlris))
    return message(UPDATE, struct.pack("!HH", 0, len(attrs)) + attrs)

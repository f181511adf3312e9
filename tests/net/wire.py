"""Single frames on the wires of a lab: sockets inside namespaces, and the frames the tests send and await, made and read
by scapy, which knows nothing of our codecs."""
import contextlib
import ctypes
import os
import select
import socket
import time

from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6,
                                in6_getnsma)
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: F401  (for the tests)
from scapy.layers.l2 import ARP, Ether

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
BROADCAST = "ff:ff:ff:ff:ff:ff"


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(ns):
    """Sockets made in this block are made in the namespace, and stay there."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{ns.name}", os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(here)
        os.close(here)
        os.close(there)


class Port:
    """A raw socket at one interface of a namespace; this process stays where it is."""

    def __init__(self, ns, ifname="eth0"):
        with inside(ns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
            self.socket.bind((ifname, 3))

    def send(self, frame):
        self.socket.send(bytes(frame))

    def await_frame(self, matches, timeout):
        """The first frame for which matches(bytes) holds, or None after `timeout` seconds."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if not select.select([self.socket], [], [], max(0, left))[0]:
                return None
            frame = self.socket.recv(2048)
            if matches(frame):
                return frame

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def v6(address):
    return socket.inet_pton(socket.AF_INET6, address)


def v4(address):
    return socket.inet_aton(address)


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def garp(mac, ip):
    return Ether(src=mac, dst=BROADCAST) / ARP(op=1, hwsrc=mac, psrc=ip, pdst=ip)


def who_has(mac, ip, target):
    return Ether(src=mac, dst=BROADCAST) / ARP(op=1, hwsrc=mac, psrc=ip, pdst=target)


def neighbor_solicitation(mac, ip, target):
    group = in6_getnsma(v6(target))
    text = socket.inet_ntop(socket.AF_INET6, group)
    return (Ether(src=mac, dst="33:33:" + ":".join(f"{b:02x}" for b in group[12:])) / IPv6(src=ip, dst=text, hlim=255) /
            ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac))


def neighbor_advertisement(mac, ip):
    return (Ether(src=mac, dst="33:33:00:00:00:01") / IPv6(src=ip, dst="ff02::1", hlim=255) /
            ICMPv6ND_NA(tgt=ip, R=1, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac))


def is_arp_reply(ip, mac=None):
    return lambda f: (f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2" and f[28:32] == v4(ip) and
                      (mac is None or f[22:28] == mac_bytes(mac)))


def is_na(target, mac=None):
    return lambda f: (f[12:14] == b"\x86\xdd" and f[20] == 58 and f[54] == 136 and f[62:78] == v6(target) and
                      (mac is None or f[80:86] == mac_bytes(mac)))

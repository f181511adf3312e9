"""A LAN with a data plane at its ports: three members and a fabric on one bridge, and tests/bpf/plane_shell, which owns the plane, so
that it can be killed. What each plane has to do alike is tested with `lan`, once with each: the BPF plane, the same with XDP where
that is another program, and the packet plane."""
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

scapy = pytest.importorskip("scapy.all")
from scapy.all import ARP, IP, UDP, Ether, IPv6, Raw  # noqa: E402
from scapy.all import ICMPv6ND_NA, ICMPv6ND_NS  # noqa: E402
from scapy.all import ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr  # noqa: E402

LAN = 100
BROADCAST = "ff:ff:ff:ff:ff:ff"
MEMBER, FABRIC = 1, 2
UNDERLAY = 3
CLOSED, QUARANTINE, DRY, WATCH, UNICAST = 1, 2, 4, 8, 16
DROP, SPONGE, POLICE = 0, 1, 2
B_ROUTER, B_STATIC, B_SPONGE, B_EXCHANGE = 1, 4, 0x20, 0x80
M_STATIC, M_TRAP = 1, 0x10
E_BINDING, E_SPOOF, E_PROBE, E_QUERY, E_TRAP, E_LIFE = 1, 4, 5, 6, 7, 8
IN, OUT = 0, 1
P_ALL, P_KNOWN, P_EXCHANGE, P_UNKNOWN, P_ANNOUNCE, P_OTHER = range(6)
BITS, PACKETS = 0, 1

_libc = ctypes.CDLL(None, use_errno=True)
with_xdp = pytest.mark.parametrize("lan", ["bpf", "xdp", "packet"], indirect=True)


def in_netns(ns, make):
    """What make() returns, made in that namespace."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{ns.name}") as there:
        assert _libc.setns(there.fileno(), 0x40000000) == 0
        try:
            return make()
        finally:
            assert _libc.setns(home.fileno(), 0x40000000) == 0


class Wire:
    """An interface as a member's router has it: octets out, octets in."""

    def __init__(self, ns, name):
        self.socket = in_netns(ns, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self.socket.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
        self.socket.bind((name, 3))

    def send(self, *frames):
        for f in frames:
            self.socket.send(bytes(f))

    def arrived(self, least=0, timeout=2.0):
        """All frames there are, once there are `least` of them."""
        got, end = [], time.monotonic() + timeout
        while True:
            wait = end - time.monotonic() if len(got) < least else 0
            if not select.select([self.socket], [], [], max(0, wait))[0]:
                return got
            got.append(self.socket.recv(65536))

    def close(self):
        self.socket.close()


class Shell:
    """A process with a plane in it."""

    def __init__(self, ns, build, stderr, prefix=()):
        self.p = subprocess.Popen([*ns.enter, *prefix, os.path.join(build, "tests/bpf/plane_shell")], bufsize=1,
                                  text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)

    def ask(self, *words):
        self.p.stdin.write(" ".join(map(str, words)) + "\n")
        return json.loads(self.p.stdout.readline())

    def do(self, *words):
        answer = self.ask(*words)
        assert answer["result"] == 0, (words, answer)
        return answer

    def kill(self):
        self.p.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        self.p.stdin.close()
        self.p.wait(10)
        self.p.stdout.close()

    def ledger(self, slot):
        """{(way, class, outcome): frames}"""
        return {(w, c, o): n for w, c, o, n, _ in self.do("counters", slot)["rows"]}

    def would(self, slot):
        return {(w, c, o): n for w, c, o, n, _ in self.do("would", slot)["rows"]}

    def events(self):
        return [(e["type"], e["mac"], e["ip"]) for e in self.do("events")["rows"]]


class Lan:
    """PE: br0 with m1, m2, m3 (members a, b, c) and f0 (the fabric, its other end in namespace f)."""

    def __init__(self, scope, build, plane="bpf"):
        self.scope, self.build, self.shells, self.wires = scope, build, [], []
        self.plane, self.xdp = "packet" if plane == "packet" else "bpf", int(plane == "xdp")
        self.pe = scope.netns("pe")
        self.log = open(scope.dir / "plane.log", "ab")
        self.pe.ip("link add br0 address 02:00:00:00:00:fe type bridge mcast_snooping 0",
                   "link set br0 addrgenmode none")
        self.members = {}
        for i, role in enumerate("abcf", 1):
            ns = self.members[role] = scope.netns(role)
            port = self.port(role)
            scope.veth(self.pe, port, ns, "eth0")
            self.pe.ip(f"link set {port} addrgenmode none master br0 up")
            ns.ip(f"link set eth0 address {self.mac(role)} addrgenmode none up")
        self.pe.ip("link set br0 up")
        self.index = {r: self.pe.ip_json("link", "show", self.port(r))[0]["ifindex"] for r in "abcf"}
        self.slot = {r: i for i, r in enumerate("abcf", 1)}
        self.dir = scope.bpffs() / "quell"

    def port(self, role):
        return {"a": "m1", "b": "m2", "c": "m3", "f": "f0"}[role]

    def mac(self, role):
        return f"02:00:00:00:00:{'abcfr'.index(role) + 1:02x}"

    def ip4(self, role):
        return f"198.18.0.{'abcfr'.index(role) + 1}"

    def ip6(self, role):
        return f"2001:db8::{'abcfr'.index(role) + 1}"

    def shell(self, open_=True, prefix=(), bindings=256, stderr=None):
        s = Shell(self.pe, self.build, stderr or self.log, prefix)
        self.shells.append(s)
        if open_:
            s.opened = s.do("open", self.plane, self.dir, bindings, 256, 16)
        return s

    def set_port(self, s, role, flags=CLOSED, unknown=DROP, flood=0, in_bps=0, out_bps=0, burst=2000, rules=0,
                 policed=(0, 0)):
        s.do("port", self.index[role], LAN, self.slot[role], FABRIC if role == "f" else MEMBER, flags, unknown, 0,
             flood, in_bps, out_bps, burst, burst, rules, *policed)

    def fill(self, s):
        """All members registered, r behind another PE."""
        for role in "abcr":
            here = 0 if role == "r" else self.index[role]
            s.do("mac", LAN, self.mac(role), here, here, M_STATIC)
            s.do("bind", LAN, self.ip4(role), self.mac(role), B_STATIC, here)
            s.do("bind", LAN, self.ip6(role), self.mac(role), B_STATIC | (B_ROUTER if role == "b" else 0), here)

    def attach(self, s, roles="abcf", xdp=None):
        """The ports that were put there."""
        xdp = self.xdp if xdp is None else xdp
        return "".join(role for role in roles if s.do("attach", self.index[role], xdp)["put"])

    def raise_(self, xdp=None, flags=CLOSED):
        s = self.shell()
        for role in "abcf":
            self.set_port(s, role, flags)
        self.fill(s)
        self.attach(s, xdp=xdp)
        return s

    def wire(self, role):
        w = Wire(self.members[role], "eth0")
        self.wires.append(w)
        return w

    def filters(self, role):
        shown = [json.loads(self.pe.run("tc", "-json", "filter", "show", "dev", self.port(role), way) or "[]")
                 for way in ("ingress", "egress")]
        return [f for way in shown for f in way if "options" in f]

    def close(self):
        for s in self.shells:
            if s.p.poll() is None:
                s.end()
        for w in self.wires:
            w.close()
        self.log.close()


@pytest.fixture(params=["bpf", "packet"])
def lan(request, scope, build):
    yield from lan_of(request.param, scope, build)


def lan_of(plane, scope, build):
    if plane == "packet" and not shutil.which("nft"):
        pytest.skip("no nft here, so no gate")
    made = Lan(scope, build, plane)
    yield made
    made.close()


def answers(lan):
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    return len(a.arrived(1, 0.5)) == 1


def who_has(lan, asker, target, sender=None, src=None, dst=BROADCAST, trailer=b""):
    mac = src or lan.mac(asker)
    sender = lan.ip4(asker) if sender is None else sender
    return Ether(src=mac, dst=dst) / ARP(hwsrc=mac, psrc=sender, pdst=target) / Raw(trailer)


def solicit(lan, asker, target, source=None, option=True, src=None):
    mac = src or lan.mac(asker)
    group = "ff02::1:ff%02x:%04x" % struct.unpack("!BH", socket.inet_pton(socket.AF_INET6, target)[13:])
    packet = Ether(src=mac, dst="33:33:ff:00:00:02") / \
        IPv6(src=lan.ip6(asker) if source is None else source, dst=group) / ICMPv6ND_NS(tgt=target)
    return packet / ICMPv6NDOptSrcLLAddr(lladdr=mac) if option else packet


def dhcp(lan, asker):
    return Ether(src=lan.mac(asker), dst=BROADCAST) / IP(src=lan.ip4(asker), dst="255.255.255.255") / \
        UDP(sport=68, dport=67) / Raw(bytes(300))


def arp_answer(lan, owner, ip, to_mac, to_ip):
    return bytes(Ether(src=owner, dst=to_mac) / ARP(op=2, hwsrc=owner, psrc=ip, hwdst=to_mac, pdst=to_ip))


def na_answer(owner, ip, to_mac, to_ip, solicited=1, router=0):
    return bytes(Ether(src=owner, dst=to_mac) / IPv6(src=ip, dst=to_ip, hlim=255) /
                 ICMPv6ND_NA(R=router, S=solicited, O=1, tgt=ip) / ICMPv6NDOptDstLLAddr(lladdr=owner))

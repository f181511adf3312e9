"""The BPF plane on real interfaces: what leaves a port, what does not, and that the ledger says so. Three members and a
fabric on one bridge; tests/bpf/plane_shell owns the plane, so that it can be killed."""
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import time

import pytest
from conftest import wait_until

from lab.netns import LabError

pytestmark = pytest.mark.needs("tests/bpf/plane_shell")
scapy = pytest.importorskip("scapy.all")
from scapy.all import ARP, IP, TCP, UDP, Dot1Q, Ether, IPv6, Raw  # noqa: E402
from scapy.all import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA  # noqa: E402
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

    def __init__(self, scope, build):
        self.scope, self.build, self.shells, self.wires = scope, build, [], []
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
            s.opened = s.do("open", "bpf", self.dir, bindings, 256, 16)
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

    def attach(self, s, roles="abcf", xdp=0):
        """The ports that were put there."""
        return "".join(role for role in roles if s.do("attach", self.index[role], xdp)["put"])

    def raise_(self, xdp=0):
        s = self.shell()
        for role in "abcf":
            self.set_port(s, role)
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


@pytest.fixture
def lan(scope, build):
    made = Lan(scope, build)
    yield made
    made.close()


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


@pytest.mark.parametrize("xdp", [0, 1])
def test_the_answers_octet_for_octet(lan, xdp):
    s = lan.raise_(xdp)
    a, b, c = lan.wire("a"), lan.wire("b"), lan.wire("c")
    A, B, R = lan.mac("a"), lan.mac("b"), lan.mac("r")
    cases = [
        (who_has(lan, "a", lan.ip4("b"), trailer=b"\xff" * 18), arp_answer(lan, B, lan.ip4("b"), A, lan.ip4("a"))),
        (who_has(lan, "a", lan.ip4("r")), arp_answer(lan, R, lan.ip4("r"), A, lan.ip4("a"))),
        (who_has(lan, "a", lan.ip4("b"), sender="0.0.0.0"), arp_answer(lan, B, lan.ip4("b"), A, "0.0.0.0")),
        (solicit(lan, "a", lan.ip6("b")), na_answer(B, lan.ip6("b"), A, lan.ip6("a"), router=1)),
        (solicit(lan, "a", lan.ip6("r")), na_answer(R, lan.ip6("r"), A, lan.ip6("a"))),
        (solicit(lan, "a", lan.ip6("r"), option=False), na_answer(R, lan.ip6("r"), A, lan.ip6("a"))),
        (solicit(lan, "a", lan.ip6("b"), source="::", option=False),
         na_answer(B, lan.ip6("b"), "33:33:00:00:00:01", "ff02::1", solicited=0, router=1)),
    ]
    for request, answer in cases:
        a.send(request)
        assert [f.hex() for f in a.arrived(1)] == [answer.hex()]
    assert a.arrived() + b.arrived() + c.arrived() == []
    assert s.ledger(lan.slot["a"]) == {
        ("in", "arp-request", "answered"): 2, ("in", "arp-probe", "answered"): 1, ("in", "ns", "answered"): 3,
        ("in", "ns-dad", "answered"): 1, ("out", "arp-reply", "answer"): 3, ("out", "na", "answer"): 3,
        ("out", "na-unsolicited", "answer"): 1}
    assert s.ledger(lan.slot["b"]) == {}
    rows = s.do("counters", lan.slot["a"])["rows"]
    assert sum(o for w, _, _, _, o in rows if w == "in") == sum(len(bytes(r)) for r, _ in cases)
    assert sum(o for w, _, _, _, o in rows if w == "out") == sum(len(x) for _, x in cases)


def test_frames_in_pieces(lan):
    """A driver may leave all but the Ethernet header in pages: a tap with NAPI_FRAGS is one that does."""
    def tap():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = 0x0002 | 0x1000 | 0x0010 | 0x0020  # TAP, NO_PI, NAPI, NAPI_FRAGS
        fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"m1", flags))
        return fd
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("no /dev/net/tun here")
    lan.pe.ip("link del m1")
    fd = in_netns(lan.pe, tap)
    try:
        lan.pe.ip("link set m1 addrgenmode none", "link set m1 master br0 up")
        lan.index["a"] = lan.pe.ip_json("link", "show", "m1")[0]["ifindex"]
        s = lan.raise_()
        A, B = lan.mac("a"), lan.mac("b")
        requests = [
            (who_has(lan, "a", lan.ip4("b"), trailer=bytes(18)), arp_answer(lan, B, lan.ip4("b"), A, lan.ip4("a"))),
            (solicit(lan, "a", lan.ip6("b")), na_answer(B, lan.ip6("b"), A, lan.ip6("a"), router=1)),
            (solicit(lan, "a", lan.ip6("r"), source="::", option=False),
             na_answer(lan.mac("r"), lan.ip6("r"), "33:33:00:00:00:01", "ff02::1", solicited=0)),
        ]
        for request, answer in requests:
            octets = bytes(request)
            os.writev(fd, [octets[:14], octets[14:30], octets[30:]])
            wait_until(lambda: select.select([fd], [], [], 0)[0], 3, request.summary())
            assert os.read(fd, 2048).hex() == answer.hex()
        octets = bytes(dhcp(lan, "a"))
        os.writev(fd, [octets[:14], octets[14:30], octets[30:]])
        wait_until(lambda: s.ledger(lan.slot["a"]).get(("in", "dhcp4", "hygiene")) == 1, 3, "class by octets in pages")
    finally:
        os.close(fd)


@pytest.mark.parametrize("xdp", [0, 1])
def test_what_is_not_answered_goes_nowhere(lan, xdp):
    s = lan.raise_(xdp)
    a, others = lan.wire("a"), [lan.wire(r) for r in "bcf"]
    A, B = lan.mac("a"), lan.mac("b")
    lie = who_has(lan, "a", lan.ip4("b"))
    lie[ARP].hwsrc = B
    cases = [
        (who_has(lan, "a", lan.ip4("a"), sender="0.0.0.0"), "arp-probe", "own-target"),
        (solicit(lan, "a", lan.ip6("a"), source="::", option=False), "ns-dad", "own-target"),
        (who_has(lan, "a", "198.18.0.77"), "arp-request", "unknown-target"),
        (who_has(lan, "a", "198.18.0.77", sender="0.0.0.0"), "arp-probe", "free-probe"),
        (solicit(lan, "a", "2001:db8::77"), "ns", "unknown-target"),
        (who_has(lan, "a", lan.ip4("r"), src=B), "arp-request", "spoof-mac"),
        (who_has(lan, "a", lan.ip4("r"), sender=lan.ip4("b")), "arp-request", "spoof-ip"),
        (lie, "arp-request", "sender-mismatch"),
        (who_has(lan, "a", lan.ip4("a")), "arp-gratuitous", "absorbed"),
        (Ether(src=A, dst=BROADCAST) / Dot1Q(vlan=7) / who_has(lan, "a", lan.ip4("b"))[ARP], "tagged", "hygiene"),
        (Ether(src=A, dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1") / ICMPv6ND_RA(), "ra", "hygiene"),
        (dhcp(lan, "a"), "dhcp4", "hygiene"),
        (Ether(src=A, dst="01:80:c2:00:00:00", type=38) / Raw(b"\x42\x42\x03" + bytes(35)), "stp", "hygiene"),
        (Ether(src=A, dst="02:00:00:00:00:99") / IP(dst="198.18.0.99") / UDP(), "ipv4", "unknown-unicast"),
    ]
    for frame, _, _ in cases:
        a.send(frame)
    expected = {}
    for _, cls, outcome in cases:
        expected["in", cls, outcome] = expected.get(("in", cls, outcome), 0) + 1
    wait_until(lambda: s.ledger(lan.slot["a"]) == expected, 3, "the ledger says so")
    assert a.arrived() + [f for o in others for f in o.arrived()] == []
    assert all(s.ledger(lan.slot[r]) == {} for r in "bcf")


def test_members_reach_each_other(lan):
    s = lan.raise_()
    for role in "abc":
        lan.members[role].ip(f"address add {lan.ip4(role)}/24 dev eth0",
                             f"address add {lan.ip6(role)}/64 dev eth0 nodad", "link set eth0 addrgenmode eui64")
    c = lan.wire("c")
    for _ in range(2):
        for x, y in ("ab", "ba"):
            lan.members[x].run("ping", "-n", "-c", "2", "-i", "0.05", "-W", "2", lan.ip4(y))
            lan.members[x].run("ping", "-n", "-c", "2", "-i", "0.05", "-W", "2", lan.ip6(y))
        for x in "ab":
            lan.members[x].ip("neighbor flush dev eth0")
    assert c.arrived() == []
    ledger = s.ledger(lan.slot["a"])
    assert ledger["in", "arp-request", "answered"] >= 2 and ledger["in", "ns", "answered"] >= 2
    assert ledger["in", "ipv4", "forwarded"] == 8  # two requests and two replies, twice
    # Nothing was lost on the way between the two ledgers.
    for cls in ("ipv4", "arp-unicast", "arp-reply", "na", "ns-unicast", "ipv6"):
        assert ledger.get(("in", cls, "forwarded"), 0) == s.ledger(lan.slot["b"]).get(("out", cls, "delivered"), 0)


def test_through_the_fabric(lan):
    """The vxlan device: an answer to a member of another PE goes back to that PE alone; nothing is flooded."""
    far = lan.members["f"]
    lan.pe.ip("link del f0")
    lan.scope.veth(lan.pe, "u0", far, "u0")
    lan.pe.ip("address add 10.0.0.1/24 dev u0", "link set u0 up",
              "link add f0 type vxlan id 100 local 10.0.0.1 dstport 4789 nolearning",
              "link set f0 addrgenmode none master br0 up")
    far.ip("address add 10.0.0.2/24 dev u0", "link set u0 up",
           f"link add eth0 address {lan.mac('r')} type vxlan id 100 local 10.0.0.2 dstport 4789 remote 10.0.0.1",
           "link set eth0 up", f"address add {lan.ip4('r')}/24 dev eth0",
           f"address add {lan.ip6('r')}/64 dev eth0 nodad")
    lan.index["f"] = lan.pe.ip_json("link", "show", "f0")[0]["ifindex"]
    lan.pe.bridge(f"fdb replace {lan.mac('r')} dev f0 self dst 10.0.0.2",
                  f"fdb replace {lan.mac('r')} dev f0 master static",
                  f"fdb replace {lan.mac('a')} dev m1 master static")
    s = lan.raise_()
    lan.members["a"].ip(f"address add {lan.ip4('a')}/24 dev eth0",
                        f"address add {lan.ip6('a')}/64 dev eth0 nodad")
    a, b = lan.wire("a"), lan.wire("b")
    far.run("ping", "-n", "-c", "1", "-W", "2", lan.ip4("a"))
    far.run("ping", "-n", "-c", "1", "-W", "2", lan.ip6("a"))
    far.run("ping", "-n", "-c", "1", "-W", "2", lan.ip4("b"), check=False)
    # b is not really there, but was answered for: the echo request reaches it, and it alone.
    assert {Ether(f).dst for f in b.arrived(1)} == {lan.mac("b")}
    ledger = s.ledger(lan.slot["f"])
    assert ledger["in", "arp-request", "answered"] == 2 and ledger["out", "arp-reply", "answer"] == 2
    assert ledger["in", "ns", "answered"] >= 1 and ledger["out", "na", "answer"] == ledger["in", "ns", "answered"]
    # DAD through the fabric is answered to the asker's MAC.
    w = Wire(far, "eth0")
    lan.wires.append(w)
    w.send(solicit(lan, "r", lan.ip6("a"), source="::", option=False, src=lan.mac("r")))
    answer = na_answer(lan.mac("a"), lan.ip6("a"), lan.mac("r"), "ff02::1", solicited=0)
    assert wait_until(lambda: answer in w.arrived(1), 3, "the answer")
    # A sender that EVPN does not know gets no answer.
    w.send(who_has(lan, "r", lan.ip4("a"), src="02:00:00:00:00:77"))
    wait_until(lambda: s.ledger(lan.slot["f"]).get(("in", "arp-request", "foreign-vtep")), 3, "foreign-vtep")


def test_egress_lets_no_flood_out(lan):
    """From a bridge port that is not ours, and from the PE itself."""
    other = lan.scope.netns("x")
    lan.scope.veth(lan.pe, "m9", other, "eth0")
    lan.pe.ip("link set m9 addrgenmode none master br0 up")
    other.ip("link set eth0 addrgenmode none up")
    s = lan.raise_()
    w, pe = Wire(other, "eth0"), Wire(lan.pe, "br0")
    lan.wires += [w, pe]
    rings = [lan.wire(r) for r in "abcf"]
    before = {r: s.ledger(lan.slot[r]) for r in "abcf"}
    assert before == {r: {} for r in "abcf"}
    w.send(who_has(lan, "r", "198.18.0.77"),
           Ether(src="02:00:00:00:00:77", dst="02:00:00:00:00:88", type=0x0800) / Raw(bytes(50)))
    pe.send(Ether(src="02:00:00:00:00:fe", dst="33:33:00:00:00:01") / IPv6(dst="ff02::1") / Raw(bytes(50)))
    for r in "abcf":
        wait_until(lambda: s.ledger(lan.slot[r]) == {
            ("out", "arp-request", "unauthorised"): 1, ("out", "ipv4", "unknown-unicast"): 1,
            ("out", "ipv6-multicast", "unauthorised"): 1}, 3, f"blocked at {r}")
    assert [f for x in rings for f in x.arrived()] == []


def test_a_rule_lets_flood_and_the_buckets_hold(lan):
    s = lan.raise_()
    lan.set_port(s, "a", unknown=POLICE, in_bps=100000, burst=6000)
    lan.set_port(s, "c", out_bps=50000, burst=1200)
    a, b, c = lan.wire("a"), lan.wire("b"), lan.wire("c")
    frame = bytes(who_has(lan, "a", "198.18.0.77", trailer=bytes(18)))
    began = time.monotonic()
    for _ in range(40):
        a.send(*[frame] * 100)
        time.sleep(0.01)
    took = time.monotonic() - began
    sent = 4000
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == sent, 5, "all are counted")
    ledger = s.ledger(lan.slot["a"])
    let, held = ledger["in", "arp-request", "flooded"], ledger["in", "arp-request", "policed-in"]
    assert let + held == sent
    assert abs(let * len(frame) * 8 - 48000 - 100000 * took) < 0.03 * 100000 * took + 2 * len(frame) * 8
    assert len(b.arrived()) == let == s.ledger(lan.slot["b"])["out", "arp-request", "delivered"]
    out = s.ledger(lan.slot["c"])
    assert len(c.arrived()) == out["out", "arp-request", "delivered"]
    assert out["out", "arp-request", "delivered"] + out["out", "arp-request", "policed-out"] == let
    bits = out["out", "arp-request", "delivered"] * len(frame) * 8
    assert abs(bits - 9600 - 50000 * took) < 0.05 * 50000 * took + 2 * len(frame) * 8


def test_quarantine_is_silence(lan):
    s = lan.raise_()
    lan.set_port(s, "b", flags=CLOSED | QUARANTINE)
    a, b = lan.wire("a"), lan.wire("b")
    b.send(who_has(lan, "b", lan.ip4("a")))
    a.send(Ether(src=lan.mac("a"), dst=lan.mac("b")) / IP(dst=lan.ip4("b")) / UDP())
    quiet = {("in", "arp-request", "quarantine"): 1, ("out", "ipv4", "quarantine"): 1}
    wait_until(lambda: s.ledger(lan.slot["b"]) == quiet, 3)
    assert b.arrived() == []


def test_events(lan):
    s = lan.raise_()
    a, c = lan.wire("a"), lan.wire("c")
    lan.set_port(s, "c", flags=0)
    stranger = "02:00:00:00:00:77"
    for _ in range(50):
        c.send(who_has(lan, "c", "198.18.0.50", src=stranger, sender="198.18.0.50"))  # announces itself
        a.send(who_has(lan, "a", lan.ip4("c"), sender=lan.ip4("b")))
        a.send(who_has(lan, "a", "198.18.0.99", sender="0.0.0.0"))
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == 100, 3)
    # Fifty of each, told once.
    assert sorted(s.events()) == sorted([(E_BINDING, stranger, "198.18.0.50"), (E_SPOOF, lan.mac("a"), lan.ip4("b")),
                                         (E_PROBE, lan.mac("a"), "198.18.0.99")])
    # A member that invents senders may tell a little, and hides nobody: another port is still heard.
    began, cpus = time.monotonic(), os.cpu_count()
    rest = bytes(who_has(lan, "a", lan.ip4("c")))[12:]
    for i in range(20000):
        a.send(b"\xff" * 6 + struct.pack("!HI", 0x0600, i) + rest)
        if not i % 4000:
            c.send(who_has(lan, "c", "198.18.0.51", src="02:00:00:00:00:78", sender=f"198.18.1.{i // 4000}"))
    wait_until(lambda: s.ledger(lan.slot["a"])["in", "arp-request", "spoof-mac"] == 20000, 5)
    told, took = s.events(), time.monotonic() - began
    assert 16 <= sum(t == E_SPOOF for t, _, _ in told) <= 16 * (4 + took) * cpus
    assert {ip for t, _, ip in told if t == E_BINDING} == {f"198.18.1.{i}" for i in range(5)}


def test_frames_of_our_own(lan):
    s = lan.raise_()
    a = lan.wire("a")
    probe = bytes(who_has(lan, "c", lan.ip4("a"), src="02:00:00:00:00:fe", sender="0.0.0.0"))
    s.do("send", lan.index["a"], probe.hex())
    assert a.arrived(1) == [probe]
    assert s.ledger(lan.slot["a"]) == {("out", "arp-probe", "probe"): 1}


def stream(lan, seconds_of, request):
    """Requests at 1 000 a second while something happens; returns asked and answered."""
    a = lan.wire("a")
    asker = subprocess.Popen(["/usr/bin/python3", "-c", f"""
import os, socket, sys, time
sys.stdout.write("go\\n"); sys.stdout.flush()
s = socket.socket(fileno={a.socket.fileno()})
n, start = 0, time.monotonic()
frame = bytes.fromhex("{bytes(request).hex()}")
while not os.path.exists("{lan.scope.dir}/enough"):
    s.send(frame); n += 1
    time.sleep(max(0, start + n / 1000 - time.monotonic()))
s.detach()
print(n)
"""], stdout=subprocess.PIPE, text=True, pass_fds=[a.socket.fileno()])
    asker.stdout.readline()
    try:
        seconds_of()
    finally:
        (lan.scope.dir / "enough").touch()
    asked = int(asker.communicate(timeout=10)[0])
    got = a.arrived(asked)
    return asked, len(got)


@pytest.mark.parametrize("xdp", [0, 1])
def test_killed_it_goes_on_and_is_adopted(lan, xdp):
    s = lan.raise_(xdp)

    def die_and_come_back():
        nonlocal s
        for _ in range(10):
            time.sleep(0.05)
            s.kill()
            time.sleep(0.05)
            s = lan.shell()
            assert s.opened["adopted"]
            assert s.do("tables") == {"result": 0, "bind4": 4, "bind6": 4, "macs": 4, "ports": 4, "vteps": 0}
            lan.attach(s, xdp=xdp)

    asked, answered = stream(lan, die_and_come_back, who_has(lan, "a", lan.ip4("b")))
    assert asked > 500 and answered == asked
    assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "answered"): asked, ("out", "arp-reply", "answer"): asked}
    assert len(lan.filters("a")) == 2
    assert ("xdp" in lan.pe.ip_json("link", "show", "m1")[0]) == bool(xdp)


def test_other_limits_keep_the_tables(lan):
    s = lan.raise_()
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1
    s.kill()
    s = lan.shell(bindings=1000)
    assert s.opened["adopted"] and s.do("tables")["bind4"] == 4
    assert s.ledger(lan.slot["a"])["in", "arp-request", "answered"] == 1
    lan.attach(s)
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1
    assert s.ledger(lan.slot["a"])["in", "arp-request", "answered"] == 2
    s.kill()
    s = lan.shell(open_=False)
    assert s.ask("open", "bpf", lan.dir, 2, 256, 16)["result"] == -28  # four do not fit in two
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1


def test_one_process_a_directory(lan):
    lan.raise_()
    assert lan.shell(open_=False).ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -16
    lan.log.flush()
    assert "in use by another process" in (lan.scope.dir / "plane.log").read_text()


@pytest.mark.parametrize("xdp", [0, 1])
def test_nothing_of_ours_stays(lan, xdp):
    s = lan.raise_(xdp)
    # An operator's own filter behind ours is none of our business.
    lan.pe.run("tc", "filter", "add", "dev", "m2", "ingress", "prio", "9000", "bpf", "bytecode", "1,6 0 0 0,")
    s.do("del", lan.index["c"])
    assert not lan.filters("c")
    s.do("close", "drop")
    assert not lan.filters("a") and "clsact" not in lan.pe.run("tc", "qdisc", "show", "dev", "m1")
    assert [f["pref"] for f in lan.filters("b")] == [9000]
    assert "xdp" not in lan.pe.ip_json("link", "show", "m1")[0]
    assert not lan.dir.exists()


def test_an_xdp_program_of_others_stays(lan):
    s = lan.raise_(xdp=1)
    mine = lan.pe.ip_json("link", "show", "m1")[0]["xdp"]["prog"]["id"]
    # Another directory, so another plane: to it the program at m1 is somebody else's.
    t = lan.shell(open_=False)
    t.do("open", "bpf", str(lan.dir) + "-other", 256, 256, 16)
    t.do("port", lan.index["a"], LAN, 1, MEMBER, CLOSED, 0, 0, 0, 0, 0, 0, 0)
    t.do("attach", lan.index["a"], 1)
    assert lan.pe.ip_json("link", "show", "m1")[0]["xdp"]["prog"]["id"] == mine
    t.do("close", "drop")
    assert lan.pe.ip_json("link", "show", "m1")[0]["xdp"]["prog"]["id"] == mine
    s.do("attach", lan.index["b"], 0)
    assert "xdp" not in lan.pe.ip_json("link", "show", "m2")[0]


def test_privileges(lan):
    lan.dir.mkdir()
    none = lan.shell(open_=False, prefix=["setpriv", "--bounding-set=-all"])
    assert none.ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -1
    lan.log.flush()
    said = (lan.scope.dir / "plane.log").read_text().splitlines()
    assert len(said) == 1 and "needs CAP_BPF" in said[0]
    none.end()
    four = "-all,+bpf,+perfmon,+net_admin,+net_raw"
    s = lan.shell(open_=False, prefix=["setpriv", f"--bounding-set={four}"])
    s.do("open", "bpf", lan.dir, 256, 256, 16)
    lan.set_port(s, "a")
    lan.fill(s)
    lan.attach(s, "a", xdp=1)
    s.kill()
    s = lan.shell(open_=False, prefix=["setpriv", f"--bounding-set={four}"])
    assert s.do("open", "bpf", lan.dir, 256, 256, 16)["adopted"]
    lan.attach(s, "a", xdp=1)
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1
    s.do("close", "drop")
    assert not lan.dir.exists()


# --- buckets, dry run, sponge, underlay: what the rows of check_frames.c do not show ---


def test_buckets_by_group(lan):
    """Requests for a known owner in frames a second, for the exchange's own host apart from them."""
    s = lan.raise_()
    s.do("bind", LAN, "198.18.0.200", lan.mac("b"), B_STATIC | B_EXCHANGE, lan.index["b"])
    lan.set_port(s, "a", policed=(1 << P_KNOWN | 1 << P_EXCHANGE, 0))
    s.do("policer", lan.slot["a"], IN, P_KNOWN, 100, 20, PACKETS)
    s.do("policer", lan.slot["a"], IN, P_EXCHANGE, 1000000, 100000, PACKETS)
    a = lan.wire("a")
    known, exchange = bytes(who_has(lan, "a", lan.ip4("b"))), bytes(who_has(lan, "a", "198.18.0.200"))
    began = time.monotonic()
    for _ in range(20):
        a.send(*[known] * 50, *[exchange] * 50)
        time.sleep(0.01)
        # The same again fills no bucket.
        s.do("policer", lan.slot["a"], IN, P_KNOWN, 100, 20, PACKETS)
    took = time.monotonic() - began
    wait_until(lambda: sum(n for (w, _, _), n in s.ledger(lan.slot["a"]).items() if w == "in") == 2000, 3)
    ledger = s.ledger(lan.slot["a"])
    answered = ledger["in", "arp-request", "answered"] - 1000
    assert abs(answered - 20 - 100 * took) <= 3
    assert ledger["in", "arp-request", "policed-in"] == 1000 - answered
    assert len(a.arrived(answered + 1000)) == answered + 1000


def test_the_bucket_of_all_that_floods(lan):
    s = lan.raise_()
    lan.set_port(s, "a", unknown=POLICE, policed=(1 << P_ALL | 1 << P_UNKNOWN | 1 << P_OTHER, 0), flood=1 << 37)
    s.do("policer", lan.slot["a"], IN, P_ALL, 1, 10, PACKETS)
    s.do("policer", lan.slot["a"], IN, P_UNKNOWN, 1, 6, PACKETS)
    s.do("policer", lan.slot["a"], IN, P_OTHER, 0, 0, PACKETS)
    a = lan.wire("a")
    a.send(*[who_has(lan, "a", "198.18.0.77")] * 20)
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == 20, 3)
    assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "flooded"): 6, ("in", "arp-request", "policed-in"): 14}
    a.send(*[Ether(src=lan.mac("a"), dst="02:00:00:00:00:99") / IP(dst="198.18.0.99") / UDP()] * 20)
    wait_until(lambda: sum(s.ledger(lan.slot["a"]).values()) == 40, 3)
    assert s.ledger(lan.slot["a"])["in", "ipv4", "flooded"] == 4


@pytest.mark.parametrize("xdp", [0, 1])
def test_dry_run_says_what_it_would_do(lan, xdp):
    s = lan.shell()
    for role in "abcf":
        lan.set_port(s, role, flags=CLOSED | DRY)
    lan.fill(s)
    lan.attach(s, xdp=xdp)
    a, b = lan.wire("a"), lan.wire("b")
    frames = [who_has(lan, "a", lan.ip4("b")), who_has(lan, "a", "198.18.0.77"), dhcp(lan, "a"),
              who_has(lan, "a", lan.ip4("r"), src=lan.mac("c"))]
    a.send(*frames)
    assert b.arrived(4) == [bytes(f) for f in frames]
    assert a.arrived() == []
    wait_until(lambda: s.would(lan.slot["a"]) == {
        ("in", "arp-request", "answered"): 1, ("in", "arp-request", "unknown-target"): 1,
        ("in", "dhcp4", "hygiene"): 1, ("in", "arp-request", "spoof-mac"): 1}, 3)
    assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "would"): 3, ("in", "dhcp4", "would"): 1}
    assert [(e["type"], e["flags"], e["rule"]) for e in s.do("events")["rows"]] == [(E_SPOOF, 0x80, "source-mac")]
    s.do("zero", lan.slot["a"])
    assert s.would(lan.slot["a"]) == {} and s.ledger(lan.slot["a"]) == {}


def test_a_scan_hides_nothing(lan):
    """Questions for empty space have a budget of their own: what is to be learned is still told."""
    s = lan.raise_()
    lan.set_port(s, "a", flags=0, unknown=SPONGE)
    a, cpus = lan.wire("a"), os.cpu_count()
    began = time.monotonic()
    for i in range(20000):
        a.send(who_has(lan, "a", "0.0.0.0")[Ether].__bytes__()[:38] + struct.pack("!I", 0xC6130000 + i))
        if not i % 4000:
            a.send(who_has(lan, "a", lan.ip4("c"), sender=f"198.18.2.{i // 4000}"))
    wait_until(lambda: sum(n for (w, _, o), n in s.ledger(lan.slot["a"]).items() if w == "in") == 20005, 5)
    told, took = s.events(), time.monotonic() - began
    assert {ip for t, _, ip in told if t == E_BINDING} == {f"198.18.2.{i}" for i in range(5)}
    assert 128 <= sum(t == E_QUERY for t, _, _ in told) <= 128 * (4 + took) * cpus


def test_the_sponge(lan):
    sponge = "02:00:00:00:00:53"
    s = lan.raise_()
    s.do("bind", LAN, "198.18.0.50", sponge, B_STATIC | B_SPONGE, 0)
    s.do("mac", LAN, sponge, 0, 0, M_TRAP)
    lan.set_port(s, "c", flags=WATCH)
    a, b, c = lan.wire("a"), lan.wire("b"), lan.wire("c")
    a.send(who_has(lan, "a", "198.18.0.50"))
    assert a.arrived(1) == [arp_answer(lan, sponge, "198.18.0.50", lan.mac("a"), lan.ip4("a"))]
    a.send(Ether(src=lan.mac("a"), dst=sponge) / IP(src=lan.ip4("a"), dst="198.18.0.50") / TCP(dport=179, flags="S"))
    c.send(Ether(src=lan.mac("c"), dst=lan.mac("b")) / IP(src="198.18.0.50", dst=lan.ip4("b")) / UDP())
    assert len(b.arrived(1)) == 1
    told = []
    wait_until(lambda: told.extend((e["type"], e["ip"], e["flags"]) for e in s.do("events")["rows"]) or len(told) >= 3, 3)
    assert sorted(told) == [(E_QUERY, "198.18.0.50", 0), (E_TRAP, "198.18.0.50", 0x10), (E_LIFE, "198.18.0.50", 0)]
    assert s.ledger(lan.slot["a"])["in", "ipv4", "trapped"] == 1


def test_a_request_for_the_owner_alone(lan):
    s = lan.raise_()
    lan.set_port(s, "a", flags=CLOSED | UNICAST)
    lan.pe.bridge(f"fdb replace {lan.mac('b')} dev m2 master static")
    a, others = lan.wire("a"), {r: lan.wire(r) for r in "bcf"}
    request = who_has(lan, "a", lan.ip4("b"))
    a.send(request)
    request[Ether].dst = lan.mac("b")
    assert others["b"].arrived(1) == [bytes(request)]
    assert others["c"].arrived() + others["f"].arrived() + a.arrived() == []
    assert s.ledger(lan.slot["a"]) == {("in", "arp-request", "unicast-forwarded"): 1}
    wait_until(lambda: s.ledger(lan.slot["b"]) == {("out", "arp-unicast", "delivered"): 1}, 3)


def test_the_underlay(lan):
    """Only VTEPs that have told us of themselves, only for our VNIs; all else on that wire passes."""
    s = lan.shell()
    s.do("port", lan.index["f"], 0, lan.slot["f"], UNDERLAY, 0, 0, 0, 0, 0, 0, 0, 0)
    for vni, ip in (0, "10.0.0.1"), (LAN, "::"), (LAN, "10.0.0.2"):
        s.do("vtep", vni, ip)
    assert s.do("attach", lan.index["f"], 0)["put"] and not s.do("attach", lan.index["f"], 0)["put"]
    assert len(lan.filters("f")) == 1
    f = lan.wire("f")

    def send(source="10.0.0.2", to="10.0.0.1", vni=LAN, flags=8, port=4789):
        f.send(Ether(src=lan.mac("f"), dst="02:00:00:00:00:01") / IP(src=source, dst=to) / UDP(dport=port) /
               Raw(struct.pack("!B3xI", flags, vni << 8) + bytes(50)))
    for case in ({}, {}, {"source": "10.0.0.3"}, {"vni": 101}, {"flags": 0}, {"to": "10.0.0.9"}, {"port": 53}):
        send(**case)
    f.send(who_has(lan, "f", "10.0.0.1", sender="10.0.0.2"))
    said = {("in", "ipv4", "forwarded"): 2, ("in", "ipv4", "unknown-vtep"): 1, ("in", "ipv4", "foreign-vni"): 2}
    wait_until(lambda: s.ledger(lan.slot["f"]) == said, 3)
    s.do("unvtep", LAN, "10.0.0.2")
    send()
    said["in", "ipv4", "unknown-vtep"] += 1
    wait_until(lambda: s.ledger(lan.slot["f"]) == said, 3)
    s.kill()
    s = lan.shell()
    assert s.opened["adopted"] and s.do("tables")["vteps"] == 2


def test_full_tables(lan):
    s = lan.shell(bindings=4)
    lan.set_port(s, "a")
    lan.fill(s)
    lan.attach(s, "a")
    assert s.ask("bind", LAN, "198.18.0.99", lan.mac("b"), 0, lan.index["b"])["result"] == -28
    assert s.ask("bind", LAN, "2001:db8::99", lan.mac("b"), 0, lan.index["b"])["result"] == -28
    s.do("bind", LAN, lan.ip4("b"), lan.mac("b"), B_STATIC, lan.index["b"])  # what is there may change
    for i in range(64):
        s.do("vtep", LAN, f"10.0.0.{i}")
    assert s.ask("vtep", LAN, "10.0.1.0")["result"] == -28
    assert s.ask("port", 4711, LAN, 16, MEMBER, *[0] * 8)["result"] == -28
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    assert len(a.arrived(1)) == 1


# --- what others do to our ports ---


def answers(lan, s=None):
    a = lan.wire("a")
    a.send(who_has(lan, "a", lan.ip4("b")))
    return len(a.arrived(1, 0.5)) == 1


@pytest.mark.parametrize("what", ["qdisc del dev m1 clsact", "filter del dev m1 ingress", "filter del dev m1 egress",
                                  "filter del dev m1 ingress prio 5117"])
def test_what_somebody_took_off_is_put_on_again(lan, what):
    s = lan.raise_()
    assert lan.attach(s) == ""
    lan.pe.run("tc", *what.split())
    assert len(lan.filters("a")) < 2
    assert lan.attach(s) == "a"
    assert lan.attach(s) == "" and len(lan.filters("a")) == 2 and answers(lan)


def test_xdp_that_somebody_took_off_is_put_on_again(lan):
    s = lan.raise_(xdp=1)
    assert lan.attach(s, xdp=1) == ""
    lan.pe.ip("link set m1 xdpgeneric off")
    assert lan.attach(s, xdp=1) == "a" and "xdp" in lan.pe.ip_json("link", "show", "m1")[0]
    assert lan.attach(s, xdp=1) == ""
    # And it is taken off when it is wanted no longer.
    assert lan.attach(s, xdp=0) == "" and "xdp" not in lan.pe.ip_json("link", "show", "m1")[0]


@pytest.mark.parametrize("mode", ["xdpgeneric", "xdpdrv"])
@pytest.mark.parametrize("xdp", [0, 1])
def test_an_xdp_program_before_ours_is_told(lan, mode, xdp):
    """Another's program is not replaced; the port goes on without; the log says so when it comes and when it goes."""
    s = lan.raise_(xdp=0)
    other = lan.scope.dir / "pass.o"
    source = lan.scope.dir / "pass.c"
    source.write_text('__attribute__((section("xdp"), used)) int other(void *x) { return 2; }\n')
    subprocess.run(["clang", "-target", "bpf", "-O2", "-c", source, "-o", other], check=True)
    lan.pe.ip(f"link set m1 {mode} obj {other} sec xdp")
    theirs = lan.pe.ip_json("link", "show", "m1")[0]["xdp"]
    for _ in range(3):
        assert s.do("attach", lan.index["a"], xdp) == {"result": 0, "put": False, "behind": True}
    assert lan.pe.ip_json("link", "show", "m1")[0]["xdp"] == theirs and answers(lan)
    lan.pe.ip(f"link set m1 {mode} off")
    assert not s.do("attach", lan.index["a"], xdp)["behind"]
    assert ("xdp" in lan.pe.ip_json("link", "show", "m1")[0]) == bool(xdp)
    lan.log.flush()
    said = (lan.scope.dir / "plane.log").read_text()
    assert said.count("m1: an XDP program of others comes before ours") == 1
    assert said.count("m1: nothing of others comes before ours any more") == 1
    assert said.count("m1: not accelerated: another XDP program is there") == xdp


def test_a_filter_before_ours_is_told(lan):
    s = lan.raise_()
    lan.pe.run("tc", "filter", "add", "dev", "m1", "ingress", "prio", "1", "bpf", "bytecode", "1,6 0 0 0,")
    assert s.do("attach", lan.index["a"], 0)["behind"] and s.do("attach", lan.index["a"], 0)["behind"]
    lan.pe.run("tc", "filter", "del", "dev", "m1", "ingress", "prio", "1")
    assert not s.do("attach", lan.index["a"], 0)["behind"]
    lan.log.flush()
    assert (lan.scope.dir / "plane.log").read_text().count("m1: a filter of others comes before ours") == 1


def test_another_mac_and_mtu(lan):
    s = lan.raise_(xdp=1)
    lan.pe.ip("link set m1 address 02:00:00:00:99:99", "link set m1 mtu 1400", "link set m1 down", "link set m1 up")
    wait_until(lambda: lan.pe.ip_json("link", "show", "m1")[0]["operstate"] == "UP", 3)
    assert lan.attach(s, xdp=1) == "" and answers(lan)
    lan.pe.ip("link set m1 mtu 9000")
    assert lan.attach(s, xdp=1) == "" and answers(lan)


def test_a_bond_is_a_port(lan):
    """The programs stand on the bond, whichever of its links a frame came by; XDP would stand on the links, so it does not."""
    a = lan.members["a"]
    lan.pe.ip("link del m1")
    for i in "12":
        lan.scope.veth(lan.pe, f"s{i}", a, f"t{i}")
    for ns, bond, slave in (lan.pe, "m1", "s"), (a, "eth0", "t"):
        try:
            ns.ip(f"link add {bond} type bond mode active-backup miimon 100")
        except LabError:
            pytest.skip("no bonding in this kernel")
        ns.ip(*[f"link set {slave}{i} down" for i in "12"], *[f"link set {slave}{i} master {bond}" for i in "12"],
              f"link set {bond} addrgenmode none up")
    a.ip(f"link set eth0 address {lan.mac('a')}")
    lan.pe.ip("link set m1 master br0")
    lan.index["a"] = lan.pe.ip_json("link", "show", "m1")[0]["ifindex"]
    s = lan.raise_(xdp=1)
    assert lan.attach(s, xdp=1) == ""
    assert "xdp" not in lan.pe.ip_json("link", "show", "m1")[0]
    wait_until(lambda: answers(lan), 5, "the bond is up")
    lan.pe.ip("link set s1 down")
    wait_until(lambda: answers(lan), 5, "the other link")
    assert lan.attach(s, xdp=1) == ""
    lan.log.flush()
    said = (lan.scope.dir / "plane.log").read_text()
    assert said.count("m1: not accelerated: XDP would run on the bond's interfaces") == 1


# --- another layout's agent was here ---


@pytest.mark.parametrize("xdp", [0, 1])
def test_taking_over_from_another_version(lan, xdp):
    """Its maps are not ours and its programs are: they answer from its maps until ours are filled and in their place."""
    s = lan.raise_(xdp)

    def upgrade():
        nonlocal s
        s.kill()
        os.rename(lan.dir / "v2", lan.dir / "v1")
        time.sleep(0.1)
        s = lan.shell()
        assert not s.opened["adopted"] and s.do("tables")["ports"] == 0
        assert {p.name for p in lan.dir.iterdir()} == {"v1", "v2"}
        time.sleep(0.1)
        for role in "abf":  # c is a port no longer
            lan.set_port(s, role)
        lan.fill(s)
        time.sleep(0.1)
        assert lan.attach(s, "abf", xdp) == "abf"
        wait_until(lambda: s.ledger(lan.slot["a"]).get(("in", "arp-request", "answered")), 5, "ours answer")

    asked, answered = stream(lan, upgrade, who_has(lan, "a", lan.ip4("b")))
    assert asked > 200 and answered == asked
    ours = s.ledger(lan.slot["a"])
    assert 0 < ours["in", "arp-request", "answered"] < asked
    assert len(lan.filters("c")) == 2
    wait_until(lambda: lan.attach(s, "abf", xdp) or {p.name for p in lan.dir.iterdir()} == {"v2"}, 10, "the old one goes")
    assert not lan.filters("c") and "xdp" not in lan.pe.ip_json("link", "show", "m3")[0]
    assert ("xdp" in lan.pe.ip_json("link", "show", "m1")[0]) == bool(xdp)
    assert answers(lan)
    s.do("close", "drop")
    assert not lan.filters("a") and not lan.dir.exists()


def test_two_versions_at_a_time(lan):
    """The other version's agent still runs: it would undo what we do."""
    s = lan.raise_()
    os.rename(lan.dir / "v2", lan.dir / "v1")
    assert lan.shell(open_=False).ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -16
    assert {p.name for p in lan.dir.iterdir()} == {"v1"} and answers(lan)
    s.kill()
    s = lan.shell(open_=False)
    assert s.ask("open", "bpf", lan.dir, 256, 256, 0)["result"] < 0  # fails: nothing of the old one is lost
    assert {p.name for p in lan.dir.iterdir()} == {"v1"} and answers(lan)


def test_another_layout_under_our_version_is_refused(lan):
    s = lan.raise_()
    s.kill()
    (lan.dir / "v2" / "bind4").unlink()
    os.rename(lan.dir / "v2" / "bind6", lan.dir / "v2" / "bind4")
    assert lan.shell(open_=False).ask("open", "bpf", lan.dir, 256, 256, 16)["result"] == -71
    assert answers(lan)

"""What a plane answers, on real interfaces, octet for octet, and what goes nowhere; that members reach each other; that the ledger says so."""
import fcntl
import os
import select
import struct

import pytest
from conftest import wait_until
from plane_box import (  # noqa: F401  (a fixture)
    BROADCAST, CLOSED, UNICAST, Wire, answers, arp_answer, dhcp, in_netns, lan, na_answer, solicit, who_has,
    with_xdp)

from lab.netns import LabError

pytestmark = pytest.mark.needs("tests/bpf/plane_shell")
scapy = pytest.importorskip("scapy.all")
from scapy.all import ARP, IP, UDP, Dot1Q, Ether, IPv6, Raw, ICMPv6ND_RA  # noqa: E402


@with_xdp
def test_the_answers_octet_for_octet(lan):
    s = lan.raise_()
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


@with_xdp
def test_what_is_not_answered_goes_nowhere(lan):
    s = lan.raise_()
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


def test_frames_of_our_own(lan):
    s = lan.raise_()
    a = lan.wire("a")
    probe = bytes(who_has(lan, "c", lan.ip4("a"), src="02:00:00:00:00:fe", sender="0.0.0.0"))
    s.do("send", lan.index["a"], probe.hex())
    assert a.arrived(1) == [probe]
    assert s.ledger(lan.slot["a"]) == {("out", "arp-probe", "probe"): 1}


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

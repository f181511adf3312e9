"""quell audit: its counts are those of tshark and of the ledger, to the frame; and a member that breaks a rule is named for that rule."""
import collections
import glob
import ipaddress
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest
import wire
from agent_box import MACS, Agent, entry, ip4, ip6
from conftest import wait_until
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6MLReport, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw
from scapy.utils import rdpcap, wrpcap
from test_hygiene import BRIDGE, BROKEN, llc, octets, snap

pytestmark = pytest.mark.needs("quell")
ONE, TWO = MACS[1], MACS[2]
RULES = [row[0] for row in BROKEN]


def audit(build, *args, codes=(0,)):
    r = subprocess.run([os.path.join(build, "quell"), "audit", *map(str, args), "--json"], capture_output=True, text=True,
                       timeout=60)
    assert r.returncode in codes, (r.returncode, r.stderr, r.stdout[:2000])
    return json.loads(r.stdout)


def books(report, port):
    """{(way, class): frames} of one port."""
    rows = [p for p in report["books"]["ports"] if p["port"] == port]
    return {(way, cls): n["frames"] for p in rows for way in ("received", "sent") for cls, n in p[way]["classes"].items()
            if n["frames"]}


def ruling(report, n):
    """{rule: verdict} of member n."""
    member = [m for m in report["books"]["members"] if m["asn"] == 64500 + n]
    return {r["rule"]: r["verdict"] for r in member[0]["rules"]}


# --- tshark ------------------------------------------------------------------------------------------------------------

GROUP6 = "33:33:00:00:00:01"
ANY = wire.BROADCAST


def arp(**f):
    dst = f.pop("dst", ANY)
    return Ether(src=ONE, dst=dst) / ARP(**{"hwsrc": ONE, "psrc": ip4(1), "pdst": ip4(2), **f})


def nd(body, dst="33:33:ff:00:00:02", src=ip6(1), to="ff02::1:ff00:2", hlim=255):
    return Ether(src=ONE, dst=dst) / IPv6(src=src, dst=to, hlim=hlim) / body


def ip(dst, to, payload, **f):
    return Ether(src=ONE, dst=dst) / IP(src=ip4(1), dst=to, **f) / payload


def udp(sport, dport):
    return UDP(sport=sport, dport=dport) / Raw(b"x" * 24)


def group6(payload, **f):
    return Ether(src=ONE, dst=GROUP6) / IPv6(src=ip6(1), dst="ff02::1", **f) / payload


G4 = "01:00:5e:00:00:05"
NAMED4 = "(udp.port in {67,68}) || (udp.dstport in {5353,1900,137,138,5678,520}) || (ip.proto in {2,9,88,89,103})"
NAMED6 = "(udp.port in {546,547}) || (udp.dstport in {5353,1900,5678,521}) || (ipv6.nxt in {88,89,103}) || icmpv6"
ICMP4 = "(icmp.type in {5,9,10})"
# Class: the display filter that counts the same, and frames of it.
CLASSES = {
    "arp-request": ("arp.opcode == 1 && eth.dst.ig == 1 && arp.src.proto_ipv4 != 0.0.0.0 && !arp.isgratuitous",
                    [arp(), arp(pdst=ip4(9))]),
    "arp-probe": ("arp.opcode == 1 && eth.dst.ig == 1 && arp.src.proto_ipv4 == 0.0.0.0", [arp(psrc="0.0.0.0")]),
    "arp-gratuitous": ("arp.isgratuitous", [arp(pdst=ip4(1)), arp(op=2, pdst=ip4(1))]),
    "arp-unicast": ("arp.opcode == 1 && eth.dst.ig == 0 && !arp.isgratuitous", [arp(dst=TWO)]),
    "arp-reply": ("arp.opcode == 2 && eth.dst.ig == 0 && !arp.isgratuitous", [arp(dst=TWO, op=2)]),
    "arp-reply-bcast": ("arp.opcode == 2 && eth.dst.ig == 1 && !arp.isgratuitous", [arp(op=2)]),
    "arp-bad": ("arp.opcode > 2", [arp(op=9)]),
    "ns": ("icmpv6.type == 135 && eth.dst.ig == 1 && ipv6.src != :: && ipv6.hlim == 255",
           [nd(ICMPv6ND_NS(tgt=ip6(2)) / ICMPv6NDOptSrcLLAddr(lladdr=ONE))]),
    "ns-dad": ("icmpv6.type == 135 && ipv6.src == ::", [nd(ICMPv6ND_NS(tgt=ip6(2)), src="::")]),
    "ns-unicast": ("icmpv6.type == 135 && eth.dst.ig == 0 && ipv6.src != ::", [nd(ICMPv6ND_NS(tgt=ip6(2)), dst=TWO, to=ip6(2))]),
    "na": ("icmpv6.type == 136 && eth.dst.ig == 0", [nd(ICMPv6ND_NA(tgt=ip6(1)) / ICMPv6NDOptDstLLAddr(lladdr=ONE), dst=TWO, to=ip6(2))]),
    "na-unsolicited": ("icmpv6.type == 136 && eth.dst.ig == 1", [nd(ICMPv6ND_NA(tgt=ip6(1), S=0), dst=GROUP6, to="ff02::1")]),
    "nd-bad": ("icmpv6.type == 135 && ipv6.hlim != 255", [nd(ICMPv6ND_NS(tgt=ip6(2)), hlim=64)]),
    "rs": ("icmpv6.type == 133", [nd(ICMPv6ND_RS(), dst=GROUP6, to="ff02::2")]),
    "ra": ("icmpv6.type == 134", [nd(ICMPv6ND_RA(), dst=GROUP6, to="ff02::1", src="fe80::1")]),
    "redirect": ("icmpv6.type == 137", [nd(ICMPv6ND_Redirect(tgt="fe80::9", dst=ip6(9)), dst=TWO, to=ip6(2), src="fe80::1")]),
    "mld": ("icmpv6.type in {130..132,143}", [group6(ICMPv6MLReport())]),
    "igmp": ("ip.proto == 2", [ip(G4, "224.0.0.22", Raw(b"\x22" + bytes(15)), proto=2)]),
    "dhcp4": ("ip && udp.port in {67,68}", [ip(ANY, "255.255.255.255", udp(68, 67))]),
    "dhcp6": ("ipv6 && udp.port in {546,547}", [group6(udp(546, 547))]),
    "mdns": ("udp.dstport == 5353 && eth.dst.ig == 1", [ip(G4, "224.0.0.251", udp(5353, 5353)), group6(udp(5353, 5353))]),
    "ssdp": ("udp.dstport == 1900 && eth.dst.ig == 1", [ip(G4, "239.255.255.250", udp(4000, 1900))]),
    "netbios": ("udp.dstport in {137,138} && eth.dst.ig == 1", [ip(ANY, "198.18.7.255", udp(137, 137))]),
    "mndp": ("udp.dstport == 5678 && eth.dst.ig == 1", [ip(ANY, "255.255.255.255", udp(4000, 5678))]),
    "ospf": ("ip.proto == 89 || ipv6.nxt == 89", [ip(G4, "224.0.0.5", Raw(b"x" * 24), proto=89), group6(Raw(b"x" * 24), nh=89)]),
    "pim": ("ip.proto == 103 || ipv6.nxt == 103", [ip(G4, "224.0.0.13", Raw(b"x" * 24), proto=103)]),
    "eigrp": ("ip.proto == 88 || ipv6.nxt == 88", [ip(G4, "224.0.0.10", Raw(b"x" * 24), proto=88)]),
    "rip": ("ip && udp.dstport == 520", [ip(G4, "224.0.0.9", udp(520, 520))]),
    "icmp-redirect": ("icmp.type == 5", [ip(TWO, ip4(2), ICMP(type=5, code=1, gw=ip4(1)) / Raw(b"x" * 28))]),
    "irdp": ("icmp.type in {9,10}", [ip(G4, "224.0.0.1", ICMP(type=9) / Raw(bytes(8)))]),
    "ipv4": (f"ip && eth.dst.ig == 0 && !{ICMP4}", [ip(TWO, ip4(2), TCP(dport=179, flags="S")), ip(TWO, ip4(2), ICMP())]),
    "ipv4-multicast": (f"ip && eth.dst.ig == 1 && eth.dst != {ANY} && !{ICMP4} && !({NAMED4})", [ip(G4, "239.1.1.1", udp(4000, 4000))]),
    "ipv4-broadcast": (f"ip && eth.dst == {ANY} && !{ICMP4} && !({NAMED4})", [ip(ANY, "198.18.7.255", udp(4000, 4000))]),
    "ipv6": ("ipv6 && eth.dst.ig == 0 && !(icmpv6.type in {133..137})", [nd(TCP(dport=179), dst=TWO, to=ip6(2))]),
    "ipv6-multicast": (f"ipv6 && eth.dst.ig == 1 && !({NAMED6})", [group6(udp(4000, 4000))]),
    "stp": ("stp", [llc("01:80:c2:00:00:00", b"\x42\x42\x03" + bytes(35))]),
    "lldp": ("eth.type == 0x88cc", [Ether(src=ONE, dst="01:80:c2:00:00:0e", type=0x88cc) / Raw(bytes.fromhex("0207040200000000010403056170000602007800000"[:-1]) + bytes(40))]),
    "cdp": ("llc.oui == 0x00000c && llc.cisco_pid == 0x2000", [llc("01:00:0c:cc:cc:cc", snap("00000c", "2000"))]),
    "vtp": ("llc.oui == 0x00000c && llc.cisco_pid in {0x2003,0x2004,0x0111}",
            [llc("01:00:0c:cc:cc:cc", snap("00000c", p)) for p in ("2003", "2004", "0111")]),
    "is-is": ("llc.dsap == 0xfe", [llc("01:80:c2:00:00:14", b"\xfe\xfe\x03\x83" + bytes(30))]),
    "llc": ("llc.dsap == 0xe0", [llc(ANY, b"\xe0\xe0\x03" + bytes(30))]),
    "tagged": ("vlan || eth.type == 0x88a8", [Ether(src=ONE, dst=ANY, type=0x8100) / Raw(b"\0\7\x08\6" + bytes(42))]),
    "ethertype": ("eth.type == 0x88b5", [Ether(src=ONE, dst=ANY, type=0x88b5) / Raw(b"x" * 46)]),
    "loop-test": ("eth.type == 0x9000", [Ether(src=ONE, dst=ANY, type=0x9000) / Raw(b"x" * 46)]),
}


def without_sets(display_filter):
    """`field in {1,3..5}` in other words: in a list of filters a comma ends one."""
    def words(m):
        ranges = [r.split("..") for r in m[2].split(",")]
        return "(" + " || ".join(f"({m[1]} >= {r[0]} && {m[1]} <= {r[-1]})" for r in ranges) + ")"
    return re.sub(r"([\w.]+) in \{([^}]*)\}", words, display_filter)


def by_tshark(capture):
    """{class: frames}: all display filters in one run."""
    names = list(CLASSES)
    r = subprocess.run(["tshark", "-n", "-q", "-r", capture, "-z", "io,stat,0," + ",".join(without_sets(CLASSES[c][0]) for c in names)],
                       capture_output=True, text=True, timeout=120, check=True)
    row = [line for line in r.stdout.splitlines() if re.match(r"\|\s*[\d.]+ <> ", line)][-1]
    cells = [c.strip() for c in row.split("|")[2:-1]]
    assert len(cells) == 2 * len(names), r.stdout[-3000:]
    return {c: int(cells[2 * i]) for i, c in enumerate(names) if int(cells[2 * i])}


def mixture(seed):
    r = random.Random(seed)
    frames = [bytes(f).ljust(60, b"\0") for _, some in CLASSES.values() for f in some for _ in range(r.randrange(1, 9))]
    r.shuffle(frames)
    return frames


@pytest.mark.needs("quell", "tshark")
def test_classes_are_tsharks(build, scope):
    """On a capture with every class; and one that is cut at 96 octets, where nothing that the class is made from is lost."""
    whole, cut = str(scope.dir / "tap.pcap"), str(scope.dir / "cut.pcap")
    frames = mixture(1)
    wrpcap(whole, [Ether(f) for f in frames])
    wanted = by_tshark(whole)
    assert set(wanted) == set(CLASSES)
    # None twice, none left out: the filters say what the classes are.
    assert sum(wanted.values()) == len(frames)
    report = audit(build, whole, codes=(3,))
    assert {c: n for (way, c), n in books(report, "tap").items() if way == "received"} == wanted
    subprocess.run(["editcap", "-s", "96", whole, cut], check=True)
    report = audit(build, cut, codes=(3,))
    assert {c: n for (way, c), n in books(report, "cut").items() if way == "received"} == wanted
    assert report["books"]["cut"] == 0 and report["books"]["octets"] == sum(map(len, frames))


# --- a box with an agent -------------------------------------------------------------------------------------------------


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build)
    a.write(entry(1), entry(2), entry(3))
    a.begin()
    yield a
    a.close()


def registry(box):
    """The members file that the box's configuration names."""
    return next(p for p in glob.glob(f"{box.dir}/*.yaml") if "members:" in open(p).read().split("\n")[0])


class Tap:
    """quell audit --live at ports of a box."""

    def __init__(self, box, *ports, more=()):
        self.box, self.ring, self.report = box, box.dir / "ring", box.dir / "report.json"
        self.ring.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", box.ns.name, os.path.join(box.build, "quell"), "audit", "--live", *ports, "--ring", str(self.ring),
             "--registry", registry(box), "--prefix", "198.18.0.0/21", "--prefix", "2001:db8:100::/64", "--own", BRIDGE,
             f"--json={self.report}", *more], stderr=subprocess.PIPE, text=True)
        packets = f"/proc/{self.process.pid}/net/packet"
        wait_until(lambda: len(open(packets).readlines()) > 2 * len(ports), 5, "the ports are tapped")
        wait_until(lambda: glob.glob(f"{self.ring}/*"), 5, "the ring is begun")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        err = self.process.communicate(timeout=20)[1]
        assert self.process.returncode in (0, 3), err
        return json.load(open(self.report))


def counted(box, port):
    """{(way, class): frames} of the ledger: what came in, and what left."""
    row = box.show("ledger", port=port)["ports"][0]
    gone = {"delivered", "answer", "probe"}
    seen = collections.Counter()
    for way, name in (("in", "sent"), ("out", "received")):
        for cls, outcomes in row[way].items():
            for outcome, n in outcomes.items():
                if way == "in" or outcome in gone:
                    seen[name, cls] += n[0]
    return dict(seen)


def since(before, after):
    return {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)}


@pytest.mark.needs("quell", "quell-agent", "tshark")
def test_live_is_the_ledger_and_the_ring(box, build):
    """What is captured live is what the ledger counts, to the frame; and what the ring holds, read again, and by tshark, too."""
    before = {p: counted(box, p) for p in ("swp1", "swp2")}
    tap = Tap(box, "swp1", "swp2")
    with box.port(1) as one, box.port(2) as two:
        for f in mixture(2):
            one.send(f)
        for n in range(20):
            two.send(wire.who_has(TWO, ip4(2), ip4(1)))
            two.send(wire.neighbor_solicitation(TWO, ip6(2), ip6(1)))
        two.send(Ether(src=TWO, dst=ONE) / IP(src=ip4(2), dst=ip4(1)) / UDP() / Raw(b"end" * 20))
        assert one.await_frame(lambda f: f[-60:-57] == b"end" or f[42:45] == b"end", 10)
    report = tap.end()
    assert report["books"]["dropped"] == 0
    for port in ("swp1", "swp2"):
        assert books(report, port) == since(before[port], counted(box, port)), port
    again = audit(build, *sorted(glob.glob(f"{tap.ring}/*")), "--registry", registry(box), codes=(3,))
    for port in ("swp1", "swp2"):
        assert books(again, port) == books(report, port), port
    frames = sum(n for _, n in by_tshark(next(iter(glob.glob(f"{tap.ring}/*")))).items())
    assert frames == report["books"]["frames"]


@pytest.mark.needs("quell", "quell-agent")
def test_each_rule_is_named(box, build):
    """Member 1 breaks each rule once, member 2 none: each frame is one rule's, and its proof is that frame."""
    proof = box.dir / "proof"
    proof.mkdir()
    tap = Tap(box, "swp1", "swp2", more=("--evidence", str(proof)))
    with box.port(1) as one, box.port(2) as two:
        for row in BROKEN:
            one.send(octets(row[2]))
        one.send(announcement(ONE, 1, "198.18.0.0/21"))
        two.send(announcement(TWO, 2, "203.0.113.0/24"))
        for f in clean(TWO, 2):
            two.send(f)
        one.send(Ether(src=ONE, dst=TWO) / IP(src=ip4(1), dst=ip4(2)) / UDP() / Raw(b"end" * 20))
        assert two.await_frame(lambda f: f[42:45] == b"end", 10)
        wait_until(lambda: counted(box, "swp2").get(("sent", "na"), 0), 5, "member 2 has said all")
    report = tap.end()
    members = {m["asn"]: m for m in report["books"]["members"]}
    assert {r["rule"]: r["frames"] for r in members[64501]["rules"] if r["rule"] in RULES} == {r: 1 for r in RULES}
    assert members[64501]["verdict"] == "fail"
    # Number 16 is BGP's, the only one that no frame breaks by what it is.
    assert [r["frames"] for r in members[64501]["rules"] if r["number"] == 16] == [1]
    assert [bytes(f) for f in rdpcap(str(proof / "AS64501-prefix.pcap"))] == [bytes(announcement(ONE, 1, "198.18.0.0/21"))]
    assert {r["number"] for r in members[64501]["rules"] if r["verdict"] == "fail"} >= set(range(1, 18))
    for row in BROKEN:
        frames = rdpcap(str(proof / f"AS64501-{row[0]}.pcap"))
        assert [bytes(f) for f in frames] == [octets(row[2])], row[0]
    assert members[64502]["verdict"] == "pass"
    seen = ruling(report, 2)
    assert {seen[r] for r in (*RULES, "prefix")} == {"pass"}, seen
    assert not glob.glob(f"{proof}/AS64502*")
    # Each by itself: that rule, and no other.
    for row in BROKEN:
        alone = audit(build, "--port", f"swp1={proof}/AS64501-{row[0]}.pcap", "--registry", registry(box), "--own", BRIDGE,
                      "--member", "64501", codes=(3,)) if row[0] not in ("source-mac", "loop") else None
        assert alone is None or {r for r, v in ruling(alone, 1).items() if v == "fail"} == {row[0]}


def announcement(mac, n, prefix):
    """An UPDATE to the other member."""
    net = ipaddress.ip_network(prefix)
    attributes = bytes.fromhex("40010100 400200 400304") + ipaddress.ip_address(ip4(n)).packed
    nlri = bytes([net.prefixlen]) + net.network_address.packed[:(net.prefixlen + 7) // 8]
    body = b"\0\0" + len(attributes).to_bytes(2, "big") + attributes + nlri
    update = b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + b"\2" + body
    return Ether(src=mac, dst=TWO if mac == ONE else ONE) / IP(src=ip4(n), dst=ip4(3 - n)) / \
        TCP(sport=50000, dport=179, flags="PA", seq=1, ack=1) / Raw(update)


def clean(mac, n):
    """What a decent member sends, to member 1 and to all."""
    return [wire.who_has(mac, ip4(n), ip4(1)), Ether(src=mac, dst=ANY) / ARP(hwsrc=mac, psrc="0.0.0.0", pdst=ip4(n)),
            Ether(src=mac, dst=ONE) / ARP(op=2, hwsrc=mac, psrc=ip4(n), pdst=ip4(1)),
            wire.neighbor_solicitation(mac, ip6(n), ip6(1)), Ether(src=mac, dst=ONE) / IP(src=ip4(n), dst=ip4(1)) / TCP(dport=179, flags="S"),
            Ether(src=mac, dst=ONE) / IPv6(src=ip6(n), dst=ip6(1), hlim=255) / ICMPv6ND_NA(tgt=ip6(n)) / ICMPv6NDOptDstLLAddr(lladdr=mac)]


@pytest.mark.needs("quell", "quell-agent")
def test_before_and_after_of_the_ledger(box, build):
    """Two readings: what the idle port would have been sent, and that nothing was."""
    readings = [box.dir / "a.json", box.dir / "b.json"]

    def read(path):
        path.write_text(subprocess.run([os.path.join(build, "quell"), "show", "ledger", "--json", "--socket-dir", str(box.run_dir)],
                                       capture_output=True, text=True, check=True).stdout)
    read(readings[0])
    with box.port(1) as one:
        for n in range(50):
            one.send(wire.who_has(ONE, ip4(1), ip4(100 + n)))
    wait_until(lambda: counted(box, "swp1").get(("sent", "arp-request"), 0) >= 50, 5, "all came")
    time.sleep(0.01)  # that some time lies between the readings
    read(readings[1])
    report = audit(build, "--ledger", *readings)
    assert report["verdict"] == "pass"
    text = subprocess.run([os.path.join(build, "quell"), "audit", "--ledger", *map(str, readings)], capture_output=True, text=True)
    assert text.returncode == 0 and "PASS" in text.stdout and "swp3" in text.stdout, text.stdout + text.stderr
    backwards = subprocess.run([os.path.join(build, "quell"), "audit", "--ledger", *map(str, reversed(readings))],
                               capture_output=True, text=True)
    assert backwards.returncode == 1 and "not later than" in backwards.stderr


def test_before_and_after_of_captures(build, scope):
    """Verdict and figures of two captures; and what the limit does."""
    noise = [Ether(f) for f in mixture(3)]
    for i, f in enumerate(noise):
        f.time = 1700000000 + i / 10
    quiet = [p for p in noise if not int(bytes(p)[0]) & 1][:1]
    a, b = str(scope.dir / "a.pcap"), str(scope.dir / "b.pcap")
    wrpcap(a, noise)
    wrpcap(b, quiet)
    done = audit(build, "--before", a, "--after", b, codes=(3,))
    assert done["verdict"] == "fail"
    assert audit(build, "--before", a, "--after", b, "--limit", "1")["verdict"] == "pass"
    shutil.copy(a, scope.dir / "c.pcap")
    assert audit(build, "--before", a, "--after", scope.dir / "c.pcap", "--limit", "1", codes=(3,))["verdict"] == "fail"

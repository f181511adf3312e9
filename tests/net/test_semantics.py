"""What the kernel's neigh_suppress answers wrongly, lets leak or never answers: one row a case, and what quell does with it.

`kernel` says what becomes of the frame at a bridge whose vxlan port has neigh_suppress and which knows every binding as
neighbour and FDB entry: the best that Linux does by itself (net/bridge/br_arp_nd_proxy.c: br_do_proxy_suppress_arp(),
br_do_suppress_nd(), br_nd_send(); br_input.c calls them on ingress and floods all the same, br_forward.c leaves out
suppressing ports of what was answered). The same rows are sent through such a bridge too; in how many of them this very
kernel errs is told as a figure.

Every row is sent on a real port: m1 and m2 registered, m3 on a port that learns, `far` behind another PE. What arrives at
each of them is compared octet for octet with what scapy makes, and the ledger must name class and outcome. A row is over
when a fence has passed: a request behind it was answered, and behind that a marker arrived everywhere.
"""
import dataclasses
import os

import pytest
import wire
from agent_box import MACS, OTHER, VTEP, Agent, entry, ip4, ip6
from conftest import wait_until
from lab import netns
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

pytestmark = pytest.mark.needs("quell-agent")
FAR, THIRD, THIRD_PE = "02:00:5e:00:0f:01", "02:00:5e:00:0f:02", "10.99.0.4"
ALL_NODES = "33:33:00:00:00:01"
MAC = {1: MACS[1], 2: MACS[2], 3: MACS[3], "far": FAR}
OWN = {1: 1, 2: 2, 3: 3, "far": 9}  # the last part of their addresses; 8: far's too, 10: behind a third PE, 77: nobody's
FENCE = {1: 8, 2: 8, 3: 8, "far": 3}  # what nobody asks for but the fence


def ask(who, target, mac=None, sender=None, dst=wire.BROADCAST):
    mac = mac or MAC[who]
    return Ether(src=mac, dst=dst) / ARP(op=1, hwsrc=mac, psrc=ip4(OWN[who]) if sender is None else sender, pdst=ip4(target))


def solicit(who, target, source=None, option=True, dst=None, hlim=255):
    frame = wire.neighbor_solicitation(MAC[who], ip6(OWN[who]) if source is None else source, ip6(target))
    if not option:
        frame[ICMPv6ND_NS].remove_payload()
    if dst:
        frame[Ether].dst, frame[IPv6].dst = dst, ip6(target)
    frame[IPv6].hlim = hlim
    return frame


def tagged(frame):
    frame = frame.copy()
    payload = frame.payload
    frame.remove_payload()
    return Ether(src=frame.src, dst=frame.dst) / Dot1Q(vlan=7) / payload


def told(owner, n, to, asker=None):
    """The ARP reply: `owner` has address n."""
    return Ether(src=MAC[owner], dst=MAC[to]) / ARP(op=2, hwsrc=MAC[owner], psrc=ip4(n), hwdst=MAC[to],
                                                    pdst=ip4(OWN[to]) if asker is None else asker)


def advertised(owner, n, to):
    """The NA; to somebody who has no address yet, to all nodes."""
    solicited = to is not None
    return Ether(src=MAC[owner], dst=MAC[to] if solicited else ALL_NODES) / \
        IPv6(src=ip6(n), dst=ip6(OWN[to]) if solicited else "ff02::1", hlim=255) / \
        ICMPv6ND_NA(R=1, S=int(solicited), O=1, tgt=ip6(n)) / ICMPv6NDOptDstLLAddr(lladdr=MAC[owner])


def bad_checksum():
    frame = solicit(1, 9)
    frame[ICMPv6ND_NS].cksum = 0x1234
    return frame


def no_length():
    """A source link-layer option of length zero."""
    return Ether(src=MAC[1], dst="33:33:ff:00:00:09") / IPv6(src=ip6(1), dst="ff02::1:ff00:9", hlim=255) / \
        ICMPv6ND_NS(tgt=ip6(9)) / Raw(b"\1\0" + wire.mac_bytes(MAC[1]))


def others_option():
    frame = solicit(1, 9)
    frame[ICMPv6NDOptSrcLLAddr].lladdr = MAC[2]
    return frame


def others_sender():
    frame = ask(1, 9)
    frame[ARP].hwsrc = MAC[2]
    return frame


@dataclasses.dataclass
class Case:
    name: str
    kernel: str  # what neigh_suppress makes of it
    sender: object
    frame: object
    cls: str
    outcome: str
    answer: object = None  # what the sender gets back
    arrives: tuple = ()  # who else gets the frame
    learned: str = ""  # the address that others learn of by it


CASES = [
    Case("ARP for a member of the same PE", "not answered; flooded to every local port", 1, ask(1, 2), "arp-request", "answered",
         told(2, 2, 1)),
    Case("NS for a member of the same PE", "not answered; flooded to every local port", 1, solicit(1, 2), "ns", "answered",
         advertised(2, 2, 1)),
    Case("ARP for a member of another PE", "answered, and flooded to every local port all the same", 1, ask(1, 9), "arp-request",
         "answered", told("far", 9, 1)),
    Case("NS for a member of another PE", "answered, and flooded to every local port all the same", 1, solicit(1, 9), "ns",
         "answered", advertised("far", 9, 1)),
    Case("NS without an option", "answered, and flooded", 1, solicit(1, 9, option=False), "ns", "answered", advertised("far", 9, 1)),
    Case("ARP for an address that nobody has", "flooded to every port of every PE", 1, ask(1, 77), "arp-request", "unknown-target"),
    Case("NS for an address that nobody has", "flooded to every port of every PE", 1, solicit(1, 77), "ns", "unknown-target"),
    Case("ARP probe for a member of the same PE", "not answered; flooded to every local port", 1, ask(1, 2, sender="0.0.0.0"),
         "arp-probe", "answered", told(2, 2, 1, "0.0.0.0")),
    Case("ARP probe for a member of another PE", "not answered, and kept from the owner: a duplicate goes unseen", 1,
         ask(1, 9, sender="0.0.0.0"), "arp-probe", "answered", told("far", 9, 1, "0.0.0.0")),
    Case("ARP probe for a free address", "flooded to every local port", 1, ask(1, 77, sender="0.0.0.0"), "arp-probe", "free-probe"),
    Case("ARP probe for one's own address", "flooded to every local port", 1, ask(1, 1, sender="0.0.0.0"), "arp-probe", "own-target"),
    Case("DAD for the address of a member of the same PE", "not answered; flooded to every local port", 1,
         solicit(1, 2, source="::", option=False), "ns-dad", "answered", advertised(2, 2, None)),
    Case("DAD for the address of a member of another PE", "not answered, and kept from the owner: a duplicate goes unseen", 1,
         solicit(1, 9, source="::", option=False), "ns-dad", "answered", advertised("far", 9, None)),
    Case("DAD for a free address", "flooded to every local port", 1, solicit(1, 77, source="::", option=False), "ns-dad",
         "free-probe"),
    Case("gratuitous ARP request", "flooded to every local port", 1, wire.garp(MAC[1], ip4(1)), "arp-gratuitous", "absorbed"),
    Case("gratuitous ARP reply", "flooded to every local port", 1,
         Ether(src=MAC[1], dst=wire.BROADCAST) / ARP(op=2, hwsrc=MAC[1], psrc=ip4(1), hwdst=wire.BROADCAST, pdst=ip4(1)),
         "arp-gratuitous", "absorbed"),
    Case("ARP reply to all", "flooded to every port of every PE", 1,
         Ether(src=MAC[1], dst=wire.BROADCAST) / ARP(op=2, hwsrc=MAC[1], psrc=ip4(1), hwdst=MAC[2], pdst=ip4(2)),
         "arp-reply-bcast", "absorbed"),
    Case("unsolicited NA", "flooded to every local port", 1, wire.neighbor_advertisement(MAC[1], ip6(1)), "na-unsolicited", "absorbed"),
    Case("gratuitous ARP of a new address", "kept from the fabric: no other PE hears of it", 3, wire.garp(MAC[3], ip4(33)),
         "arp-gratuitous", "absorbed", learned=ip4(33)),
    Case("unsolicited NA of a new address", "kept from the fabric: no other PE hears of it", 3,
         wire.neighbor_advertisement(MAC[3], ip6(33)), "na-unsolicited", "absorbed", learned=ip6(33)),
    Case("NS with a wrong checksum", "answered: no checksum is looked at", 1, bad_checksum(), "nd-bad", "malformed"),
    Case("NS that has been routed (hop limit 64)", "answered: no hop limit is looked at", 1, solicit(1, 9, hlim=64), "nd-bad",
         "malformed"),
    Case("NS with an option of length zero", "not answered, but flooded to every local port", 1, no_length(), "nd-bad", "malformed"),
    Case("NS whose option names another", "answered, to that other", 1, others_option(), "ns", "sender-mismatch"),
    Case("ARP whose sender is not the frame's source", "answered, to that other", 1, others_sender(), "arp-request",
         "sender-mismatch"),
    Case("ARP with another member's address", "answered", 1, ask(1, 9, sender=ip4(2)), "arp-request", "spoof-ip"),
    Case("NS with another member's address", "answered", 1, solicit(1, 9, source=ip6(2)), "ns", "spoof-ip"),
    Case("ARP with a MAC that is not the port's", "answered, and learned", 1, ask(1, 9, mac="02:66:00:00:00:01"), "arp-request",
         "spoof-mac"),
    Case("ARP in a VLAN tag", "answered, without the tag", 1, tagged(ask(1, 9)), "tagged", "hygiene"),
    Case("NS in a VLAN tag", "answered, without the tag", 1, tagged(solicit(1, 9)), "tagged", "hygiene"),
    Case("ARP to the owner's MAC, same PE", "forwarded (and, before 6.15, answered if the owner is behind another PE)", 1,
         ask(1, 2, dst=MAC[2]), "arp-unicast", "forwarded", arrives=(2,)),
    Case("ARP to the owner's MAC, another PE", "forwarded; before 6.15 answered too", 1, ask(1, 9, dst=FAR), "arp-unicast",
         "forwarded", arrives=("far",)),
    Case("NS to the owner's MAC, another PE", "forwarded; before 6.15 answered too", 1, solicit(1, 9, dst=FAR), "ns-unicast",
         "forwarded", arrives=("far",)),
    Case("ARP from another PE for a member here", "flooded to every local port", "far", ask("far", 2), "arp-request", "answered",
         told(2, 2, "far")),
    Case("NS from another PE for a member here", "flooded to every local port", "far", solicit("far", 2), "ns", "answered",
         advertised(2, 2, "far")),
    Case("ARP from another PE for nobody", "flooded to every local port", "far", ask("far", 77), "arp-request", "unknown-target"),
    Case("ARP from another PE for a member of a third", "flooded to every local port", "far", ask("far", 10), "arp-request",
         "own-target"),
    Case("gratuitous ARP from another PE", "flooded to every local port", "far", wire.garp(FAR, ip4(9)), "arp-gratuitous", "absorbed"),
    Case("unsolicited NA from another PE", "flooded to every local port", "far", wire.neighbor_advertisement(FAR, ip6(9)),
         "na-unsolicited", "absorbed"),
]
assert len(CASES) >= 26 and len({c.name for c in CASES}) == len(CASES)


# --- a PE with three members and another PE's -------------------------------------------------------------------------


class World:
    """What both PEs have: the wires, and the fence."""

    def __init__(self, scope, build, **options):
        self.box = Agent(scope, build, **options)
        far = self.box.members["far"] = scope.netns("far")
        far.sysctl({"net.ipv6.conf.default.disable_ipv6": 1, "net.ipv6.conf.all.disable_ipv6": 1})
        scope.veth(self.box.ns, "up0", far, "up0")
        for ns, here, there in ((self.box.ns, VTEP, OTHER), (far, OTHER, VTEP)):
            ns.ip(*([f"addr add {here}/32 dev lo"] if ns is far else []), "link set up0 up",
                  f"route add {there}/32 dev up0 src {here}")
        far.ip(f"link add vxf address {FAR} type vxlan id 100 local {OTHER} remote {VTEP} dstport 4789 nolearning",
               "link set vxf up")
        for a, b, there in ((self.box.ns, far, OTHER), (far, self.box.ns, VTEP)):
            mac = b.ip_json("link", "show", "up0")[0]["address"]
            a.ip(f"neigh replace {there} lladdr {mac} dev up0")
        self.ports = {n: wire.Port(self.box.members[n], "vxf" if n == "far" else "eth0") for n in MAC}
        self.markers = 0

    def fence(self, sender):
        """Whatever was sent before it has had its effect when its answer is here."""
        p, n = self.ports[sender], FENCE[sender]
        p.send(ask(sender, n))
        answer, got = bytes(told("far" if n == 8 else 3, n, sender)), []
        assert p.await_frame(lambda f: f == answer or got.append(f), 3), "the fence is not answered"
        return got

    def send(self, case):
        """{who: frames that arrived}, fences and markers left out."""
        got = {case.sender: []}
        self.ports[case.sender].send(case.frame)
        got[case.sender] += self.fence(case.sender)
        self.markers += 1
        for n in MAC:
            if n == case.sender:
                continue
            marker = bytes(Ether(src=MAC[case.sender], dst=MAC[n]) / IP(src=ip4(OWN[case.sender]), dst=ip4(OWN[n])) /
                           UDP(dport=9) / Raw(b"%08d" % self.markers))
            self.ports[case.sender].send(marker)
            got[n] = []
            assert self.ports[n].await_frame(lambda f: f == marker or got[n].append(f), 3), f"the marker is not at {n}"
        return {n: [f for f in frames if not self.noise(f)] for n, frames in got.items()}

    def noise(self, frame):
        return False

    def close(self):
        for p in self.ports.values():
            p.close()
        self.box.close()


class Quell(World):
    def __init__(self, scope, build, **options):
        super().__init__(scope, build)
        there = entry(9, macs=[FAR]).replace(f"pe: {VTEP}", f"pe: {OTHER}")
        self.box.write(entry(1), entry(2), there, **options)
        self.port = {n: "vx100" if n == "far" else f"swp{n}" for n in MAC}

    def start(self):
        box = self.box
        self.straw = box.feed()
        box.start()
        self.straw.accept().snapshot()
        for mac, pe, ns in ((FAR, OTHER, (8, 9)), (THIRD, THIRD_PE, (10,))):
            self.straw.say({"op": "mac", "lan": "ixp", "mac": mac, "vtep": pe, "seq": 0, "sticky": False, "stale": False})
            self.straw.say(*({"op": "bind", "lan": "ixp", "ip": ip, "mac": mac, "vtep": pe, "router": True, "override": True,
                              "immutable": True, "stale": False} for n in ns for ip in (ip4(n), ip6(n))))
        self.straw.say({"op": "flood", "lan": "ixp", "vtep": OTHER}, {"op": "end"})
        wait_until(box.open, 10, "the ports are taken")
        self.ports[3].send(wire.garp(MAC[3], ip4(3)))
        wait_until(lambda: box.where(ip4(3)) == "port", 5, "m3 is learned")
        wait_until(lambda: any(e.get("dst") == OTHER for e in box.fdb(FAR)) and box.fdb(MAC[3]), 5, "the FDB has them")
        return self

    def ledger(self, sender):
        row = self.box.show("ledger", port=self.port[sender])["ports"][0]
        return {(cls, outcome): fo[0] for cls, outcomes in row["in"].items() for outcome, fo in outcomes.items()}


PLANES = {"bpf": {}, "xdp": {"accelerate": "xdp"}, "packet": {"plane": "packet"}}


@pytest.fixture(scope="module", params=PLANES)
def quell(request, build):
    with netns.Scope("test") as scope:
        w = Quell(scope, build, **PLANES[request.param])
        try:
            yield w.start()
        finally:
            w.close()


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_what_neigh_suppress_gets_wrong(quell, case):
    before = quell.ledger(case.sender)
    got = quell.send(case)
    wanted = {n: [] for n in MAC}
    if case.answer:
        wanted[case.sender] = [bytes(case.answer)]
    for n in case.arrives:
        wanted[n] = [bytes(case.frame)]
    assert {n: [f.hex() for f in frames] for n, frames in got.items()} == \
        {n: [f.hex() for f in frames] for n, frames in wanted.items()}
    after = quell.ledger(case.sender)
    fence = ("arp-request", "answered")
    rise = {k: after[k] - before.get(k, 0) - (k == fence) for k in after if k[0] != "ipv4"}
    assert {k: n for k, n in rise.items() if n} == {(case.cls, case.outcome): 1}
    if case.learned:
        assert quell.straw.until(op="add", mac=MAC[case.sender], ip=case.learned)
        asked, answer = (solicit(1, 33), advertised(3, 33, 1)) if ":" in case.learned else (ask(1, 33), told(3, 33, 1))
        quell.ports[1].send(asked)
        assert quell.ports[1].await_frame(lambda f: f == bytes(answer), 2)


# --- the same at a bridge with neigh_suppress ---------------------------------------------------------------------------


class Kernel(World):
    """No agent: all that the kernel can be told, it is told."""

    def __init__(self, scope, build):
        super().__init__(scope, build)
        ns = self.box.ns
        ns.sysctl({"net.ipv6.conf.br100.disable_ipv6": 0})
        ns.bridge("link set dev vx100 neigh_suppress on",
                  *(f"fdb replace {MAC[n]} dev swp{n} master static" for n in (1, 2, 3)),
                  f"fdb replace {FAR} dev vx100 master static", f"fdb replace {FAR} dev vx100 self dst {OTHER}",
                  f"fdb append 00:00:00:00:00:00 dev vx100 self dst {OTHER}")
        ns.ip(*(f"neigh replace {ip(n)} lladdr {MAC[who]} dev br100 nud permanent"
                for who, n in ((1, 1), (2, 2), (3, 3), ("far", 8), ("far", 9)) for ip in (ip4, ip6)))

    def fence(self, sender):
        return super().fence(sender) if sender != "far" else []

    def noise(self, frame):
        return frame[6:12] == wire.mac_bytes("02:00:5e:99:00:01") or frame[22:28] == wire.mac_bytes(MAC[3]) and frame[28:32] == \
            wire.v4(ip4(FENCE["far"])) or any(frame == bytes(ask(n, FENCE[n])) for n in FENCE)


def test_what_this_kernel_makes_of_them(scope, build, figures):
    """No promise of ours: it is written down so that nobody has to believe the table."""
    w = Kernel(scope, build)
    try:
        unanswered, wrongly, leaked = [], [], []
        for case in CASES:
            got = w.send(case)
            extra = [n for n, frames in got.items() if n != case.sender and n not in case.arrives and frames]
            answered = bool(got[case.sender]) or any(f[6:12] == wire.mac_bytes(FAR) for n in extra for f in got[n]
                                                     if case.sender != "far")
            if case.answer and not answered:
                unanswered.append(case.name)
            if answered and not case.answer:
                wrongly.append(case.name)
            if extra:
                leaked.append(case.name)
        errs = {*unanswered, *wrongly, *leaked}
        figures(f"neigh_suppress of Linux {os.uname().release} errs in {len(errs)} of {len(CASES)} cases: {len(leaked)} reach "
                f"others, {len(unanswered)} that should be are not answered, {len(wrongly)} are that should not be")
        assert errs
    finally:
        w.close()


# --- theft --------------------------------------------------------------------------------------------------------------


def thefts(thief, victim):
    """All that a member can send to have another's traffic: under its own MAC, and under the other's. m1 is the dupe."""
    mac, theirs, n, dupe = MAC[thief], MAC[victim], OWN[victim], MACS[1]
    for src in (mac, theirs):
        yield from (
            wire.garp(src, ip4(n)),
            Ether(src=src, dst=wire.BROADCAST) / ARP(op=2, hwsrc=src, psrc=ip4(n), hwdst=wire.BROADCAST, pdst=ip4(n)),
            Ether(src=src, dst=dupe) / ARP(op=2, hwsrc=src, psrc=ip4(n), hwdst=dupe, pdst=ip4(1)),
            Ether(src=src, dst=wire.BROADCAST) / ARP(op=1, hwsrc=src, psrc=ip4(n), pdst=ip4(1)),
            Ether(src=src, dst=dupe) / ARP(op=1, hwsrc=src, psrc=ip4(n), pdst=ip4(1)),
            wire.neighbor_advertisement(src, ip6(n)),
            wire.neighbor_solicitation(src, ip6(n), ip6(1)),
            Ether(src=src, dst=dupe) / IPv6(src=ip6(n), dst=ip6(1), hlim=255) / ICMPv6ND_NS(tgt=ip6(1)) /
            ICMPv6NDOptSrcLLAddr(lladdr=src),
            Ether(src=src, dst=dupe) / IPv6(src=ip6(n), dst=ip6(1), hlim=255) / ICMPv6ND_NA(tgt=ip6(n), S=1, O=1) /
            ICMPv6NDOptDstLLAddr(lladdr=src),
            Ether(src=src, dst=dupe) / IP(src=ip4(n), dst=ip4(1)) / UDP(dport=9),
            Ether(src=src, dst=wire.BROADCAST, type=0x9000) / Raw(bytes(46)),
        )
    # The thief's frame, the victim's word.
    yield Ether(src=mac, dst=dupe) / ARP(op=2, hwsrc=theirs, psrc=ip4(OWN[thief]), hwdst=dupe, pdst=ip4(1))


@pytest.mark.parametrize("plane", PLANES)
def test_nothing_moves(scope, build, plane):
    """Neither the FDB, nor a binding, nor the cache of a neighbour that believes whatever it hears."""
    w = Quell(scope, build, **PLANES[plane])
    box, dupe = w.box, w.box.members[1]
    dupe.sysctl({"net.ipv6.conf.all.disable_ipv6": 0, "net.ipv6.conf.eth0.disable_ipv6": 0, "net.ipv4.neigh.eth0.locktime": 0,
                 "net.ipv4.conf.eth0.arp_accept": 1, "net.ipv6.conf.eth0.accept_untracked_na": 1})
    dupe.ip(f"addr add {ip4(1)}/21 dev eth0", f"addr add {ip6(1)}/64 dev eth0 nodad")
    known = {ip(OWN[n]): MAC[n] for n in (2, 3, "far") for ip in (ip4, ip6)}

    def believe():
        dupe.ip(*(f"neigh replace {ip} lladdr {mac} dev eth0 nud stale" for ip, mac in known.items()))

    def believed():
        rows = {e["dst"]: e.get("lladdr") for e in dupe.ip_json("neigh", "show", "dev", "eth0")}
        return {ip: rows.get(ip) for ip in known}

    def books():
        bindings = {b["ip"]: (b["mac"], b["where"], b["state"]) for b in box.show("bindings")["bindings"]}
        fdb = sorted((e["mac"], e["ifname"], e.get("dst", ""), sorted(e.get("flags", [])), e.get("state", ""))
                     for e in box.ns.bridge_json("fdb", "show"))
        return bindings, fdb

    try:
        believe()
        for frame in thefts(3, 2):
            if frame.src == MAC[3]:
                w.ports[3].send(frame)
        wait_until(lambda: set(believed()[ip(2)] for ip in (ip4, ip6)) == {MAC[3]}, 5, "without us, theft is that easy")
        w.start()
        believe()
        before = books()
        for thief, victim in ((3, 2), (3, "far"), (2, "far"), (2, 3)):
            for frame in thefts(thief, victim):
                w.ports[thief].send(frame)
            w.fence(thief)
            w.fence(1)
            assert believed() == known, f"{thief} has what is {victim}'s"

            if plane == "packet":  # there the bridge learns on an open port, and is put right
                wait_until(lambda: books() == before, 2, f"what {thief} took of {victim} is back")
            assert books() == before, f"{thief} has moved what is {victim}'s"
        lan = box.lan()
        assert lan["moves"] == lan["claims"] == 0
        assert box.answered(1, ip4(2)) == MACS[2] and box.answered(2, ip6(9)) == FAR
    finally:
        w.close()

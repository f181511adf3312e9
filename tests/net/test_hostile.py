"""What a member does who means harm, and what happens to the others and to the books: frames made to get around the
checks, faults of links and devices while the feed goes on."""
import socket
import threading
import time

import pytest
import wire
from agent_box import MACS, OTHER, Agent, entry, ip4, ip6
from conftest import wait_until
from lab.frr import FrrPE
from lab.quell import QuellPE, QuellRouteServer
from lab.topology import Lab
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN)
from scapy.layers.l2 import ARP, Ether
from test_agent import FAR, far_bind, far_mac

pytestmark = pytest.mark.needs("quell-agent")
PLANES = "bpf", "packet"


@pytest.fixture
def up(scope, build):
    """An agent that has had quelld's say: members 1 and 2 registered, 3 not."""
    a = Agent(scope, build)
    a.begin()
    yield a
    a.close()


def balanced(box):
    return [b["faults"] for b in box.show("ledger")["balance"] if not b["balanced"]]


def came_through(box, frame, sender, receiver):
    """Whether a frame of member `sender` arrives at member `receiver`."""
    raw = bytes(frame)
    with box.port(receiver) as there, box.port(sender) as here:
        here.send(raw)
        marker = bytes(Ether(src=MACS[sender], dst=MACS[receiver]) / IP(src=ip4(sender), dst=ip4(receiver)) / UDP(dport=99))
        here.send(marker)
        arrived = []
        assert there.await_frame(lambda f: f == marker or arrived.append(f), 5), "the marker did not arrive"
        # Where the agent itself sends it on, it may come behind one that the kernel forwards.
        return raw in arrived or there.await_frame(lambda f: f == raw, 0.2) is not None


# --- neighbour discovery in disguise -----------------------------------------------------------------------------


def lie(*before, hlim=255, kind=ICMPv6ND_NA):
    """Member 1 says to member 2's router that member 3's address is at its own MAC, behind extension headers."""
    p = Ether(src=MACS[1], dst=MACS[2]) / IPv6(src=ip6(1), dst=ip6(2), hlim=hlim)
    for h in before:
        p /= h
    return p / kind(tgt=ip6(3), R=1, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MACS[1])


LIES = {
    "plain": lie(),
    "hop-by-hop": lie(IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])),
    "destination options": lie(IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])),
    "two": lie(IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]), IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])),
    "many": lie(*[IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])] * 12),
    "long": lie(IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 250)])),
    "atomic fragment": lie(IPv6ExtHdrFragment(offset=0, m=0)),
    "first fragment": lie(IPv6ExtHdrFragment(offset=0, m=1)),
}


@pytest.mark.parametrize("how", LIES)
def test_no_advertisement_behind_extension_headers(up, how):
    assert not came_through(up, LIES[how], 1, 2)
    assert not balanced(up)


HONEST = {
    "echo": IPv6(src=ip6(1), dst=ip6(2), hlim=255) / ICMPv6EchoRequest(),
    "echo behind options": IPv6(src=ip6(1), dst=ip6(2), hlim=255) / IPv6ExtHdrDestOpt() / ICMPv6EchoRequest(),
    "first fragment of an echo": IPv6(src=ip6(1), dst=ip6(2), hlim=255) / IPv6ExtHdrFragment(m=1) /
    ICMPv6EchoRequest(data=b"x" * 800),
    "later fragment": IPv6(src=ip6(1), dst=ip6(2), hlim=255) / IPv6ExtHdrFragment(offset=100, nh=58) / (b"\x88" * 64),
    "of others, forwarded": IPv6(src="2001:db8:200::1", dst="2001:db8:300::1", hlim=254) / IPv6ExtHdrDestOpt() / TCP(),
    "tcp with ttl security": IPv6(src=ip6(1), dst=ip6(2), hlim=255) / TCP(dport=179),
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_packets_pass(up, what):
    assert came_through(up, Ether(src=MACS[1], dst=MACS[2]) / HONEST[what], 1, 2)
    assert not balanced(up)


# --- link-local addresses that nobody has registered --------------------------------------------------------------


def test_nobody_takes_the_link_local_made_from_anothers_mac(up):
    """Not even before its owner has said a word; what it was made from is registered."""
    theirs = "fe80::5eff:fe00:2"
    multicast = wire.neighbor_advertisement(MACS[1], theirs)
    unicast = (Ether(src=MACS[1], dst=MACS[2]) / IPv6(src=ip6(1), dst=ip6(2), hlim=255) / ICMPv6ND_NA(tgt=theirs, R=1, S=0, O=1) /
               ICMPv6NDOptDstLLAddr(lladdr=MACS[1]))
    with up.port(1) as p:
        p.send(multicast)
    assert not came_through(up, unicast, 1, 2)
    assert theirs not in up.rows("bindings", "ip")
    with up.port(2) as p:
        p.send(wire.neighbor_solicitation(MACS[2], theirs, ip6(1)))
        assert p.await_frame(wire.is_na(ip6(1), MACS[1]), 2)
        p.send(wire.neighbor_advertisement(MACS[2], theirs))
    wait_until(lambda: up.answered(1, theirs, 0.2) == MACS[2], 5, "it is its own")


# --- a port that learns, against what is registered elsewhere --------------------------------------------------------


def test_an_open_port_takes_nothing_that_is_registered_elsewhere(scope, build):
    """Neither the MAC (by a frame from it: mobility would move it here), nor the address in a neighbour's cache."""
    box = Agent(scope, build)
    there = entry(4, macs=[FAR]).replace("pe: 10.99.0.1", f"pe: {OTHER}")
    box.write(entry(1), entry(2), there)
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    for announced in (False, True):
        straw.say(*([far_mac(), far_bind(ip4(4)), far_bind(ip6(4))] if announced else []), {"op": "end"})
        wait_until(box.open, 10, "the ports are taken")
        wait_until(lambda: (box.where(ip4(4)) == OTHER) == announced, 5, "as announced")
        with box.port(3) as p:
            for _ in range(3):
                p.send(wire.garp(FAR, ip4(4)))
                p.send(Ether(src=FAR, dst=MACS[1]) / IP(src=ip4(4), dst=ip4(1)) / UDP(dport=9))
        lies = [Ether(src=MACS[3], dst=MACS[1]) / ARP(op=2, hwsrc=MACS[3], psrc=ip4(4), hwdst=MACS[1], pdst=ip4(1)),
                Ether(src=MACS[3], dst=MACS[1]) / IPv6(src=ip6(3), dst=ip6(1), hlim=255) /
                ICMPv6ND_NA(tgt=ip6(4), R=1, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MACS[3])]
        with box.port(3) as p:
            p.send(wire.garp(MACS[3], ip4(3)))  # what it may have
        wait_until(lambda: box.where(ip4(3)) == "port", 5, "it learns")
        for lie_ in lies if announced else []:
            assert not came_through(box, lie_, 3, 1)
        assert box.where(ip4(4)) == (OTHER if announced else None)
        assert box.lan()["moves"] == box.lan()["claims"] == 0
        assert not any(e["ifname"] == "swp3" for e in box.fdb(FAR))
        assert box.answered(1, ip4(4), 1 if announced else 0.3) == (FAR if announced else None)
    box.close()


# --- faults ----------------------------------------------------------------------------------------------------------


def test_traffic_to_a_port_that_is_down(up):
    up.members[2].ip("link set eth0 down")
    wait_until(lambda: up.rows("ports", "name")["swp2"]["state"] != "up", 5, "the port is seen down")
    frame = bytes(Ether(src=MACS[1], dst=MACS[2]) / IP(src=ip4(1), dst=ip4(2)) / UDP(dport=9))
    with up.port(1) as p:
        for _ in range(10):
            p.send(frame)
    wait_until(lambda: sum(n for n, _ in up.show("ledger", port="swp1")["ports"][0]["in"]["ipv4"].values()) == 10, 5, "counted")
    assert not balanced(up)
    up.members[2].ip("link set eth0 up")
    wait_until(lambda: up.rows("ports", "name")["swp2"]["state"] == "up", 5, "the port is seen up")
    wait_until(lambda: up.answered(2, ip4(1)) == MACS[1], 5, "answered")
    assert came_through(up, frame, 1, 2)
    assert not balanced(up)


def test_the_vxlan_device_is_made_anew_while_the_feed_goes_on(up):
    up.straw.say(far_mac(), far_bind(ip4(9)), {"op": "flood", "lan": "ixp", "vtep": OTHER})
    wait_until(lambda: any(e.get("dst") == OTHER for e in up.fdb(FAR)), 5, "the FDB has it")
    up.ns.ip("link del vx100")
    wait_until(lambda: "vx100" not in up.rows("ports", "name"), 5, "it is gone")
    second, vtep2 = "02:00:5e:00:0f:02", "10.99.0.4"
    up.straw.say(far_mac(second, vtep=vtep2), far_bind(ip4(10), second), {"op": "flood", "lan": "ixp", "vtep": vtep2})
    wait_until(lambda: up.where(ip4(10)), 5, "heard of meanwhile")
    up.ns.ip("link add vx100 type vxlan id 100 local 10.99.0.1 dstport 4789 nolearning",
             "link set vx100 master br100", "link set vx100 up")
    up.ns.bridge("link set dev vx100 learning off")
    wait_until(lambda: "vx100" in up.rows("ports", "name") and up.open(), 5, "it is a port again")
    for mac, vtep in ((FAR, OTHER), (second, vtep2)):
        wait_until(lambda: any(e.get("dst") == vtep for e in up.fdb(mac)) and
                   any(e.get("master") == "br100" for e in up.fdb(mac)), 10, f"the FDB has {mac}")
    wait_until(lambda: sorted(e["dst"] for e in up.fdb("00:00:00:00:00:00")) == [OTHER, vtep2], 10, "the flood list is whole")


@pytest.mark.only_bpf("the gate's table has an owner: nobody else can take it off, see test_plane_packet")
@pytest.mark.parametrize("what", ["qdisc del dev swp1 clsact", "filter del dev swp1 egress", "filter del dev vx100 ingress"])
def test_programs_that_somebody_takes_off_are_put_back(up, what):
    port = "vx100" if "vx100" in what else "swp1"

    def filters():
        return [up.ns.run("tc", "filter", "show", "dev", port, way).count("direct-action") for way in ("ingress", "egress")]
    assert filters() == [1, 1]
    up.ns.run("tc", *what.split())
    assert filters() != [1, 1]
    wait_until(lambda: filters() == [1, 1], 10, "they are back")
    wait_until(lambda: f"{port}: somebody took the data plane off" in up.process.said(), 5, "it is told")
    assert up.answered(1, ip4(2)) == MACS[2]


@pytest.mark.only_bpf("the packet plane does not look for what stands before its gate")
def test_a_filter_of_others_is_left_and_told_of(scope, build):
    box = Agent(scope, build)
    box.ns.run("tc", "qdisc", "add", "dev", "swp1", "clsact")
    box.ns.run("tc", "filter", "add", "dev", "swp1", "ingress", "prio", "1", "protocol", "all", "bpf", "bytecode", "1,6 0 0 0,")
    box.start("--withdraw")
    wait_until(box.open, 10, "the ports are taken")
    assert "swp1: a filter of others comes before ours" in box.process.said()
    assert box.answered(1, ip4(2)) == MACS[2], "that one lets all go on"
    assert box.process.stop() == 0
    left = box.ns.run("tc", "filter", "show", "dev", "swp1", "ingress")
    assert "pref 1 " in left and "direct-action" not in left


def test_a_port_goes_from_one_lan_to_the_other_and_back(scope, build):
    box = Agent(scope, build)
    box.ns.ip("link add vx200 type vxlan id 200 local 10.99.0.1 dstport 4789 nolearning",
              "link add br200 type bridge stp_state 0 mcast_snooping 0 forward_delay 0", "link set br200 up",
              "link set vx200 master br200", "link set vx200 up")
    box.write(entry(1), entry(2), more="  - name: other\n    vni: 200\n    prefixes: [198.18.0.0/21]\n"
              "    route-target: \"65000:200\"\n    agent: {bridge: br200, vxlan: vx200}\n")
    box.start()
    wait_until(lambda: all(lan["open"] for lan in box.show("status")["lans"]), 10, "the ports are taken")
    for bridge, lan in (("br200", "other"), ("br100", "ixp")) * 2:
        box.ns.ip(f"link set swp3 master {bridge}")

        def taken():
            row = box.rows("ports", "name").get("swp3")
            return row and row["lan"] == lan and row["attached"]
        wait_until(taken, 5, f"it is a port of {lan}")
        assert box.holds_back("swp3")


# --- floods ----------------------------------------------------------------------------------------------------------


def flood(box, n, seconds, frames):
    """Sends frames from member n as fast as python can; returns how many."""
    end, sent = time.monotonic() + seconds, 0
    with box.port(n) as p:
        while time.monotonic() < end:
            for f in frames:
                try:
                    p.socket.send(f)
                    sent += 1
                except OSError:
                    pass
    return sent


def cpu(process):
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def invented(i):
    return f"02:66:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"


@pytest.mark.only_bpf("rate: in the packet plane each of these frames comes up to the agent")
@pytest.mark.parametrize("n", [1, 3], ids=["closed", "open"])
@pytest.mark.parametrize("kind", ["arp", "unicast", "targets"])
def test_invented_macs_cost_the_agent_little(up, n, kind, figures):
    make = {
        "arp": lambda i: bytes(Ether(src=invented(i), dst=wire.BROADCAST) /
                               ARP(op=1, hwsrc=invented(i), psrc=f"198.18.{1 + (i >> 8) % 7}.{i & 255}", pdst=ip4(2))),
        "unicast": lambda i: bytes(Ether(src=invented(i), dst=MACS[2]) / IP(src=ip4(n), dst=ip4(2)) / UDP(dport=9)),
        "targets": lambda i: bytes(wire.who_has(MACS[n], ip4(n), f"198.18.{i >> 8 & 7}.{i & 255}")),
    }[kind]
    frames = [make(i) for i in range(20000)]
    before, fdb0, lines0 = cpu(up.process), len(up.ns.bridge_json("fdb", "show")), up.process.said().count("\n")
    sent = flood(up, n, 5, frames)
    used = cpu(up.process) - before
    rss = next(line for line in open(f"/proc/{up.process.pid}/status") if line.startswith("VmRSS")).split()[1]
    fdb = len(up.ns.bridge_json("fdb", "show")) - fdb0
    lan = up.lan()
    figures(f"invented {kind}, {'open' if n == 3 else 'closed'} port, {sent / 5:.0f} frames/s: agent {used / 5:.0%} CPU, RSS {rss} kB, "
            f"FDB +{fdb}, log +{up.process.said().count(chr(10)) - lines0} lines, {lan['macs_learned']} MACs learned")
    assert used / 5 < 0.5 and fdb <= 4096 + 8 and lan["macs_learned"] <= 4096 and lan["dynamic"] <= 4096
    up.straw.say(far_mac(), far_bind(ip4(9)))
    wait_until(lambda: up.where(ip4(9)) == OTHER, 5, "there is room for others")
    assert up.answered(1, ip4(2)) == MACS[2] and up.answered(1, ip4(9)) == FAR
    assert not balanced(up)


# --- large frames -----------------------------------------------------------------------------------------------------


def bulk(sender, receiver, address, octets):
    """Mbit/s of one TCP connection between two members."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with wire.inside(receiver.ns):
        listener = socket.create_server((address, 5001), family=family)
    with wire.inside(sender.ns):
        out = socket.socket(family)
    with listener, out:
        listener.settimeout(20)
        out.settimeout(20)
        start = time.monotonic()
        out.connect((address, 5001))
        into = listener.accept()[0]
        thread = threading.Thread(target=lambda: (out.sendall(b"x" * octets), out.shutdown(socket.SHUT_WR)))
        thread.start()
        with into:
            into.settimeout(20)
            got = 0
            while n := len(into.recv(1 << 20)):
                got += n
        thread.join()
        assert got == octets
        return got * 8 / (time.monotonic() - start) / 1e6


@pytest.mark.needs("frr", "quelld", "quell")
def test_bulk_transfers_pass(build, figures):
    """Segments of 64 KiB, as veth and vxlan hand them on; and large pings, which are fragments."""
    with Lab([QuellPE, QuellPE, FrrPE], QuellRouteServer, 2, 0, build=build) as lab:
        lab.raise_()
        wait_until(lab.converged, 30, "every binding everywhere")
        for a, b in (("m11", "m12"), ("m11", "m21"), ("m11", "m31"), ("m31", "m11")):
            a, b = lab.member(a), lab.member(b)
            rates = [bulk(a, b, address, 64 << 20) for address in (b.ip4, b.ip6)]
            for address in (b.ip4, b.ip6):
                assert " 0% packet loss" in a.ns.run("ping", "-nqc3", "-i0.2", "-W2", "-s4000", address)
            figures(f"{a.name} to {b.name}: {rates[0]:.0f} Mbit/s by IPv4, {rates[1]:.0f} by IPv6")
        for pe in lab.pes[:2]:
            assert all(balance["balanced"] for balance in pe.box.show("ledger")["balance"])

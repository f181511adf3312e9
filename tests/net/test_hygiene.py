"""The rules of a peering LAN, broken one by one by a member: what each does to the frame, to the ledger, to the alarms; dry run; and
ports in quarantine."""
import os
import subprocess
import time

import pytest
import wire
from agent_box import MACS, VTEP, Agent, entry, ip4, ip6
from conftest import wait_until
from scapy.layers.dhcp import BOOTP
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_RA, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

pytestmark = pytest.mark.needs("quell-agent", "quell")
PLANES = "bpf", "packet"
ONE, TWO = MACS[1], MACS[2]
BRIDGE = "02:00:5e:99:00:01"
STRANGER = "02:00:5e:00:0b:ad"
GROUP = "01:00:5e:01:01:01"


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build)
    yield a
    a.close()


def quell(box, *args, code=0):
    ran = subprocess.run([os.path.join(box.build, "quell"), *args, "--socket-dir", box.run_dir], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


# --- the rules -------------------------------------------------------------------------------------------------------


def llc(dst, payload, src=ONE):
    """An 802.3 frame: a length instead of a type."""
    return bytes.fromhex((dst + src).replace(":", "")) + len(payload).to_bytes(2, "big") + payload + bytes(46)


def snap(oui, pid):
    return bytes.fromhex("aaaa03" + oui + pid) + bytes(30)


def udp(dst, ip, port):
    return Ether(src=ONE, dst=dst) / IP(src=ip4(1), dst=ip) / UDP(sport=port, dport=port) / Raw(b"x" * 20)


# Rule, its place in the list that exchanges publish, a frame of member 1 that breaks it, the frame's class, what becomes of it,
# and where it goes when the rule is off: to member 2, answered, or to the box itself.
BROKEN = [
    ("ethernet-ii", 1, llc(wire.BROADCAST, b"\xe0\xe0\x03" + bytes(30)), "llc", "hygiene", "two"),
    ("ethertype", 2, Ether(src=ONE, dst=wire.BROADCAST, type=0x88b5) / Raw(b"x" * 46), "ethertype", "hygiene", "two"),
    ("source-mac", 3, Ether(src=STRANGER, dst=TWO) / IP(src=ip4(1), dst=ip4(2)) / UDP() / Raw(b"x" * 20), "ipv4",
     "spoof-mac", "two"),
    ("proxy-arp", 4, Ether(src=ONE, dst=TWO) / ARP(op=2, hwsrc=ONE, psrc=ip4(2), hwdst=TWO, pdst=ip4(9)), "arp-reply",
     "spoof-ip", "two"),
    ("multicast", 5, udp(GROUP, "239.1.1.1", 4000), "ipv4-multicast", "hygiene", "two"),
    ("stp", 6, llc("01:80:c2:00:00:00", b"\x42\x42\x03" + bytes(35)), "stp", "hygiene", "two"),
    ("discovery", 7, llc("01:00:0c:cc:cc:cc", snap("00000c", "2000")), "cdp", "hygiene", "two"),
    ("vtp", 8, llc("01:00:0c:cc:cc:cc", snap("00000c", "2003")), "vtp", "hygiene", "two"),
    ("routing", 9, Ether(src=ONE, dst="01:00:5e:00:00:05") / IP(src=ip4(1), dst="224.0.0.5", proto=89) / Raw(b"x" * 24), "ospf",
     "hygiene", "two"),
    ("dhcp", 10, Ether(src=ONE, dst=wire.BROADCAST) / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) /
     BOOTP(), "dhcp4", "hygiene", "two"),
    ("multicast-routing", 11, Ether(src=ONE, dst="01:00:5e:00:00:16") / IP(src=ip4(1), dst="224.0.0.22", proto=2) /
     Raw(b"\x22" + bytes(15)), "igmp", "hygiene", "two"),
    ("redirect", 12, Ether(src=ONE, dst=TWO) / IP(src=ip4(1), dst=ip4(2)) / ICMP(type=5, code=1, gw=ip4(1)) / Raw(b"x" * 28),
     "icmp-redirect", "hygiene", "two"),
    ("router-advertisement", 13, Ether(src=ONE, dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1", hlim=255) /
     ICMPv6ND_RA(), "ra", "hygiene", "two"),
    ("keepalive", 14, Ether(src=ONE, dst=wire.BROADCAST, type=0x9000) / Raw(b"x" * 46), "loop-test", "hygiene", "two"),
    ("broadcast", 15, udp(wire.BROADCAST, "198.18.7.255", 4000), "ipv4-broadcast", "hygiene", "two"),
    ("assigned-address", 17, wire.who_has(ONE, ip4(9), ip4(2)), "arp-request", "spoof-ip", "answered"),
    ("sender", None, Ether(src=ONE, dst=wire.BROADCAST) / ARP(op=1, hwsrc=STRANGER, psrc=ip4(1), pdst=ip4(2)), "arp-request",
     "sender-mismatch", "two"),
    ("malformed", None, Ether(src=ONE, dst=wire.BROADCAST) / ARP(op=9, hwsrc=ONE, psrc=ip4(1), pdst=ip4(2)), "arp-bad",
     "malformed", "two"),
    ("loop", None, Ether(src=BRIDGE, dst=TWO) / IP(src=ip4(1), dst=ip4(2)) / UDP() / Raw(b"x" * 20), "ipv4", "loop", "two"),
    ("vxlan", None, Ether(src=ONE, dst=BRIDGE) / IP(src=ip4(1), dst=VTEP) / UDP(dport=4789) / Raw(b"x" * 30), "ipv4", "vxlan",
     "box"),
]
RULES = [row[0] for row in BROKEN]
# Of these the data plane tells whatever the action, since somebody is taking another's place.
TOLD = {"source-mac", "proxy-arp", "assigned-address", "loop"}


def octets(frame):
    return bytes(frame).ljust(60, b"\0")


def counted(box, port="swp1"):
    """{(direction, class, outcome): frames} of a port, with what would have been as (direction, class, "would:" outcome)."""
    row = box.show("ledger", port=port)["ports"][0]
    seen = {}
    for mark, books in (("", row), ("would:", row.get("would", {}))):
        for way in ("in", "out"):
            for cls, outcomes in books.get(way, {}).items():
                for outcome, n in outcomes.items():
                    seen[way, cls, mark + outcome] = n[0]
    return seen


def news(before, after):
    return {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)}


def settled(box, action):
    """The rules are what the file says, and the bridge's knobs are as they need."""
    knobs = {"off": "true", "count": "true"}.get(action, "false") == "true"

    def met():
        links = {link["ifname"]: link for link in box.ns.bridge_json("-d", "link")}
        return all(links[p]["mcast_flood"] is knobs and links[p]["bcast_flood"] is knobs for p in ("swp1", "swp2", "vx100"))
    wait_until(met, 5, "the bridge is told")


def all_rules(action):
    return "{" + ", ".join(f"{r}: \"{action}\"" for r in RULES) + "}"


def try_rule(box, one, two, row, want, comes):
    """Sends it; None if the ledger has of it what is wanted, and it came to member 2, or did not; else what is wrong."""
    rule, _, frame, cls, *_ = row
    before, wanted = counted(box), octets(frame)
    one.send(wanted)
    came = two.await_frame(lambda f: f[:42] == wanted[:42], 1 if comes else 0.15) is not None

    def ledger():
        return {k[2]: n for k, n in news(before, counted(box)).items() if k[:2] == ("in", cls)}
    end = time.monotonic() + 2
    while ledger() != want and time.monotonic() < end:
        time.sleep(0.05)
    return None if (ledger(), came) == (want, comes) else f"{rule}: {ledger()}, came: {came}; expected {want}, {comes}"


def alarms_of(box, port="swp1"):
    return {(a["rule"], a["class"], a["would"]) for a in box.show("alarms")["alarms"] if a["port"] == port and a["rule"]}


@pytest.mark.parametrize("action", ["drop", "alarm", "count", "off"])
def test_each_rule_does_what_it_is_told(box, action):
    box.write(entry(1), entry(2), rules=all_rules(action))
    box.begin()
    settled(box, action)
    wrong = []
    with box.port(1) as one, box.port(2) as two:
        for row in BROKEN:
            _, _, frame, _, outcome, where = row
            passes = {"two": "forwarded" if octets(frame)[0] & 1 == 0 else "flooded", "answered": "answered", "box": "local"}[where]
            if action in ("drop", "alarm"):
                want, comes = {outcome: 1}, False
            else:
                want, comes = {passes: 1}, where == "two"
            if action == "count":
                want[f"would:{outcome}"] = 1
            wrong.append(try_rule(box, one, two, row, want, comes))
    assert not any(wrong), "\n".join(filter(None, wrong))
    told = alarms_of(box)
    if action == "alarm":
        assert {r for r, _, _ in told} == set(RULES), told
        assert {(r, c, False) for r, _, _, c, _, _ in BROKEN if r not in TOLD} <= told
    else:
        assert {r for r, _, _ in told} <= TOLD, told
        assert action == "off" or {r for r, _, _ in told} == TOLD
        assert all(would is (action != "drop") for _, _, would in told), told
    # Only on that port, and by nobody else.
    for port in ("swp2", "swp3"):
        strange = {k for k in counted(box, port) if k[0] == "in"}
        assert not strange, (port, strange)


def test_the_numbers_are_those_of_the_list():
    assert [n for _, n, *_ in BROKEN if n] == [*range(1, 16), 17]


def test_rules_of_a_port_come_before_those_of_the_lan(box):
    """Counted on port 1, dropped on port 2, off on port 3 that learns; changed in place."""
    settings = ("      port-settings:\n        - {ports: [swp1], rules: {discovery: count}}\n"
                "        - {ports: [swp3], rules: {discovery: \"off\"}}\n")
    box.write(entry(1), entry(2), more=settings)
    box.begin()
    settled(box, "count")

    def tried(n, to, want, comes):
        frame = llc("01:00:0c:cc:cc:cc", snap("00000c", "2000"), MACS[n])
        with box.port(n) as a, box.port(to) as b:
            before = counted(box, f"swp{n}")
            a.send(frame)
            assert (b.await_frame(lambda f: f[:12] == frame[:12], 0.5) is not None) == comes
            wait_until(lambda: {k[2]: v for k, v in news(before, counted(box, f"swp{n}")).items() if k[1] == "cdp"} == want, 3,
                       f"{want} of port {n}")
    tried(1, 2, {"flooded": 1, "would:hygiene": 1}, True)
    tried(2, 1, {"hygiene": 1}, False)
    tried(3, 1, {"flooded": 1}, True)
    rules = {r["name"]: r["rules"] for r in box.show("ports")["ports"]}
    assert (rules["swp1"], rules["swp2"], rules["swp3"]) == ({"discovery": "count"}, {}, {"discovery": "off"})
    box.write(entry(1), entry(2), rules="{discovery: alarm}", more=settings)
    said = quell(box, "reload")
    assert "~ agent ixp rules.discovery drop -> alarm (in place)\nquell-agent: 1 change done" in said
    tried(2, 1, {"hygiene": 1}, False)
    wait_until(lambda: ("discovery", "cdp", False) in alarms_of(box, "swp2"), 5, "the alarm")
    tried(1, 2, {"flooded": 1, "would:hygiene": 1}, True)


# --- dry run -------------------------------------------------------------------------------------------------------------


def dress(box, *members):
    for n in members:
        box.members[n].ip(f"addr add {ip4(n)}/21 dev eth0")


def pings(box, n, to):
    return subprocess.run(["ip", "netns", "exec", box.members[n].name, "ping", "-c1", "-W1", ip4(to)],
                          capture_output=True).returncode == 0


def forget(box, *members):
    for n in members:
        box.members[n].ip("neigh flush dev eth0")


def test_dry_run_does_nothing_and_counts_all(box):
    """The bridge is as it was found, members reach each other although the registry has them wrong, and each rule is counted."""
    box.write(entry(1, macs=[MACS[2]]), entry(2, macs=[MACS[1]]), **{"dry-run": "true", "rules": all_rules("alarm")})
    before = box.traces()[0]
    box.begin()
    assert box.traces()[0] == before
    dress(box, 1, 2)
    assert pings(box, 1, 2) and pings(box, 2, 1)
    assert not any("sticky" in e.get("flags", []) for m in (1, 2) for e in box.fdb(MACS[m]))
    box.write(entry(1), entry(2), **{"dry-run": "true", "rules": all_rules("alarm")})
    assert "done" in quell(box, "reload")
    wrong = []
    with box.port(1) as one, box.port(2) as two:
        for row in BROKEN:
            outcome, where = row[4:]
            # Not answered either: it goes to all.
            wrong.append(try_rule(box, one, two, row, {"would": 1, f"would:{outcome}": 1}, where != "box"))
    assert not any(wrong), "\n".join(filter(None, wrong))
    assert {r for r, _, _ in alarms_of(box)} == set(RULES) and all(would for _, _, would in alarms_of(box))
    assert box.traces()[0] == before
    assert box.rows("ports", "name")["swp1"]["dry_run"]
    forget(box, 1, 2)
    assert pings(box, 1, 2)


def test_one_port_in_dry_run(box):
    """What comes in there is let go, to ports that are not; what comes in elsewhere is not; and back out of it, in place."""
    dry = "      port-settings: [{ports: [swp1], dry-run: true}]\n"
    found = {link["ifname"]: link for link in box.ns.bridge_json("-d", "link")}["swp1"]
    box.write(entry(1), entry(2), more=dry)
    box.begin()
    lldp = {n: Ether(src=MACS[n], dst="01:00:0c:cc:cc:cc", type=0x88cc) / Raw(b"x" * 46) for n in (1, 2)}

    def comes(n, to):
        with box.port(n) as a, box.port(to) as b:
            a.send(lldp[n])
            return b.await_frame(lambda f: f[6:14] == octets(lldp[n])[6:14], 0.5) is not None
    wait_until(lambda: comes(1, 2), 5, "what comes in there is let go")
    assert not comes(2, 1)
    now = {link["ifname"]: link for link in box.ns.bridge_json("-d", "link")}
    assert now["swp1"] == found and now["swp2"]["locked"] and not now["swp2"]["learning"]
    dress(box, 1, 2)
    assert pings(box, 1, 2) and pings(box, 2, 1)
    box.write(entry(1), entry(2))
    assert "~ port ixp swp1 dry-run true -> false" in quell(box, "reload")
    wait_until(lambda: not comes(1, 2), 5, "and is not any more")
    wait_until(lambda: any("sticky" in e.get("flags", []) for e in box.fdb(ONE)), 5, "it has its entry")
    forget(box, 1, 2)
    assert pings(box, 1, 2)
    box.write(entry(1), entry(2), more=dry)
    quell(box, "reload")
    wait_until(lambda: comes(1, 2), 5, "and again")
    wait_until(lambda: {link["ifname"]: link for link in box.ns.bridge_json("-d", "link")}["swp1"] == found, 5, "as it was found")


def in_quarantine(box, port):
    return box.rows("ports", "name")[port]["quarantine"]


# --- quarantine ----------------------------------------------------------------------------------------------------


def test_the_operator_puts_a_port_into_quarantine(box):
    box.begin()
    assert box.answered(1, ip4(2)) == MACS[2]
    assert quell(box, "quarantine", "add", "swp2") == "swp2: in quarantine, by operator\n"
    assert in_quarantine(box, "swp2") == ["operator"]
    # Nobody is answered for it, nor is it; and its addresses are withdrawn.
    assert box.answered(1, ip4(2), 0.5) is None and box.answered(2, ip4(1), 0.5) is None
    box.straw.until(op="del", ip=ip4(2))
    # It outlives the agent.
    box.kill()
    box.begin()
    assert in_quarantine(box, "swp2") == ["operator"]
    assert box.answered(1, ip4(2), 0.5) is None
    assert quell(box, "quarantine", "del", "swp2") == "swp2: let out\n"
    assert box.answered(1, ip4(2)) == MACS[2] and box.answered(2, ip4(1)) == MACS[1]
    assert "no such member port" in quell(box, "quarantine", "add", "swp9", code=1)
    assert "no such member port" in quell(box, "quarantine", "add", "vx100", code=1)


def test_a_port_that_learns_is_forgotten_in_quarantine(box):
    box.begin()
    with box.port(3) as three:
        three.send(wire.garp(MACS[3], ip4(3)))
        box.straw.until(op="add", ip=ip4(3))
        assert box.answered(1, ip4(3)) == MACS[3]
        quell(box, "quarantine", "add", "swp3")
        box.straw.until(op="del", ip=ip4(3))
        assert box.answered(1, ip4(3), 0.5) is None
        quell(box, "quarantine", "del", "swp3")

        def heard():
            three.send(wire.garp(MACS[3], ip4(3)))
            return box.where(ip4(3))

        wait_until(heard, 10, "it is learned again")  # the same is told once a second


def test_what_the_configuration_has_in_quarantine_the_operator_does_not_let_out(box):
    box.write(entry(1), entry(2, status="quarantine"), more="      port-settings: [{ports: [swp1], quarantine: true}]\n")
    box.begin()
    assert in_quarantine(box, "swp1") == ["configuration"] and in_quarantine(box, "swp2") == ["registry"]
    assert box.answered(1, ip4(2), 0.5) is None
    quell(box, "quarantine", "add", "swp1")
    said = quell(box, "quarantine", "del", "swp1", code=1)
    assert said == "swp1: let out, but still in quarantine, by configuration\n"


def test_too_many_violations(box):
    """The third of source-mac within a minute; other rules do not count; after two seconds it is let out."""
    box.write(entry(1), entry(2), quarantine="{violations: 3, rules: [source-mac], release: 2}")
    box.begin()
    with box.port(1) as one:
        for n in range(20):
            one.send(wire.who_has(ONE, ip4(9), ip4(2)))  # assigned-address
        for n in range(2):
            one.send(Ether(src=f"02:00:5e:00:0c:{n:02x}", dst=TWO) / IP(src=ip4(1), dst=ip4(2)) / UDP())
        wait_until(lambda: len([a for a in box.show("alarms")["alarms"] if a["rule"] == "source-mac"]) == 2, 5, "two alarms")
        assert in_quarantine(box, "swp1") == []
        one.send(Ether(src="02:00:5e:00:0c:99", dst=TWO) / IP(src=ip4(1), dst=ip4(2)) / UDP())
        wait_until(lambda: in_quarantine(box, "swp1") == ["rules"], 5, "quarantine")
    assert box.answered(2, ip4(1), 0.3) is None
    assert any(a["what"].startswith("put into quarantine") and a["port"] == "swp1" for a in box.show("alarms")["alarms"])
    wait_until(lambda: in_quarantine(box, "swp1") == [], 10, "released")
    wait_until(lambda: box.answered(2, ip4(1)) == ONE, 5, "answered again")

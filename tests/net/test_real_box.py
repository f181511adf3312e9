"""The life of a real box: ports that come and go, change their names, MACs and MTUs, bonds, others who put their programs on our ports or
take ours off, tables that fill up, and more news from the kernel than can be heard."""
import subprocess
import time

import pytest
import wire
from agent_box import MACS, OTHER, VTEP, Agent, entry, ip4
from conftest import wait_until
from lab.netns import LabError
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

pytestmark = pytest.mark.needs("quell-agent", "quell")


@pytest.fixture
def up(scope, build):
    a = Agent(scope, build)
    a.begin()
    yield a
    a.close()


def member(box, n, port):
    """A new member on a new port."""
    m = box.members[n] = box.scope.netns(f"m{n}")
    m.sysctl({"net.ipv6.conf.default.disable_ipv6": 1, "net.ipv6.conf.all.disable_ipv6": 1})
    box.scope.veth(box.ns, port, m, "eth0")
    m.ip(f"link set eth0 address {MACS.setdefault(n, f'02:00:5e:00:01:{n:02x}')}", "link set eth0 up")
    box.plug(port)
    return m


def alarms(box, what):
    return [a for a in box.show("alarms")["alarms"] if what in a["what"]]


def ports(box):
    return {p["name"] for p in box.show("ports")["ports"]}


def learns(box, n):
    with box.port(n) as p:
        p.send(wire.garp(MACS[n], ip4(n)))
    return box.answered(1, ip4(n), 0.3) == MACS[n]


# --- ports -------------------------------------------------------------------------------------------------------------


def test_ports_appear_vanish_and_are_renamed(up):
    for n in range(4, 8):
        member(up, n, f"new{n}")
    wait_until(lambda: {f"new{n}" for n in range(4, 8)} <= ports(up) and up.open(), 5, "taken")
    for n in range(4, 8):
        wait_until(lambda n=n: learns(up, n), 5, "learned")
    up.ns.ip("link del new4", "link set new5 nomaster", "link set new6 down", "link set new6 name other6", "link set other6 up")
    wait_until(lambda: "new4" not in ports(up) and "new5" not in ports(up) and "other6" in ports(up), 5, "told")
    wait_until(lambda: up.answered(1, ip4(4), 0.3) is None and up.answered(1, ip4(5), 0.3) is None, 5, "forgotten")
    assert up.answered(1, ip4(7)) == MACS[7] and up.answered(1, ip4(2)) == MACS[2]
    wait_until(lambda: learns(up, 6), 5, "under its new name")
    up.ns.ip("link set new5 master br100")
    wait_until(lambda: "new5" in ports(up) and up.open(), 5, "back")
    wait_until(lambda: learns(up, 5), 5, "learned again")
    # The row of who left is somebody else's, and nobody has lost anything.
    member(up, 8, "new8")
    wait_until(lambda: "new8" in ports(up) and up.open(), 5, "one more")
    wait_until(lambda: learns(up, 8), 5, "and it is learned")
    assert up.answered(1, ip4(2)) == MACS[2] and up.answered(2, ip4(1)) == MACS[1]


def test_a_renamed_port_is_who_the_registry_has_under_that_name(up):
    up.ns.ip("link set swp2 down", "link set swp2 name swp9", "link set swp9 up")
    wait_until(lambda: "swp9" in ports(up), 5, "renamed")
    wait_until(lambda: up.answered(1, ip4(2), 0.3) is None, 5, "nobody's")
    up.ns.ip("link set swp9 down", "link set swp9 name swp2", "link set swp2 up")
    wait_until(lambda: up.answered(1, ip4(2), 0.3) == MACS[2], 5, "as before")


def test_fifty_ports_in_one_breath(up):
    lines = []
    for n in range(50):
        lines += [f"link add p{n} type veth peer name q{n}", f"link set p{n} master br100 up", f"link set q{n} up"]
    up.ns.ip(*lines)
    wait_until(lambda: {f"p{n}" for n in range(50)} <= ports(up) and up.open(), 10, "taken")
    up.ns.ip(*[f"link del p{n}" for n in range(50)])
    wait_until(lambda: ports(up) == {"swp1", "swp2", "swp3", "vx100"}, 10, "gone")
    assert up.answered(1, ip4(2)) == MACS[2]
    assert up.show("status")["netlink"]["fdb_pending"] == 0


def test_a_port_changes_its_mac_and_mtu_and_goes_down(up):
    up.ns.ip("link set swp2 address 02:00:5e:77:00:02", "link set swp2 mtu 9000", "link set swp1 mtu 1400")
    assert up.answered(1, ip4(2)) == MACS[2] and up.answered(2, ip4(1)) == MACS[1]
    up.ns.ip("link set swp2 down")
    up.straw.until(op="del", mac=MACS[2], ip=ip4(2))
    assert up.answered(1, ip4(2), 0.5) is None
    up.ns.ip("link set swp2 up")
    wait_until(lambda: up.answered(1, ip4(2), 0.3) == MACS[2], 5, "up again")
    up.straw.until(op="add", mac=MACS[2], ip=ip4(2))
    # The bridge's own MAC is who a member must not be.
    up.ns.ip("link set br100 address 02:00:5e:99:00:77")
    wait_until(lambda: up.rows("macs", "mac").get("02:00:5e:99:00:77", {}).get("where") == "self", 5, "the bridge's MAC")
    assert up.answered(1, ip4(2)) == MACS[2]


def test_a_bond_is_a_port(up):
    m = up.scope.netns("m9")
    for i in "12":
        up.scope.veth(up.ns, f"s{i}", m, f"t{i}")
    for ns, bond, slave in (up.ns, "bond9", "s"), (m, "eth0", "t"):
        try:
            ns.ip(f"link add {bond} type bond mode active-backup miimon 100")
        except LabError:
            pytest.skip("no bonding in this kernel")
        ns.ip(*[f"link set {slave}{i} down" for i in "12"], *[f"link set {slave}{i} master {bond}" for i in "12"],
              f"link set {bond} up")
    MACS[9] = "02:00:5e:00:01:09"
    up.members[9] = m
    m.ip(f"link set eth0 address {MACS[9]}")
    up.ns.ip("link set bond9 master br100")
    wait_until(lambda: "bond9" in ports(up) and up.open(), 5, "taken")
    wait_until(lambda: learns(up, 9), 5, "learned")
    assert "s1" not in ports(up)
    up.ns.ip("link set s1 down")
    wait_until(lambda: up.answered(9, ip4(1), 0.3) == MACS[1], 5, "by the other link")
    # A link that joins the bridge by itself while it is in a bond cannot be; one that leaves the bond is nobody's port.
    up.ns.ip("link set s2 nomaster")
    assert "s2" not in ports(up)


# --- others ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["qdisc del dev swp1 clsact", "filter del dev swp1 ingress"])
def test_programs_that_somebody_took_off(up, what):
    time.sleep(0.1)
    up.ns.run("tc", *what.split())
    start = time.monotonic()
    wait_until(lambda: alarms(up, "somebody took the data plane off"), 5, "noticed within 5 s")
    assert up.answered(1, ip4(2)) == MACS[2], time.monotonic() - start
    assert alarms(up, "somebody took")[0]["port"] == "swp1"


def test_a_program_of_others_before_ours(up):
    up.ns.run("tc", "filter", "add", "dev", "swp2", "ingress", "prio", "1", "bpf", "bytecode", "1,6 0 0 0,")
    wait_until(lambda: alarms(up, "comes before ours"), 5, "noticed within 5 s")
    assert alarms(up, "comes before ours")[0]["port"] == "swp2"
    other, source = up.scope.dir / "pass.o", up.scope.dir / "pass.c"
    source.write_text('__attribute__((section("xdp"), used)) int other(void *x) { return 2; }\n')
    subprocess.run(["clang", "-target", "bpf", "-O2", "-c", source, "-o", other], check=True)
    up.ns.ip(f"link set swp1 xdpgeneric obj {other} sec xdp")
    wait_until(lambda: {a["port"] for a in alarms(up, "comes before ours")} == {"swp1", "swp2"}, 5, "XDP, too")
    assert up.answered(1, ip4(2)) == MACS[2]


def test_knobs_and_entries_that_somebody_changed(up):
    up.ns.bridge("link set dev swp1 learning on flood on", f"fdb del {MACS[2]} dev swp2 master")

    def put_back():
        link = {k["ifname"]: k for k in up.ns.bridge_json("-d", "link")}["swp1"]
        return not link["learning"] and not link["flood"] and any("sticky" in e.get("flags", []) for e in up.fdb(MACS[2]))
    wait_until(put_back, 5, "put back within 5 s")


def test_an_underlay_port_lets_in_who_is_in_the_fabric(scope, build):
    """Judged once quelld has said who that is; the interface may go and come."""
    box, core = Agent(scope, build), scope.netns("core")
    try:
        scope.veth(box.ns, "up0", core, "eth0")
        box.ns.ip("link set up0 up")
        core.ip("link set eth0 up")
        box.write(entry(1), entry(2), underlay="[up0]")
        straw = box.feed()
        box.start()
        straw.accept().snapshot()
        straw.say({"op": "flood", "lan": "ixp", "vtep": OTHER})
        assert not box.rows("ports", "name")["up0"]["attached"]
        straw.say({"op": "end"})

        def judged(src, vni):
            """{outcome: frames} that one VXLAN packet made."""
            def seen():
                return box.show("ledger", port="up0")["ports"][0]["in"].get("ipv4", {})
            mac = box.ns.ip_json("link", "show", "up0")[0]["address"]
            before = seen()
            with wire.Port(core) as p:
                p.send(Ether(src="02:00:00:00:00:01", dst=mac) / IP(src=src, dst=VTEP) / UDP(sport=5555, dport=4789) /
                       Raw(bytes([8, 0, 0, 0]) + vni.to_bytes(3, "big") + bytes(61)))
            wait_until(lambda: seen() != before, 3, "counted")
            return [k for k, n in seen().items() if n != before.get(k)]
        wait_until(lambda: box.rows("ports", "name")["up0"]["attached"], 5, "taken")
        assert judged(OTHER, 100) == ["forwarded"] and judged("10.99.0.66", 100) == ["unknown-vtep"]
        assert judged(OTHER, 7) == ["foreign-vni"]
        straw.say({"op": "flood-del", "lan": "ixp", "vtep": OTHER})
        wait_until(lambda: judged(OTHER, 100) == ["unknown-vtep"], 5, "gone from the fabric")
        box.ns.ip("link del up0")
        wait_until(lambda: not box.rows("ports", "name")["up0"]["attached"], 5, "gone")
        scope.veth(box.ns, "up0", core, "eth0")
        box.ns.ip("link set up0 up")
        core.ip("link set eth0 up")
        wait_until(lambda: box.rows("ports", "name")["up0"]["attached"], 5, "back")
        assert judged("10.99.0.66", 100) == ["unknown-vtep"]
    finally:
        box.close()


# --- limits ----------------------------------------------------------------------------------------------------------------


def test_a_full_table_is_alarmed(scope, build):
    """What does not fit is counted and told; what was there first is answered."""
    box = Agent(scope, build, **{"max-bindings": 16})
    try:
        straw = box.feed()
        box.start()
        straw.accept().snapshot()
        for n in range(40):
            mac = f"02:00:5e:00:0f:{n:02x}"
            straw.say({"op": "mac", "lan": "ixp", "mac": mac, "vtep": OTHER, "seq": 0, "sticky": False, "stale": False},
                      {"op": "bind", "lan": "ixp", "ip": f"198.18.1.{n}", "mac": mac, "vtep": OTHER, "router": True,
                       "override": True, "immutable": True, "stale": False})
        straw.say({"op": "end"})
        wait_until(box.open, 10, "the ports are taken")
        wait_until(lambda: alarms(box, "full"), 5, "the alarm")
        assert box.lan()["full"] > 0 and box.answered(1, ip4(2)) == MACS[2]
    finally:
        box.close()


def test_more_news_than_can_be_heard(up, figures):
    """20 000 events of the forwarding table in one breath, and with them one of ours is taken out: all is right again in two seconds."""
    file = up.scope.dir / "batch"
    file.write_text("".join(f"fdb add 02:10:00:{n >> 16:02x}:{n >> 8 & 255:02x}:{n & 255:02x} dev swp3 master static\n"
                            for n in range(20000)))
    up.ns.run("bridge", "-batch", str(file))
    start = time.monotonic()
    up.ns.ip("link set swp3 nomaster")  # with all its entries
    up.ns.bridge(f"fdb del {MACS[2]} dev swp2 master")
    end = time.monotonic()

    def right():
        n = up.show("status")["netlink"]
        return (n["synced"] and n["fdb_pending"] == 0 and "swp3" not in ports(up) and
                any("sticky" in e.get("flags", []) for e in fdb_of(up, MACS[2])))
    wait_until(right, 5, "right again")
    took = time.monotonic() - end
    figures(f"20000 FDB events in {end - start:.2f} s: right again {took:.2f} s later, "
            f"{up.show('status')['netlink']['overruns']} overruns")
    assert took < 2
    assert up.answered(1, ip4(2)) == MACS[2]
    up.plug("swp3")
    wait_until(lambda: learns(up, 3), 5, "the port is back")


def fdb_of(box, mac):
    """One entry, without all the others."""
    return [e for e in box.ns.bridge_json("fdb", "show", "brport", "swp2") if e["mac"] == mac]


def test_it_has_a_filter_for_system_calls(up):
    status = open(f"/proc/{up.show('status')['pid']}/status", encoding="ascii").read()
    assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status
    # And what needs files, sockets and BPF works behind it.
    up.write(entry(1), entry(2), entry(3), **{"dry-run": "true"})
    assert up.ask(b'{"do":"reload"}')["applied"]
    member(up, 4, "late4")
    wait_until(lambda: "late4" in ports(up) and up.open(), 5, "a port that comes later")
    assert up.ask(b'{"do":"quarantine","port":"swp1","on":true}')["quarantine"] == ["operator"]
    assert (up.dir / "quarantine.json").exists()
    assert "EPERM" not in up.process.said() and "not permitted" not in up.process.said()

"""A file that changes under a quell-agent that goes on: what its ports do with frames is taken in place, the rest is
refused whole."""
import os
import signal
import subprocess

import pytest
import wire
from agent_box import MACS, OTHER, Agent, entry, ip4, ip6
from conftest import wait_until

pytestmark = pytest.mark.needs("quell-agent", "quell")
PLANES = "bpf", "packet"
FREE = "198.18.0.200"  # nobody's


@pytest.fixture
def up(scope, build):
    a = Agent(scope, build)
    a.begin()
    yield a
    a.close()


def reload(box, *args, code=0):
    ran = subprocess.run([os.path.join(box.build, "quell"), "reload", "--socket-dir", box.run_dir, *args],
                         capture_output=True, text=True, timeout=30)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def is_flooded(box, timeout=0.5):
    """Whether a request for nobody's address, from member 1, reaches member 2."""
    with box.port(1) as one, box.port(2) as two:
        one.send(wire.who_has(MACS[1], ip4(1), FREE))
        return two.await_frame(lambda f: f[12:14] == b"\x08\x06" and FREE_OCTETS in f, timeout) is not None


FREE_OCTETS = bytes(int(x) for x in FREE.split("."))


def test_what_ports_do_changes_in_place(up):
    assert not is_flooded(up)
    up.write(entry(1), entry(2), **{"unknown-target": "flood", "ns-option": "reply"})
    want = ["~ agent ixp unknown-target drop -> flood (in place)", "~ agent ixp ns-option discard -> reply (in place)"]
    assert reload(up, "--dry-run").splitlines() == [*want, "quell-agent: 2 changes, not done: only looked at"]
    assert not is_flooded(up)
    assert reload(up).splitlines() == [*want, "quell-agent: 2 changes done"]
    wait_until(lambda: is_flooded(up), 5, "the unknown is flooded")
    assert up.answered(1, ip4(2)) == MACS[2]
    up.write(entry(1), entry(2))
    up.process.signal(signal.SIGHUP)
    wait_until(lambda: not is_flooded(up), 5, "and not any more")
    assert up.answered(1, ip4(2)) == MACS[2]
    assert reload(up) == "quell-agent: nothing has changed\n"


def test_what_needs_a_restart_is_refused_whole(up):
    up.write(entry(1), entry(2), **{"unknown-target": "flood", "max-bindings": 999})
    said = reload(up, code=1)
    assert "~ agent ixp max-bindings 16384 -> 999 (needs a restart)" in said and "nothing was changed" in said, said
    assert not is_flooded(up)
    up.config.write_text("router-id: x\n")
    said = reload(up, code=1)
    assert "quell.yaml:1:" in said, said
    assert up.answered(1, ip4(2)) == MACS[2]


def test_the_registry_changes_in_place(up):
    """Members come and go, change their MAC, are put into quarantine; two change places. Nobody else notices."""
    new = "02:00:5e:00:00:22"
    up.write(entry(1), entry(2, macs=[new]), entry(3))
    want = [f"~ registry ixp swp2 at 10.99.0.1 AS64502 macs [{MACS[2]}] -> [{new}] (in place)",
            f"+ registry ixp swp3 at 10.99.0.1 AS64503 macs [{MACS[3]}] addresses [{ip4(3)}, {ip6(3)}] name Member 3 (in place)"]
    assert reload(up, "--dry-run").splitlines() == [*want, "quell-agent: 2 changes, not done: only looked at"]
    assert up.answered(1, ip4(2)) == MACS[2] and up.answered(1, ip4(3), 0.3) is None
    assert reload(up).splitlines() == [*want, "quell-agent: 2 changes done"]
    up.straw.until(op="add", mac=new, ip=ip4(2))
    wait_until(lambda: up.answered(1, ip4(2)) == new, 5, "the new MAC")
    assert up.answered(1, ip4(3)) == MACS[3] and up.answered(1, ip6(3)) == MACS[3]
    wait_until(lambda: up.fdb(new) and not up.fdb(MACS[2]), 5, "the forwarding table")
    # 1 and 3 change places.
    up.write(entry(1, port="swp3"), entry(2, macs=[new]), entry(3, port="swp1"))
    said = reload(up)
    assert "- registry ixp swp1 at 10.99.0.1 AS64501" in said and "+ registry ixp swp1 at 10.99.0.1 AS64503" in said, said
    ports = up.rows("ports", "name")
    assert ports["swp1"]["macs"] == [MACS[3]] and ports["swp3"]["macs"] == [MACS[1]]
    assert up.rows("bindings", "ip")[ip4(1)]["port"] == "swp3" and up.rows("macs", "mac")[MACS[3]]["port"] == "swp1"
    wait_until(lambda: [e["ifname"] for e in up.fdb(MACS[1]) if "sticky" in e.get("flags", [])] == ["swp3"], 5, "and the table")
    up.write(entry(1), entry(2, macs=[new], status="quarantine"))
    said = reload(up)
    assert "swp2 at 10.99.0.1 AS64502 status active -> quarantine" in said, said
    wait_until(lambda: up.answered(1, ip4(2), 0.3) is None, 5, "in quarantine")
    assert reload(up) == "quell-agent: nothing has changed\n"
    assert up.show("status")["netlink"]["fdb_pending"] == 0


def test_a_bad_registry_changes_nothing(up):
    up.write(entry(1), entry(2), entry(3), **{"unknown-target": "flood"})
    up.registry.write_text(up.registry.read_text().replace(ip4(3), "203.0.113.3"))
    said = reload(up, code=1)
    assert "registry.yaml:26:16: members[2].ports[0].ipv4[0]: '203.0.113.3': outside the LAN's prefixes" in said, said
    assert not is_flooded(up) and up.answered(1, ip4(2)) == MACS[2] and up.answered(1, ip4(3), 0.3) is None


def test_ports_and_prefixes_change_in_place(up):
    """swp3 learns; it leaves the list of ports and comes back; its address is outside of the prefixes, and is in them again."""
    with up.port(3) as three:
        def learned():
            three.send(wire.garp(MACS[3], ip4(3)))
            return up.answered(1, ip4(3), 0.3) == MACS[3]
        wait_until(learned, 5, "learned")
        up.write(entry(1), entry(2), ports="[swp1, swp2]")
        assert "~ agent ixp ports all -> [swp1, swp2] (in place)" in reload(up)
        assert set(up.rows("ports", "name")) == {"swp1", "swp2", "vx100"}
        assert up.answered(1, ip4(3), 0.3) is None and up.answered(1, ip4(2)) == MACS[2]
        wait_until(lambda: [k["learning"] for k in up.ns.bridge_json("-d", "link") if k["ifname"] == "swp3"] == [True], 5,
                   "the port is given back")
        up.write(entry(1), entry(2))
        reload(up)
        wait_until(up.open, 5, "taken")
        wait_until(learned, 5, "learned again")
        text = up.config.read_text()
        up.config.write_text(text.replace("198.18.0.0/21", "198.18.0.0/31, 198.18.0.2/32"))
        assert "lan ixp prefixes" in reload(up)
        wait_until(lambda: up.answered(1, ip4(3), 0.3) is None, 5, "forgotten")
        assert up.answered(1, ip4(2)) == MACS[2]
        up.config.write_text(text)
        reload(up)
        wait_until(learned, 5, "learned once more")


def test_what_is_behind_other_pes_stays(up):
    up.straw.say({"op": "flood", "lan": "ixp", "vtep": OTHER},
                 {"op": "mac", "lan": "ixp", "mac": "02:00:5e:00:0f:01", "vtep": OTHER, "seq": 0, "sticky": False, "stale": False},
                 {"op": "bind", "lan": "ixp", "ip": ip4(9), "mac": "02:00:5e:00:0f:01", "vtep": OTHER, "router": True,
                  "override": True, "immutable": True, "stale": False})
    wait_until(lambda: up.where(ip4(9)) == OTHER, 5, "the binding is in")
    up.write(entry(1), entry(3), **{"age-time": 600, "announce": "{rate: 7}", "duplicate-ip": "{action: alarm}",
                                    "dead-members": "{policy: answer}", "na-without-override": "ignore"})
    said = reload(up)
    for key in ("age-time 1200 -> 600", "refresh 400 -> 200", "announce.rate 100 -> 7", "duplicate-ip.action freeze -> alarm",
                "dead-members.policy silent -> answer", "na-without-override new -> ignore"):
        assert f"~ agent ixp {key} (in place)" in said, said
    assert up.answered(1, ip4(9)) == "02:00:5e:00:0f:01" and up.answered(3, ip4(1)) == MACS[1]
    assert any(e.get("dst") == OTHER for e in up.fdb("02:00:5e:00:0f:01"))


def test_the_sponges_mac_stays_a_trap(up):
    """It is that of dead members, too; that these are not sponged any more leaves it the sponge's."""
    def trap():
        return up.rows("macs", "mac").get("02:71:75:00:00:64", {}).get("where")

    for policy in ("sponge", "silent"):
        up.write(entry(1), entry(2), **{"unknown-target": "sponge", "dead-members": f"{{policy: {policy}}}"})
        reload(up)
        assert trap() == "trap", policy

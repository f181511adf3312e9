"""What else the registry says, at the ports of an agent: MACs that are being replaced, addresses that are nobody's, ports that are
shut."""
import time

import pytest
import wire
from agent_box import MACS, VTEP, Agent, entry, ip4, ip6
from conftest import wait_until
from test_agent_reload import reload
from test_sponge import SPONGE

pytestmark = pytest.mark.needs("quell-agent", "quell")
NEW = "02:00:5e:00:00:22"
SWAP = 5
FREE = {4: ip4(77), 6: ip6(77)}


def swapped(n=2, new=NEW, former=(MACS[2],), **kw):
    return entry(n, macs=[new], **kw) + (f"        former-macs: [{', '.join(former)}]\n" if former else "")


@pytest.fixture
def box(scope, build):
    a = Agent(scope, build)
    yield a
    a.close()


def spoofed(box, port="swp2"):
    rows = box.show("ledger", port=port)["ports"][0]["in"]
    return sum(outcomes.get("spoof-mac", [0])[0] for outcomes in rows.values())


def former(box, port="swp2"):
    return {f["mac"]: f for f in box.rows("ports", "name")[port]["former_macs"]}


def test_a_router_is_swapped(box):
    """The registry names the new MAC and the old one as a former: the old one is answered for until the new one is heard, is let
    in as long as it sends, and is nobody's when it has been silent."""
    box.write(entry(1), entry(2), **{"mac-swap": SWAP})
    box.begin()
    with box.port(2) as two:
        two.send(wire.garp(MACS[2], ip4(2)))
        wait_until(lambda: box.answered(1, ip4(2)) == MACS[2], 5)
        box.write(entry(1), swapped(), **{"mac-swap": SWAP})
        assert "former" in reload(box)
        assert box.answered(1, ip4(2)) == MACS[2] and box.answered(1, ip6(2)) == MACS[2]
        assert "former-mac" in box.rows("bindings", "ip")[ip4(2)]["flags"]
        assert sorted(box.rows("ports", "name")["swp2"]["macs"]) == sorted([MACS[2], NEW])
        # The first frame of the new one, whatever it is.
        two.send(wire.who_has(NEW, ip4(2), ip4(1)))
        box.straw.until(op="add", mac=NEW, ip=ip4(2))
        wait_until(lambda: box.answered(1, ip4(2)) == NEW and box.answered(1, ip6(2)) == NEW, 5, "the new one has it")
        assert "former-mac" not in box.rows("bindings", "ip")[ip4(2)]["flags"]
        # The old one still sends, says it has the address, and is let in; but it does not get it back.
        end = time.monotonic() + 2 * SWAP
        while time.monotonic() < end:
            two.send(wire.garp(MACS[2], ip4(2)))
            two.send(wire.who_has(MACS[2], ip4(2), ip4(1)))
            assert two.await_frame(wire.is_arp_reply(ip4(1)), 1), "it is answered"
            assert not former(box)[MACS[2]]["silent"]
            time.sleep(0.5)
        assert box.answered(1, ip4(2)) == NEW and spoofed(box) == 0
        assert 0 < former(box)[MACS[2]]["left_s"] <= SWAP
        # Silence.
        wait_until(lambda: former(box)[MACS[2]]["silent"], 3 * SWAP, "the old one is silent")
        assert box.rows("ports", "name")["swp2"]["macs"] == [NEW]
        assert f"{MACS[2]}, a former MAC of AS64502, has been silent for {SWAP} seconds" in box.process.said()
        box.straw.until(op="del", mac=MACS[2])
        wait_until(lambda: not box.fdb(MACS[2]), 5, "nor is it in the forwarding table")
        two.send(wire.garp(MACS[2], ip4(2)))
        wait_until(lambda: spoofed(box) == 1, 5, "it is nobody's")
        assert box.answered(1, ip4(2)) == NEW
        # Another member's change does not bring it back; one of this port's does.
        box.write(entry(1), swapped(), entry(3), **{"mac-swap": SWAP})
        assert "swp3" in reload(box)
        assert former(box)[MACS[2]]["silent"]
        box.write(entry(1), swapped(former=(MACS[2], "02:00:5e:00:00:23")), **{"mac-swap": SWAP})
        reload(box)
        assert not any(f["silent"] for f in former(box).values())
        two.send(wire.garp(MACS[2], ip4(2)))
        wait_until(lambda: "absorbed" in box.show("ledger", port="swp2")["ports"][0]["in"]["arp-gratuitous"], 5)
        assert spoofed(box) == 1


def test_the_clock_stands_still_while_nobody_can_be_heard(box):
    """A port that is down, or in quarantine: the old router may come back."""
    box.write(entry(1), swapped(), entry(3, macs=[MACS[3]]) + "        former-macs: ['02:00:5e:00:00:33']\n",
              **{"mac-swap": SWAP})
    box.begin()
    box.members[2].ip("link set eth0 down")
    wait_until(lambda: former(box, "swp3")["02:00:5e:00:00:33"]["silent"], 3 * SWAP, "the other port's is silent")
    assert not former(box)[MACS[2]]["silent"]
    box.members[2].ip("link set eth0 up")
    with box.port(2) as two:
        def is_back():
            two.send(wire.garp(MACS[2], ip4(2)))
            return box.answered(1, ip4(2), 0.3) == MACS[2]
        wait_until(is_back, SWAP - 1, "the old one is back")


def test_never(box):
    box.write(entry(1), swapped(), **{"mac-swap": SWAP})
    box.begin()
    wait_until(lambda: former(box)[MACS[2]]["silent"], 3 * SWAP, "silent")
    box.write(entry(1), swapped(), **{"mac-swap": "never"})
    assert "mac-swap 5 -> never (in place)" in reload(box)
    assert former(box)[MACS[2]] == {"mac": MACS[2], "silent": False, "left_s": None}
    with box.port(2) as two:
        two.send(wire.garp(MACS[2], ip4(2)))
        wait_until(lambda: box.answered(1, ip4(2)) == MACS[2], 5, "good as long as the registry has it")


def unassigned(*addresses):
    return "unassigned: [" + ", ".join(f'"{a}"' for a in addresses) + "]\n"


def states(box):
    return {r["ip"]: r["state"] for r in box.show("sponge", all=True)["sponge"] if r["unassigned"]}


@pytest.mark.parametrize("family", [4, 6])
def test_the_unassigned_are_sponged_from_the_start(box, family):
    """Without proof, and while the sponge only listens; whoever comes all the same is answered for at once; and a reload takes
    over another list."""
    target = FREE[family]
    options = {"unknown-target": "sponge", "sponge": "{learn: 3600}"}
    box.write(entry(1), entry(2), unassigned(*FREE.values()), **options)
    box.begin()
    assert states(box) == {a: "static" for a in FREE.values()}
    assert box.answered(1, target) == SPONGE
    # Somebody has it after all, at a port that learns.
    with box.port(3) as three:
        frame = wire.garp(MACS[3], target) if family == 4 else wire.neighbor_advertisement(MACS[3], target)

        def owned():
            three.send(frame)
            return box.answered(1, target, 0.3) == MACS[3]
        wait_until(owned, 10, "it is his")
    row = next(r for r in box.show("sponge", all=True)["sponge"] if r["ip"] == target)
    assert row["state"] == "static" and not row["answered"]
    # Another list.
    other = ip4(78)
    box.write(entry(1), entry(2), unassigned(other), **options)
    assert "unassigned" in reload(box)
    assert states(box) == {other: "static"} and box.answered(1, other) == SPONGE
    assert box.answered(1, FREE[10 - family], 0.3) is None
    # Without a sponge nothing is answered for.
    box.write(entry(1), entry(2), unassigned(other), **{**options, "unknown-target": "drop"})
    reload(box)
    assert not states(box) and box.answered(1, other, 0.3) is None


def test_the_operator_and_the_list(box, build):
    import subprocess
    target = FREE[4]
    options = {"unknown-target": "sponge"}
    quell = [f"{build}/quell", "--socket-dir", box.run_dir, "sponge"]
    box.write(entry(1), entry(2), unassigned(target), **options)
    box.begin()
    said = subprocess.run([*quell, "del", target], capture_output=True, text=True)
    assert said.returncode == 1 and "the registry has that address as unassigned" in said.stderr
    subprocess.run([*quell, "add", target], check=True)
    box.write(entry(1), entry(2), **options)
    reload(box)
    assert box.answered(1, target) == SPONGE  # his word stands
    subprocess.run([*quell, "del", target], check=True)
    assert box.answered(1, target, 0.3) is None
    # Over a restart the file has his word, and the registry its own.
    box.write(entry(1), entry(2), unassigned(target, ip4(78)), **options)
    reload(box)
    subprocess.run([*quell, "add", target], check=True)
    box.kill()
    box.write(entry(1), entry(2), unassigned(ip4(79)), **options)
    box.feed()
    box.start()
    wait_until(lambda: box.answered(1, ip4(79), 0.3) == SPONGE, 10, "the new list")
    assert states(box) == {ip4(79): "static"}
    assert box.answered(1, ip4(78), 0.3) is None


@pytest.mark.parametrize("status", ["quarantine", "disabled"])
def test_a_port_that_is_shut(box, status):
    """Nothing in, nothing out, nobody told of it; and a reload opens it."""
    box.write(entry(1), entry(2, status=status))
    box.straw = box.feed()
    box.start()
    assert {mac for mac, _ in box.straw.accept().snapshot()} == {MACS[1]}
    box.straw.say({"op": "end"})
    wait_until(box.open, 10, "the ports are taken")
    port = box.rows("ports", "name")["swp2"]
    assert port["status"] == status and port["quarantine"] == ["registry"] and port["member"] == "AS64502 Member 2"
    assert box.answered(2, ip4(1), 0.3) is None and box.answered(1, ip4(2), 0.3) is None
    assert set(box.show("ledger", port="swp2")["ports"][0]["in"]["arp-request"]) == {"quarantine"}
    box.write(entry(1), entry(2))
    said = reload(box)
    assert f"swp2 at {VTEP} AS64502 status {status} -> active" in said, said
    assert box.straw.until(op="add", mac=MACS[2], ip=ip4(2))
    wait_until(lambda: box.answered(1, ip4(2), 0.3) == MACS[2], 5, "open")
    box.write(entry(1), entry(2, status=status))
    reload(box)
    assert box.straw.until(op="del", mac=MACS[2], ip=ip4(2))
    wait_until(lambda: box.answered(1, ip4(2), 0.3) is None, 5, "shut")

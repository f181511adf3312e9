"""What only the packet plane has: a gate, a table of nftables with an owner. What it does as the BPF plane does is tested with both
(plane_box.py; modules that name their PLANES), and the verdicts in check_frames.c."""
import pytest
import test_agent
from test_agent import box, up  # noqa: F401  (fixtures)

PLANES = ("packet",)
pytestmark = pytest.mark.needs("quell-agent")


def gate(a):
    return a.ns.run("nft", "list", "ruleset")


def test_the_gate_is_there_and_goes(box):  # noqa: F811
    straw = box.feed()
    box.start()
    straw.accept().snapshot()
    straw.say({"op": "end"})
    test_agent.wait_until(box.open, 10, "the ports are taken")
    assert box.show("status")["plane"] == "packet" and "swp1" in gate(box) and "vx100" in gate(box)
    box.kill()
    test_agent.wait_until(lambda: "quell" not in gate(box), 5, "the kernel takes it away with its owner")
    box.start()
    straw.accept().snapshot()
    straw.say({"op": "end"})
    test_agent.wait_until(box.open, 10, "the ports are taken again")
    assert "swp1" in gate(box)
    assert box.process.stop() == 0
    assert "quell" not in gate(box)


def test_somebody_takes_the_gate(up):  # noqa: F811
    """A table with an owner is nobody else's to delete."""
    with pytest.raises(Exception):
        up.ns.run("nft", "delete", "table", "netdev", "quell")
    assert up.answered(1, test_agent.ip4(2)) == test_agent.MACS[2]

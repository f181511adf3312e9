"""The packet plane under the tests of the agent: the same box, the same members, the same questions as with the BPF plane. Left
out is what only that one promises (it outlives its process, has programs that can be taken off) and what is about rate. The
frames themselves go through both planes in check_frames.c."""
import shutil

import pytest
import test_agent
import test_hostile
from test_agent import box, up  # noqa: F401  (fixtures)

ONLY_BPF = {
    "test_killed_and_started_on_another_registry", "test_stopped_it_goes_on_answering", "test_accelerated_or_not",
    "test_programs_that_somebody_takes_off_are_put_back", "test_a_filter_of_others_is_left_and_told_of",
    "test_a_port_goes_from_one_lan_to_the_other_and_back", "test_invented_macs_cost_the_agent_little",
    "test_ten_thousand_bindings", "test_withdrawn_nothing_is_left", "test_an_end_before_the_hello_sweeps_nothing",
}
pytestmark = [pytest.mark.needs("quell-agent"),
              pytest.mark.skipif(not shutil.which("nft"), reason="no nft here to see the gate with")]


@pytest.fixture(autouse=True)
def packet(monkeypatch):
    monkeypatch.setenv("QUELL_TEST_PLANE", "packet")


for module in test_agent, test_hostile:
    for name, what in vars(module).items():
        if name.startswith("test_") and callable(what) and name not in ONLY_BPF:
            globals()[name] = what


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

"""SIGKILLs and in-place upgrades under 10 000 requests a second: no request for a registered member goes unanswered, and no answer
names a wrong MAC. Each kill comes when it comes, in the middle of a start as well as at rest.

QUELL_KILLS and QUELL_UPGRADES: how many (20 and 5); 200 and 50 take five minutes.
"""
import json
import os
import random
import shutil
import signal
import time

import pytest
from agent_box import MACS, Agent, entry, ip4, ip6
from conftest import wait_until
from lab.netns import LabError

pytestmark = pytest.mark.needs("quell-agent", "lab/flood")
KILLS, UPGRADES = int(os.environ.get("QUELL_KILLS", 20)), int(os.environ.get("QUELL_UPGRADES", 5))
REQUESTS = 10_000


class Asker:
    """Member `n` asks for registered neighbours at a steady rate, by ARP and NS in turn."""

    def __init__(self, box, n, neighbors, rate=REQUESTS, seconds=3600):
        path = box.scope.dir / f"neighbors-{n}"
        path.write_text("".join(f"{MACS[m]} {ip4(m)} {ip6(m)}\n" for m in neighbors))
        self.process = box.members[n].spawn("ask", [
            os.path.join(box.build, "lab/flood"), "--iface", "eth0", "--mac", MACS[n], "--ip4", ip4(n), "--ip6", ip6(n),
            "--neighbors", path, "--mode", "arp-rate", "--rate", rate, "--seconds", seconds])

    def stop(self):
        self.process.signal(signal.SIGTERM)
        if self.process.wait(60):
            raise LabError(self.process.said())
        return json.loads(self.process.said())


@pytest.mark.parametrize("accelerate", ["off", "xdp"])
def test_no_request_goes_unanswered(scope, build, accelerate, figures):
    box = Agent(scope, build)
    box.write(entry(1), entry(2), entry(3), **{"unregistered-ports": "closed", "accelerate": accelerate})
    box.start()
    wait_until(box.open, 30, "the ports are taken")
    asker = Asker(box, 1, (2, 3))
    rng, began, adopted = random.Random(accelerate), time.monotonic(), 0
    kills, upgrades = -(-KILLS // 2), -(-UPGRADES // 2)
    deeds = ["kill"] * kills + ["upgrade"] * upgrades
    rng.shuffle(deeds)
    for n, deed in enumerate(deeds):
        if deed == "kill":
            box.kill()
            box.start(up=False)
            time.sleep(rng.uniform(0, 1))  # in the middle of its start, more often than not
            assert box.process.alive(), box.process.said()
        else:
            wait_until(lambda: box.show("status"), 30, "it has started")
            assert box.process.stop() == 0
            new = scope.dir / f"quell-agent-{n}"
            shutil.copy(os.path.join(build, "quell-agent"), new)
            box.scope.forget(box.process)
            box.started += 1
            box.process = box.ns.spawn(f"agent{box.started}", [new, "-c", box.config, "-d", "info"])
            wait_until(lambda: box.show("status"), 30, "the new one has started")
            adopted += box.show("status")["adopted"]
            new.unlink()
    wait_until(lambda: box.show("status") and box.open(), 30, "the last one has all ports")
    got = asker.stop()
    took = time.monotonic() - began
    figures(f"{kills} SIGKILLs, {upgrades} upgrades, accelerate {accelerate}: {got['asked']} requests ({got['asked'] / took:.0f}/s), "
            f"{got['unanswered']} unanswered, p99 {got['p99_ms']} ms, longest {got['worst_ms']} ms")
    assert got["unanswered"] == 0 and got["lost"] == 0
    assert adopted == upgrades and box.show("status")["adopted"]
    assert got["asked"] > 0.5 * REQUESTS * took
    assert box.answered(1, ip4(2)) == MACS[2] and box.answered(1, ip6(3)) == MACS[3]
    assert not [b["faults"] for b in box.show("ledger")["balance"] if not b["balanced"]]
    box.close()

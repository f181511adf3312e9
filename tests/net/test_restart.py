"""Planned restarts of a quelld, `systemctl restart` as it were, while bindings come and go: no agent hears of the loss of
one that stays, and what changed meanwhile is known afterwards."""
import threading
import time

import pytest
from conftest import wait_until
from test_quelld_feed import Agent, add, fabric, mac  # noqa: F401  (fabric is a fixture)

pytestmark = pytest.mark.needs("quelld")
STEADY = range(1, 301)
CHANGING = range(400, 440)
RESTARTS = 3


def ip(i):
    return f"198.18.{i >> 8}.{i & 255}"


class Listener(threading.Thread):
    """Keeps what the other side's quelld tells its agent."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.known, self.gone, self.over = agent, {}, [], False
        self.start()

    def run(self):
        while not self.over:
            try:
                line = self.agent.line(0.5)
            except (TimeoutError, OSError):
                continue
            if line is None:
                return
            if line["op"] == "bind":
                self.known[line["ip"]] = line
            elif line["op"] == "bind-del":
                self.known.pop(line["ip"], None)
                self.gone.append(line["ip"])

    def close(self):
        self.over = True
        self.join()


class Churn(threading.Thread):
    """Bindings that come and go behind the first PE."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.has, self.over = agent, set(), False
        self.start()

    def run(self):
        i = 0
        while not self.over:
            n = CHANGING[i % len(CHANGING)]
            if n in self.has:
                self.has.discard(n)
                self.agent.say({"op": "del", "lan": "ixp", "mac": mac(n), "ip": ip(n)})
            else:
                self.has.add(n)
                self.agent.say(add(n))
            i += 7
            time.sleep(0.002)

    def close(self):
        self.over = True
        self.join()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_route_server_is_restarted_under_load(fabric, figures, how):  # noqa: F811
    rs, one, two = fabric
    a, b = Agent(one, [add(i) for i in STEADY]), Agent(two)
    heard = Listener(b)
    wait_until(lambda: len(heard.known) == len(STEADY), 10, "the other agent knows them")
    churn = Churn(a)
    away = []
    for _ in range(RESTARTS):
        time.sleep(0.3)
        start = time.monotonic()
        getattr(rs.process, how)()
        rs.start()
        wait_until(lambda: rs.established("10.99.0.2", "10.99.0.3"), 20, "the sessions are back")
        away.append(time.monotonic() - start)
        # All of it again, and nothing kept from before.
        wait_until(lambda: all(n["routes_stale"] == 0 for q in (one, two) for n in q.show("neighbors")["neighbors"]), 20,
                   "nothing is stale any more")
    churn.close()
    want = {ip(i) for i in (*STEADY, *churn.has)}
    wait_until(lambda: set(heard.known) == want, 10, "both sides agree")
    heard.close()
    lost = {x for x in heard.gone} & {ip(i) for i in STEADY}
    figures(f"{RESTARTS} restarts ({how}) of the route server under load: sessions back after {max(away):.1f} s at most, "
            f"{len(lost)} of {len(STEADY)} steady bindings lost")
    assert not lost


def test_a_pe_is_restarted(fabric):  # noqa: F811
    """quelld of one PE, with its agent, which comes back and tells its part again: nobody else notices."""
    rs, one, two = fabric
    a, b = Agent(one, [add(i) for i in STEADY]), Agent(two)
    heard = Listener(b)
    wait_until(lambda: len(heard.known) == len(STEADY), 10)
    assert one.process.stop() == 0
    one.start()
    a = Agent(one, [add(i) for i in STEADY[:-1]])
    wait_until(lambda: ip(STEADY[-1]) not in heard.known, 20, "the one that was not named again is gone")
    wait_until(lambda: not any(line["stale"] for line in heard.known.values()), 10, "the rest is fresh")
    heard.close()
    assert heard.gone == [ip(STEADY[-1])]
    a.close()

"""The fixtures are those of tests/net; what is added here is an exchange of one quelld and peers of all makes."""
import importlib.util
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
NET = HERE.parent / "net"
sys.path.insert(0, str(NET))
_spec = importlib.util.spec_from_file_location("net_conftest", NET / "conftest.py")
_net = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("net_conftest", _net)
_spec.loader.exec_module(_net)

from net_conftest import (build, capture, figures, nothing_left, pytest_collection_modifyitems,  # noqa: E402,F401
                          pytest_configure, pytest_terminal_summary, scope, wait_until)
from bgp_peer import NOTIFICATION, UPDATE, Peer  # noqa: E402
from evpn_wire import Table  # noqa: E402
from lab.frr import Frr  # noqa: E402
from peers import RS, ExaBgp, GoBgp  # noqa: E402
from quelld_box import Quelld, inside  # noqa: E402

FRR, EXABGP, GOBGP, ONE, TWO = "10.99.0.200", "10.99.0.6", "10.99.0.5", "10.99.0.3", "10.99.0.4"


class Hearer(Peer):
    """A hand-made peer that keeps a table of what it was told, and the UPDATEs that were about routes."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.table, self.updates = Table(), []

    def hear(self, until=None, timeout=10):
        """Takes what is there, and with `until` goes on until it is true."""
        def step():
            while True:
                try:
                    got = self.receive(0 if until is None else 0.05)
                except TimeoutError:
                    return
                assert got and got[0] != NOTIFICATION, f"session ended: {got}"
                if got[0] == UPDATE and self.table.take(got[1]):
                    self.updates.append(got[1])
        step()
        if until:
            wait_until(lambda: step() or until(), timeout, "what was expected of quelld", every=0)
        return self.table.routes


class Exchange:
    """quelld in one namespace, peers of other makes in the other; hand-made peers call from quelld's own."""

    def __init__(self, scope, build):
        self.scope, self.build = scope, build
        self.rs, self.pe = scope.netns("rs"), scope.netns("pe")
        scope.veth(self.rs, "up0", self.pe, "up0")
        self.rs.ip(*(f"addr add {a}/24 dev up0" for a in (RS, ONE, TWO)), "link set up0 up")
        self.pe.ip(*(f"addr add {a}/24 dev up0" for a in (GOBGP, EXABGP, FRR)), "link set up0 up")
        # Whom quelld calls: with FRR there, all addresses of its namespace are FRR's.
        self.quelld, self.calls, self.closers = None, set(), []

    def raise_quelld(self, more=None, sanity="false"):
        """`more`: keys of one neighbour by its address, beyond what all have. Without sanity everything legal is relayed."""
        lines = ""
        for address in (ONE, TWO, GOBGP, EXABGP, FRR):
            keys = {"client": "true", "passive": str(address not in self.calls).lower(), "connect-retry": 1,
                    **({"profile": "conservative"} if address == FRR else {}),
                    **(more or {}).get(address, {})}
            lines += f"    - {{address: {address}, " + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}\n"
        self.quelld = Quelld(self.scope, self.rs, self.build, f"""router-id: {RS}
bgp:
  as: 65000
  defer-time: 1
  listen: [{RS}]
  import: {{sanity: {sanity}}}
  neighbors:
{lines}""").start()
        return self.quelld

    def peer(self, address=ONE, **kw):
        with inside(self.rs):
            p = Hearer(RS, address, **kw).establish()
        self.closers.append(p.close)
        return p

    def gobgp(self, *options, **kw):
        return GoBgp(self.scope, self.pe, GOBGP, **kw).start(*options)

    def exabgp(self, **kw):
        e = ExaBgp(self.scope, self.pe, EXABGP, **kw).start()
        self.closers.append(e.close)
        return e

    def frr(self, config):
        f = Frr(self.scope, self.pe, config)
        f.start()
        return f

    def up(self, *addresses, timeout=20):
        wait_until(lambda: self.quelld.established(*addresses), timeout, f"{addresses} are up")

    def close(self):
        for c in self.closers:
            c()


@pytest.fixture
def exchange(scope, build):
    e = Exchange(scope, build)
    yield e
    e.close()

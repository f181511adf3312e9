"""The reflectors under test, each alone in a namespace, set up the way its best users do: every session a passive
route-reflector client with EVPN and nothing else."""
import os
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests" / "net")]

from lab import frr  # noqa: E402
from quelld_box import Quelld  # noqa: E402

AS, ADDRESS = 65000, "10.98.0.1"
TICKS = os.sysconf("SC_CLK_TCK")


class Reflector:
    """Something that start() starts and whose process is then `pid`."""

    def __init__(self, scope, ns, clients, build):
        self.scope, self.ns, self.clients, self.build = scope, ns, clients, build

    script = ["resend", "join", "probe 200", "churn 5", "withdraw", "load", "lose", "reconnect"]

    def status(self, key):
        """Octets, from /proc/PID/status: VmRSS, VmHWM."""
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024

    def cpu(self):
        """Seconds of all its threads, user and system."""
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


class Frr(Reflector):
    name, title = "frr", "FRR"
    available = staticmethod(frr.available)

    def start(self):
        lines = ["frr defaults traditional", "hostname rr", f"router bgp {AS}", f" bgp router-id {ADDRESS}",
                 " no bgp default ipv4-unicast", " coalesce-time 0", " neighbor CLIENTS peer-group",
                 f" neighbor CLIENTS remote-as {AS}", " neighbor CLIENTS passive"]
        lines += [f" neighbor {c} peer-group CLIENTS" for c in self.clients]
        lines += [" address-family l2vpn evpn", "  neighbor CLIENTS activate", "  neighbor CLIENTS route-reflector-client",
                  " exit-address-family", "exit"]
        made = frr.Frr(self.scope, self.ns, "\n".join(lines) + "\n")
        made.start()
        self.pid = made.processes[-1].pid


class GoBgp(Reflector):
    name, title = "gobgp", "GoBGP"
    # It never catches up with the churn.
    script = [word for word in Reflector.script if not word.startswith("churn")]

    @staticmethod
    def available():
        return None if os.access("/usr/bin/gobgpd", os.X_OK) else "no gobgpd"

    def start(self):
        text = f"[global.config]\nas = {AS}\nrouter-id = \"{ADDRESS}\"\nport = 179\n"
        for c in self.clients:
            text += (f"[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{c}\"\npeer-as = {AS}\n"
                     "[neighbors.transport.config]\npassive-mode = true\n"
                     "[neighbors.route-reflector.config]\nroute-reflector-client = true\n"
                     f"route-reflector-cluster-id = \"{ADDRESS}\"\n"
                     "[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"l2vpn-evpn\"\n")
        path = self.scope.dir / "gobgpd.toml"
        path.write_text(text)
        self.pid = self.ns.spawn("gobgpd", ["/usr/bin/gobgpd", "-f", path, "--log-level", "warn"]).pid


class Quell(Reflector):
    name, title = "quell", "quelld"

    @staticmethod
    def available():
        return None

    def start(self):
        text = f"router-id: {ADDRESS}\nbgp:\n  as: {AS}\n  listen: [{ADDRESS}]\n  neighbors:\n"
        text += "".join(f"    - {{address: {c}, client: true, passive: true}}\n" for c in self.clients)
        self.pid = Quelld(self.scope, self.ns, self.build, text).start().process.pid

"""What `quell audit` makes of a run of the lab: captures at the members' side of every port of the first two PEs, plain bridge against
quell, as one HTML file. The same frames are counted by `count`, which writes the captures, and by the audit, which reads them: the
report's numbers are those of the lab's table, or the run fails.
"""
import json
import pathlib
import shutil
import subprocess
import tempfile

from lab.netns import LabError
from lab.quell import registry_text
from lab.topology import LAN4, LAN6

BEFORE, AFTER = "bridge", "quell"
PES = 2  # the third one is FRR's in the last set-up: its ports are not quell's to make quiet


class Captures:
    """The captures of one run, in a directory that goes when the report is made."""

    def __init__(self, set_ups):
        self.wanted = BEFORE in set_ups and AFTER in set_ups
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="quell-captures-"))
        self.counts = {}  # set-up, port: what count counted

    @staticmethod
    def _port(m):
        return f"{m.port}@{m.pe.vtep}"

    def path(self, set_up, m):
        """Where the capture at this member goes; None: there is none."""
        if not self.wanted or set_up not in (BEFORE, AFTER) or m.pe.number > PES:
            return None
        (self.dir / set_up).mkdir(exist_ok=True)
        (self.dir / "members.yaml").write_text(registry_text(m.pe.lab.everyone))
        return self.dir / set_up / f"{self._port(m)}.pcap"

    def counted(self, set_up, m, report):
        if self.path(set_up, m):
            self.counts[set_up, self._port(m)] = report

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- the report ---

    def _audit(self, build, html):
        argv = [f"{build}/quell", "audit", "--title", "The lab's peering LAN: a plain bridge, and quell", "--registry",
                self.dir / "members.yaml", "--prefix", LAN4, "--prefix", LAN6, f"--html={html}", "--json",
                "--before", *sorted((self.dir / BEFORE).iterdir()), "--after", *sorted((self.dir / AFTER).iterdir())]
        p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=300)
        # The noise breaks rules on purpose: that the audit says so is no fault of the lab.
        if p.returncode not in (0, 3):
            raise LabError(f"quell audit: {p.stderr.strip()}")
        return json.loads(p.stdout)

    def _differences(self, books, set_up):
        for port in books["ports"]:
            mine = self.counts[set_up, port["port"]]
            received = sum(f for whose in ("own", "group", "other") for f, _ in mine[whose].values())
            flood, stray = (sum(f for f, _ in mine[whose].values()) for whose in ("group", "other"))
            sent = sum(f for f, _ in mine["out"].values())
            got = tuple(port[k]["all"]["frames"] for k in ("received", "sent")) + (port["flood"]["frames"], port["stray"]["frames"])
            if got != (received, sent, flood, stray):
                yield f"the report has {got} frames (received, sent, flood, stray) of {port['port']} in {set_up}, count " \
                      f"counted {(received, sent, flood, stray)}"

    def write(self, build, html):
        """Makes the report. (rows of (port, before, after) in frames and frames a second; what is not as it should be)"""
        said = self._audit(build, html)
        broken = [*self._differences(said["before"], BEFORE), *self._differences(said["books"], AFTER)]
        if not said["compare"]["pass"]:
            broken.append("the report: " + said["text"])
        after = {p["port"]: p["unwanted"] for p in said["books"]["ports"]}
        rows = [(p["port"], p["unwanted"], after[p["port"]]) for p in said["before"]["ports"]]
        return rows, broken

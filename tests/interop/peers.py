"""GoBGP 3.10 and ExaBGP 4.2 in a namespace, with as little configuration as will do. FRR is lab/frr.py."""
import json
import os
import re
import subprocess

from net_conftest import wait_until

RS = "10.99.0.1"


class GoBgp:
    """gobgpd with one neighbour. `lines`: more of [neighbors.config]; `tail`: whole TOML tables of the neighbour."""

    def __init__(self, scope, ns, address, asn=65000, remote_as=65000, lines=(), tail="", families=("l2vpn-evpn",),
                 restart=False, passive=False):
        self.scope, self.ns, self.address = scope, ns, address
        self.path = scope.dir / f"{ns.role}-gobgp.toml"
        family = "".join(f"""[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "{name}"
""" + ("""[neighbors.afi-safis.mp-graceful-restart.config]
enabled = true
""" if restart else "") for name in families)
        self.path.write_text(f"""[global.config]
as = {asn}
router-id = "{address}"
local-address-list = ["{address}"]
[[neighbors]]
[neighbors.config]
neighbor-address = "{RS}"
peer-as = {remote_as}
{chr(10).join(lines)}
[neighbors.transport.config]
local-address = "{address}"
passive-mode = {str(passive).lower()}
[neighbors.timers.config]
connect-retry = 1
idle-hold-time-after-reset = 1
hold-time = 9
keepalive-interval = 3
{tail}{'''[neighbors.graceful-restart.config]
enabled = true
restart-time = 20
''' if restart else ''}{family}""")
        self.process = None

    def start(self, *options):
        self.process = self.ns.spawn("gobgpd", ["/usr/bin/gobgpd", "-f", self.path, "--api-hosts", "127.0.0.1:50051",
                                                "--pprof-disable", *options])
        wait_until(lambda: not self.process.alive() or self.ask("global"), 10, "gobgpd answers")
        assert self.process.alive(), self.process.said()
        return self

    def run(self, *words):
        p = subprocess.run([*self.ns.enter, "/usr/bin/gobgp", *map(str, words)], capture_output=True, text=True, timeout=20)
        return p.returncode, p.stdout + p.stderr

    def do(self, text):
        status, said = self.run(*text.split())
        assert status == 0 and "rror" not in said, f"gobgp {text}: {said}"
        return said

    def ask(self, *words):
        status, said = self.run("-j", *words)
        return json.loads(said) if status == 0 and said[:1] in ("{", "[") else None

    def neighbor(self):
        return (self.ask("neighbor") or [{}])[0]

    def established(self):
        return self.neighbor().get("state", {}).get("session_state") == 6

    def routes(self):
        """Path by path, of the global table: [{"nlri": .., "attrs": ..}]."""
        table = self.ask("global", "rib", "-a", "evpn")
        return [p for paths in (table or {}).values() for p in paths] if isinstance(table, dict) else \
            [p for d in table or [] for p in d.get("paths", [])]


class ExaBgp:
    """exabgp with one neighbour; what it says of UPDATEs, as JSON lines; commands through its API."""

    def __init__(self, scope, ns, address, lines=(), capability=("route-refresh enable;",), asn=65000):
        self.scope, self.ns, self.address = scope, ns, address
        self.dir = scope.dir / f"{ns.role}-exabgp"
        self.dir.mkdir()
        self.heard, self.fifo = self.dir / "heard", self.dir / "commands"
        os.mkfifo(self.fifo)
        self.commands = os.open(self.fifo, os.O_RDWR)
        script = self.dir / "api"
        script.write_text(f"#!/bin/sh\nexec 3<&0\ncat <&3 >>{self.heard} &\nexec cat {self.fifo}\n")
        script.chmod(0o755)
        (self.dir / "conf").write_text(f"""process api {{
    run {script};
    encoder json;
    respawn false;
}}
neighbor {RS} {{
    router-id {address};
    local-address {address};
    local-as {asn};
    peer-as 65000;
    hold-time 9;
    {' '.join(lines)}
    capability {{ {' '.join(capability)} }}
    family {{ l2vpn evpn; }}
    api {{ processes [ api ]; neighbor-changes; receive {{ parsed; update; notification; refresh; }} }}
}}
""")
        self.process = None

    def start(self):
        self.process = self.ns.spawn("exabgp", [
            "env", "exabgp.daemon.user=root", "exabgp.log.level=WARNING", "exabgp.api.cli=false", "exabgp.tcp.delay=0",
            "exabgp.daemon.daemonize=false", "/usr/sbin/exabgp", self.dir / "conf"])
        return self

    def command(self, text):
        os.write(self.commands, text.encode() + b"\n")

    def close(self):
        """Ends it before its commands, or it would start a new reader of them that waits for ever."""
        if self.process:
            self.process.stop()
        os.close(self.commands)

    def said(self):
        """What it has told so far: JSON objects."""
        if not self.heard.exists():
            return []
        found = []
        for line in self.heard.read_text(errors="replace").splitlines(keepends=True):
            if line[:1] == "{" and line[-1] == "\n" and "route-refresh" not in line:  # those it tells are not JSON
                found.append(json.loads(line))
        return found

    def refreshes(self):
        """The kinds of ROUTE-REFRESH that it was sent."""
        text = self.heard.read_text(errors="replace") if self.heard.exists() else ""
        return re.findall(r'"subtype": "?"(\w+)', text)

    def up(self):
        states = [m["neighbor"]["state"] for m in self.said() if m["type"] == "state"]
        return bool(states) and states[-1] == "up"

    def routes(self):
        """Raw NLRIs (bytes) by key, after all that was said: the last of each key with its next hop and attributes."""
        from evpn_wire import key_of
        table = {}
        for m in self.said():
            if m["type"] == "state" and m["neighbor"]["state"] != "up":
                table = {}
            if m["type"] != "update":
                continue
            update = m["neighbor"]["message"].get("update", {})
            for nlri in update.get("withdraw", {}).get("l2vpn evpn", []):
                table.pop(key_of(bytes.fromhex(nlri["raw"])), None)
            for hop, nlris in update.get("announce", {}).get("l2vpn evpn", {}).items():
                for nlri in nlris:
                    raw = bytes.fromhex(nlri["raw"])
                    table[key_of(raw)] = (raw, hop, update["attribute"])
        return table

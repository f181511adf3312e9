"""One quelld in a namespace with a configuration of the test's own, and a way into namespaces for the test's own sockets."""
import contextlib
import ctypes
import json
import os
import socket

from lab.netns import LabError, wait_until

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def inside(ns):
    """Sockets that are made here live in the namespace."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{ns.name}", os.O_RDONLY)
    try:
        if _libc.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        yield
    finally:
        _libc.setns(here, CLONE_NEWNET)
        os.close(here)
        os.close(there)


class Quelld:
    def __init__(self, scope, ns, build, config, name="quelld", user="nobody"):
        self.scope, self.ns, self.build, self.name = scope, ns, build, name
        self.dir = scope.dir / name
        self.dir.mkdir()
        self.run_dir = self.dir / "run"
        self.config = self.dir / "quell.yaml"
        self.config.write_text(f"run-dir: {self.run_dir}\nuser: {user}\ngroup: nogroup\n{config}")
        self.process = None

    @property
    def argv(self):
        return [os.path.join(self.build, "quelld"), "-c", self.config]

    def start(self, up=True):
        self.process = self.ns.spawn(self.name, self.argv)
        if up:
            wait_until(lambda: self.show("status") or not self.process.alive(), 5, "quelld starts")
            if not self.process.alive():
                raise LabError(self.process.said())
        return self

    def ask(self, **request):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(self.run_dir / "quelld.sock"))
            s.sendall(json.dumps(request).encode() + b"\n")
            with s.makefile("rb") as lines:
                return json.loads(lines.readline())

    def show(self, what, **more):
        """The answer, or None while nobody answers."""
        try:
            return self.ask(show=what, **more)
        except (OSError, ValueError):
            return None

    def neighbor(self, address):
        shown = self.show("neighbors") or {"neighbors": []}
        return next((n for n in shown["neighbors"] if n["address"] == address), None)

    def established(self, *addresses):
        for a in addresses:
            n = self.neighbor(a)
            if not n or n["state"] != "Established":
                return False
        return True

    def routes(self, **which):
        return self.ask(show="routes", **which)["routes"]

"""Network namespaces, the processes in them, and the promise to leave nothing behind.

A Scope owns everything that a lab or a test makes: namespaces with one unique prefix, one directory for all
files, processes, bpf mounts, FRR's run directories. It writes what it owns to state.json in that directory
before it makes it, so that another process (`lab down`) can take away what a killed one has left.

Configuration goes through `ip -batch` and `bridge -batch`, daemons start by nsenter (which becomes the program, so a
process id is the program's own).
"""
import ctypes
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time

PREFIX = "quell-"
STATE = "state.json"
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    pass


def run(*argv, stdin=None, check=True, timeout=60):
    """Runs a command to its end and returns what it said on stdout; LabError with its stderr if it fails."""
    p = subprocess.run([str(a) for a in argv], input=stdin, capture_output=True, text=True, timeout=timeout)
    if check and p.returncode:
        raise LabError(f"{' '.join(map(str, argv))}: {(p.stderr or p.stdout).strip() or p.returncode}\n{stdin or ''}")
    return p.stdout


def wait_until(condition, timeout=10.0, what="", every=0.05):
    """Waits for a condition to be true and returns its value; LabError after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise LabError(f"not within {timeout:g} s: {what or getattr(condition, '__doc__', None) or condition}")
        time.sleep(every)


def _started(pid):
    """The start time of a process: with it a pid names one process for ever."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return None if fields[0] == "Z" else int(fields[19])
    except (OSError, IndexError):
        return None


class Process:
    """A long-running program of a scope."""

    def __init__(self, name, popen, log):
        self.name, self.popen, self.log = name, popen, log
        self.pid = popen.pid
        self.started = _started(popen.pid)

    def alive(self):
        return self.popen.poll() is None

    def signal(self, sig):
        if self.alive():
            self.popen.send_signal(sig)

    def wait(self, timeout=5):
        return self.popen.wait(timeout)

    def stop(self, timeout=5):
        """SIGTERM, and SIGKILL for one that does not listen; returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            return self.wait()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def said(self):
        return pathlib.Path(self.log).read_text(errors="replace") if self.log else ""


class Netns:
    """One network namespace of a scope."""

    def __init__(self, scope, role):
        self.scope, self.role, self.name = scope, role, f"{scope.name}-{role}"

    @property
    def enter(self):
        return ["nsenter", f"--net=/run/netns/{self.name}", "--"]

    def run(self, *argv, **kw):
        return run(*self.enter, *argv, **kw)

    def ip(self, *lines, force=False):
        """`ip` commands, one a line, in one batch."""
        return run("ip", "-n", self.name, *(["-force"] if force else []), "-batch", "-", stdin="\n".join(lines) + "\n",
                   check=not force)

    def bridge(self, *lines, force=False):
        return run("bridge", "-n", self.name, *(["-force"] if force else []), "-batch", "-", stdin="\n".join(lines) + "\n",
                   check=not force)

    def ip_json(self, *argv):
        return json.loads(run("ip", "-n", self.name, "-json", *argv) or "[]")

    def bridge_json(self, *argv):
        return json.loads(run("bridge", "-n", self.name, "-json", *argv) or "[]")

    def sysctl(self, settings):
        """Paths below /proc/sys with dots or slashes; what this kernel has not is left out."""
        script = "".join(f"[ ! -e /proc/sys/{k.replace('.', '/')} ] || echo {v} >/proc/sys/{k.replace('.', '/')}\n"
                         for k, v in settings.items())
        self.run("sh", "-e", stdin=script)

    def spawn(self, name, argv, **kw):
        return self.scope.spawn(f"{self.role}-{name}", [*self.enter, *argv], **kw)


class Scope:
    def __init__(self, kind="lab"):
        self.name = PREFIX + secrets.token_hex(3)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=self.name + "-"))
        # Daemons that have dropped root read their configuration and write their sockets below it.
        self.dir.chmod(0o755)
        self.kind, self.owner = kind, os.getpid()
        self.namespaces, self.processes, self.mounts, self.dirs = {}, [], [], []
        self.notes = {}
        self._save()

    def _save(self):
        state = {"name": self.name, "kind": self.kind, "owner": [self.owner, _started(self.owner)],
                 "namespaces": [n.name for n in self.namespaces.values()],
                 "processes": [[p.pid, p.started, p.name] for p in self.processes],
                 "mounts": self.mounts, "dirs": self.dirs, "notes": self.notes}
        tmp = self.dir / (STATE + ".new")
        tmp.write_text(json.dumps(state, indent=1))
        tmp.rename(self.dir / STATE)

    def note(self, key, value):
        self.notes[key] = value
        self._save()

    def netns(self, role):
        ns = self.namespaces[role] = Netns(self, role)
        self._save()
        run("ip", "netns", "add", ns.name)
        ns.sysctl({"net.bridge.bridge-nf-call-arptables": 0, "net.bridge.bridge-nf-call-iptables": 0,
                   "net.bridge.bridge-nf-call-ip6tables": 0, "net.ipv6.conf.default.accept_dad": 0,
                   "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.dad_transmits": 0,
                   "net.ipv6.conf.default.accept_ra": 0, "net.ipv6.conf.default.router_solicitations": 0})
        ns.ip("link set lo up")
        return ns

    def veth(self, a, a_name, b, b_name, options=""):
        """A cable between two namespaces, born in place: no name of it is ever seen outside."""
        a.ip(f"link add {a_name} {options} type veth peer name {b_name} {options} netns {b.name}")

    def spawn(self, name, argv, log=True, **kw):
        path = self.dir / (name + ".log")
        with open(path if log else os.devnull, "ab") as out:
            kw.setdefault("stdout", out)
            kw.setdefault("stderr", out)
            popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, start_new_session=True,
                                     cwd="/", **kw)
        p = Process(name, popen, path if log else None)
        self.processes.append(p)
        self._save()
        return p

    def directory(self, path, user=None):
        """A directory outside of ours that goes with us."""
        self.dirs.append(str(path))
        self._save()
        os.makedirs(path, exist_ok=True)
        if user:
            shutil.chown(path, user, user)
        return path

    def bpffs(self):
        """A BPF file system of our own: where pins of this scope live, and with it they go."""
        path = self.dir / "bpf"
        if str(path) not in self.mounts:
            path.mkdir()
            self.mounts.append(str(path))
            self._save()
            if _libc.mount(b"bpf", str(path).encode(), b"bpf", 0, None):
                raise LabError(f"mount bpf on {path}: {os.strerror(ctypes.get_errno())}")
        return path

    def forget(self, process):
        """Takes a process that has ended off the books."""
        if process in self.processes:
            self.processes.remove(process)

    def close(self):
        for p in reversed(self.processes):
            p.signal(signal.SIGTERM)
        end = time.monotonic() + 3
        for p in self.processes:
            try:
                p.wait(max(0.01, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                p.kill()
        _remove(self.dir, [n.name for n in self.namespaces.values()], self.mounts, self.dirs)

    def leave(self):
        """Keeps everything standing for people to look around; remove() takes it away."""
        self.owner = 0
        self._save()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def _remove(directory, namespaces, mounts, dirs):
    existing = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
    for name in namespaces:
        if name in existing:
            run("ip", "netns", "delete", name, check=False)
    for m in mounts:
        _libc.umount2(str(m).encode(), 2)  # MNT_DETACH
    for d in dirs:
        shutil.rmtree(d, ignore_errors=True)
    if not any(os.path.ismount(m) for m in mounts):
        shutil.rmtree(directory, ignore_errors=True)


def scopes():
    """All scopes on this machine: their states, with `dir` and whether their owner still runs."""
    found = []
    for path in sorted(pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*/" + STATE)):
        try:
            state = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        pid, started = state["owner"]
        state["dir"] = str(path.parent)
        state["owned"] = bool(pid) and started is not None and _started(pid) == started
        found.append(state)
    return found


def remove(state):
    """Ends the processes of a scope (only these very processes) and removes what it made."""
    def living():
        return [pid for pid, started, _ in state["processes"] if started and _started(pid) == started]
    for sig, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        for pid in living():
            os.kill(pid, sig)
        end = time.monotonic() + patience
        while living() and time.monotonic() < end:
            time.sleep(0.02)
    _remove(state["dir"], state["namespaces"], state["mounts"], state["dirs"])

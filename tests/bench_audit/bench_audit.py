#!/usr/bin/python3
"""How many frames a second `quell audit` reads from a file on one core, beside tcpdump and tshark on the same file.

The file is a peering LAN's flood of a second's worth of minutes: ARP requests for members and for nobody, gratuitous ARP, neighbour
solicitations with right checksums, BGP keepalives and data between members, and now and then what is forbidden. The registry has all
members. Each is run several times; the best counts. Of quell audit the time to read the registry is left out.

    bench_audit.py [--build DIR] [--frames N] [--members N] [--runs N] [--json]
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import tempfile
import time


def mac(n):
    return bytes((2, 0, 0x5e, n >> 16, (n >> 8) & 255, n & 255))


def ip4(n):
    return bytes((198, 18, n >> 8, n & 255))


def ip6(n):
    return bytes.fromhex("20010db8010000000000000000000000")[:14] + struct.pack("!H", n)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def arp(src, target, op=1, dst=b"\xff" * 6, sender=None):
    return (dst + mac(src) + b"\x08\x06" + b"\x00\x01\x08\x00\x06\x04" + struct.pack("!H", op) + mac(src)
            + ip4(src if sender is None else sender) + bytes(6) + ip4(target)).ljust(60, b"\0")


def ns(src, target):
    group = bytes.fromhex("ff0200000000000000000001ff") + ip6(target)[13:]
    body = bytes(4) + ip6(target) + b"\x01\x01" + mac(src)
    pseudo = ip6(src) + group + struct.pack("!II", len(body) + 4, 58) + b"\x87\0\0\0" + body
    message = b"\x87\0" + struct.pack("!H", checksum(pseudo)) + body
    return (b"\x33\x33\xff" + ip6(target)[13:] + mac(src) + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(message), 58, 255)
            + ip6(src) + group + message)


def tcp(src, dst, flags, payload=0):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 40 + payload, 0, 0, 64, 6, 0) + ip4(src) + ip4(dst)
    return (mac(dst) + mac(src) + b"\x08\x00" + head
            + struct.pack("!HHIIBBHHH", 40000, 179, 1, 1, 0x50, flags, 8192, 0, 0) + bytes(payload)).ljust(60, b"\0")


def forbidden(src, kind):
    lldp = b"\x01\x80\xc2\0\0\x0e" + mac(src) + b"\x88\xcc\x02\x07\x04" + bytes(60)
    mdns = (b"\x01\0\x5e\0\0\xfb" + mac(src) + b"\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 60, 0, 0, 1, 17, 0) + ip4(src)
            + b"\xe0\0\0\xfb" + struct.pack("!HHHH", 5353, 5353, 40, 0) + bytes(32))
    return [lldp, mdns][kind % 2]


def some_frame(r, members):
    src, n = r.randrange(1, members + 1), r.random()
    if n < 0.40:
        return arp(src, r.randrange(1, members + 1) if r.random() < 0.6 else members + r.randrange(1, 500))
    if n < 0.65:
        return ns(src, r.randrange(1, members + 1))
    if n < 0.70:
        return arp(src, src)
    if n < 0.75:
        return arp(src, 1, op=2, dst=mac(1))
    if n < 0.95:
        return tcp(src, r.randrange(1, members + 1), 2 if r.random() < 0.2 else 0x18, r.choice([0, 19, 400]))
    return forbidden(src, r.randrange(2))


def make_capture(path, frames, members):
    r = random.Random(1)
    some = [some_frame(r, members) for _ in range(20000)]
    rows = [(struct.pack("<II", len(f), len(f)) + f) for f in some]
    with open(path, "wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for i in range(frames):
            out.write(struct.pack("<II", 1700000000 + i // 2500, i % 2500 * 400000))
            out.write(rows[r.randrange(len(rows)) if i % 8 == 0 else (i * 7919) % len(rows)])


def make_registry(path, members):
    with open(path, "w") as out:
        out.write("members:\n")
        for n in range(1, members + 1):
            m = ":".join(f"{b:02x}" for b in mac(n))
            v6 = ":".join(ip6(n)[i:i + 2].hex() for i in range(0, 16, 2))
            out.write(f"  - asn: {64500 + n}\n    name: Member {n}\n    ports:\n      - port: swp{n}\n        macs: ['{m}']\n"
                      f"        ipv4: [198.18.{n >> 8}.{n & 255}]\n        ipv6: ['{v6}']\n")


def best(command, runs, good=(0,)):
    times = []
    for _ in range(runs):
        start = time.monotonic()
        done = subprocess.run(["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        times.append(time.monotonic() - start)
        if done.returncode not in good:
            raise SystemExit(f"{command[0]}: exit {done.returncode}: {done.stderr.decode()[:500]}")
    return min(times)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--build", default=os.environ.get("QUELL_BUILD", "build"))
    p.add_argument("--frames", type=int, default=2_000_000)
    p.add_argument("--members", type=int, default=800)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    quell = str(pathlib.Path(a.build) / "quell")
    with tempfile.TemporaryDirectory(prefix="quell-bench-audit-") as d:
        capture, registry = f"{d}/tap.pcap", f"{d}/members.yaml"
        make_capture(capture, a.frames, a.members)
        make_registry(registry, a.members)
        audit = [quell, "audit", capture, "--registry", registry, "--prefix", "198.18.0.0/21", "--prefix", "2001:db8:100::/64",
                 "--json"]
        runs = {"quell audit": (audit, (0, 3), a.runs), "tcpdump -n -r": (["tcpdump", "-n", "-r", capture], (0,), 1)}
        if shutil.which("tshark"):
            runs["tshark -n -r"] = (["tshark", "-n", "-r", capture], (0,), 1)
        make_capture(f"{d}/none.pcap", 0, a.members)
        begin = best([quell, "audit", f"{d}/none.pcap", *audit[3:]], a.runs, (0, 3))
        result = {}
        for name, (command, good, times) in runs.items():
            if not shutil.which(command[0]):
                continue
            result[name] = a.frames / (best(command, times, good) - (begin if command is audit else 0))
    if a.json:
        print(json.dumps({"frames": a.frames, "members": a.members, "frames_per_second": result}))
        return
    print(f"{a.frames} frames, {a.members} members, one core")
    for name, rate in result.items():
        print(f"{name:15} {rate:12,.0f} frames/s   {result['quell audit'] / rate:6.1f} times as long")


if __name__ == "__main__":
    main()

"""What FRR 8.4 shows of EVPN routes (`show bgp l2vpn evpn route detail json`), and what it should show of a Table of routes
that a reflector has passed on: both as a dictionary of (RD, prefix) to the same plain fields."""
import socket
import struct

LOCAL_PREF, MED, ORIGIN, AS_PATH, COMMUNITIES, ORIGINATOR, CLUSTERS, EXT, PMSI, LARGE, OTC = 5, 4, 1, 2, 8, 9, 10, 16, 22, 32, 35


def ip_text(octets):
    return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets)


def rd_text(rd):
    kind, = struct.unpack_from("!H", rd)
    if kind == 0:
        return "%d:%d" % struct.unpack("!HI", rd[2:])
    if kind == 1:
        return f"{ip_text(rd[2:6])}:{struct.unpack('!H', rd[6:])[0]}"
    return "%d:%d" % struct.unpack("!IH", rd[2:])


def octets_text(octets):
    return ":".join(f"{o:02x}" for o in octets)


def tag_text(octets):
    """FRR takes the tag for a signed number in types 2, 3 and 5."""
    return int.from_bytes(octets, "big", signed=True)


def prefix_text(nlri):
    kind, v = nlri[0], nlri[2:]
    if kind == 1:
        return f"[1]:[{int.from_bytes(v[18:22], 'big')}]:[{octets_text(v[8:18])}]:[32]:[0.0.0.0]:[0]"
    if kind == 2:
        ip = v[30:30 + v[29] // 8]
        return f"[2]:[{tag_text(v[18:22])}]:[48]:[{octets_text(v[23:29])}]" + \
            (f":[{v[29]}]:[{ip_text(ip)}]" if ip else "")
    if kind == 3:
        return f"[3]:[{tag_text(v[8:12])}]:[{v[12]}]:[{ip_text(v[13:])}]"
    if kind == 4:
        return f"[4]:[{octets_text(v[8:18])}]:[{v[18]}]:[{ip_text(v[19:])}]"
    ip = v[23:27] if len(v) == 34 else v[23:39]
    return f"[5]:[{tag_text(v[18:22])}]:[{v[22]}]:[{ip_text(ip)}]"


def blocks(octets, size):
    return [octets[i:i + size] for i in range(0, len(octets), size)]


def as_path(value):
    at, segments = 0, []
    while at < len(value):
        kind, count = value[at], value[at + 1]
        segments.append((kind, struct.unpack_from(f"!{count}I", value, at + 2)))
        at += 2 + 4 * count
    return segments


def ext_text(ec):
    """As FRR prints those of EVPN, None for the rest."""
    kind, sub, v = ec[0], ec[1], ec[2:]
    if sub == 2 and kind == 0:
        return "RT:%d:%d" % struct.unpack("!HI", v)
    if sub == 2 and kind == 1:
        return f"RT:{ip_text(v[:4])}:{struct.unpack('!H', v[4:])[0]}"
    if sub == 2 and kind == 2:
        return "RT:%d:%d" % struct.unpack("!IH", v)
    if (kind, sub) == (3, 12):
        return f"ET:{struct.unpack('!H', v[4:])[0]}"
    if (kind, sub) == (6, 3):
        return f"Rmac:{octets_text(v)}"
    return None


def is_told(nlri, attrs):
    """What a neighbour of the conservative profile is told."""
    kind, v = nlri[0], nlri[2:]
    if kind > 5 or kind < 1 or (kind == 3 and v[12] == 128) or (kind == 4 and v[18] == 128):
        return False
    pmsi = attrs.get(PMSI, (0, b""))[1]
    return not (kind == 3 and pmsi and (pmsi[1] > 7 or (pmsi[1] == 6 and len(pmsi) != 9)))


def is_shown(nlri, attrs):
    """And what FRR takes of it."""
    return is_told(nlri, attrs) and not (nlri[0] == 5 and frr_refuses_prefix(nlri[2:], attrs))


def frr_refuses_prefix(v, attrs):
    """FRR takes for withdrawn a type 5 with both overlay indexes, one with none, no label and no router's MAC, and one whose
    router's MAC (the lowest counts) is a group address."""
    ip = 4 if len(v) == 34 else 16
    esi, gateway, label = any(v[8:18]), any(v[23 + ip:23 + 2 * ip]), any(v[-3:])
    macs = sorted(ec[2:] for ec in blocks(attrs.get(EXT, (0, b""))[1], 8) if ec[:2] == b"\x06\x03")
    return (esi and gateway) or not (esi or gateway or label or any(map(any, macs))) or any(m[0] & 1 for m in macs[:1])


def expected(table, sender_id, cluster_id, own):
    """`own`: FRR's address, with which as next hop it takes no route."""
    shown = {}
    for nlri, next_hop, attrs in table.routes.values():
        if not is_shown(nlri, attrs) or next_hop == socket.inet_aton(own):
            continue
        value = {t: v for t, (_, v) in attrs.items()}
        rd = rd_text(nlri[2:10])
        large = {"%d:%d:%d" % struct.unpack("!III", b) for b in blocks(value.get(LARGE, b""), 12)}
        communities = {struct.unpack("!I", c)[0] for c in blocks(value.get(COMMUNITIES, b""), 4)}
        shown[rd, prefix_text(nlri)] = {
            "next hop": ip_text(next_hop) if len(next_hop) == 4 else None,
            "origin": ("IGP", "EGP", "incomplete")[value[ORIGIN][0]],
            "as path": [(kind, sorted(ases) if kind == 1 else list(ases)) for kind, ases in as_path(value[AS_PATH])],
            "local pref": struct.unpack("!I", value[LOCAL_PREF])[0],
            "med": struct.unpack("!I", value[MED])[0] if MED in value else None,
            "originator": ip_text(value.get(ORIGINATOR, socket.inet_aton(sender_id))),
            "clusters": [cluster_id] + [ip_text(c) for c in blocks(value.get(CLUSTERS, b""), 4)],
            "communities": len(communities),
            "large": large,
            "ext": {t for t in map(ext_text, blocks(value.get(EXT, b""), 8)) if t},
            "otc": struct.unpack("!I", value[OTC])[0] if OTC in value else None,
        }
    return shown


SEGMENTS = {"as-sequence": 2, "as-set": 1}


def merged(segments):
    """FRR joins neighbouring sequences where it shows them; sets as sets."""
    out = []
    for kind, ases in segments:
        if out and kind == 2 and out[-1][0] == 2:
            out[-1] = (2, out[-1][1] + list(ases))
        else:
            out.append((kind, sorted(set(ases)) if kind == 1 else list(ases)))
    return out


def seen(detail):
    """From the JSON of `show bgp l2vpn evpn route detail`."""
    shown = {}
    for rd, prefixes in detail.items():
        if not isinstance(prefixes, dict):
            continue
        for prefix, what in prefixes.items():
            if prefix == "rd":
                continue
            assert len(what["paths"]) == 1 and len(what["paths"][0]) == 1, what
            p = what["paths"][0][0]
            hop = p["nexthops"][0]
            shown[rd, prefix] = {
                "next hop": hop["ip"] if hop["ip"] != "0.0.0.0" else None,
                "origin": p["origin"],
                "as path": [(SEGMENTS[s["type"]], s["list"]) for s in p["aspath"].get("segments", [])],
                "local pref": p.get("locPrf"),
                "med": p.get("metric"),
                "originator": p.get("originatorId"),
                "clusters": p.get("clusterList", {}).get("list", []),
                "communities": len(p.get("community", {}).get("list", [])),
                "large": set(p.get("largeCommunity", {}).get("list", [])),
                "ext": {w for w in p.get("extendedCommunity", {}).get("string", "").split()
                        if w.startswith(("RT:", "ET:", "Rmac:"))},
                "otc": p.get("otc"),
            }
    return shown


def differences(want, got):
    """Lines of what is missing, too much, or not the same."""
    lines = [f"missing: {k}: {want[k]}" for k in want.keys() - got.keys()]
    lines += [f"too much: {k}: {got[k]}" for k in got.keys() - want.keys()]
    for k in want.keys() & got.keys():
        w, g = dict(want[k]), dict(got[k])
        w["as path"], g["as path"] = merged(w["as path"]), merged(g["as path"])
        g["ext"] &= w["ext"]  # FRR prints as RT what is something else, too
        lines += [f"{k}: {f}: {g[f]}, not {w[f]}" for f in w if w[f] != g[f]]
    return lines

"""An IXP Manager as `quell registry fetch` meets it: the documents of a small exchange over HTTPS on loopback, with what can go wrong."""
import hashlib
import http.server
import json
import ssl
import subprocess
import threading
import time

KEY = "s3cret-key-of-a-superuser"
OLD, NEW = "/api/v4", "/admin/api/v4"


class Exchange:
    """Members by number: each has one port, one MAC, an IPv4 and an IPv6 address."""

    def __init__(self, members=20):
        self.members = {n: {"macs": [f"02:00:5e:00:00:{n:02x}"], "status": "connected"} for n in range(1, members + 1)}

    def ixf(self):
        def connection(n):
            macs = self.members[n]["macs"]
            return {"ixp_id": 1, "state": "active", "if_list": [{"switch_id": 1, "if_speed": 10000}],
                    "vlan_list": [{"vlan_id": 2,
                                   "ipv4": {"address": f"198.18.0.{n}", "routeserver": True, "mac_addresses": macs},
                                   "ipv6": {"address": f"2001:db8:100::{n:x}", "routeserver": True,
                                            "mac_addresses": macs}}]}
        return {"version": "1.0", "generator": "IXP Manager v7.4.0", "timestamp": "2025-11-22T12:00:00Z",
                "ixp_list": [{"ixp_id": 1, "ixf_id": 1, "shortname": "ixp", "country": "DE", "url": "https://ixp.example.net/",
                              "vlan": [{"id": 2, "name": "Peering",
                                        "ipv4": {"prefix": "198.18.0.0", "mask_length": 21},
                                        "ipv6": {"prefix": "2001:db8:100::", "mask_length": 64}}],
                              "switch": [{"id": 1, "name": "sw1.fra", "colo": "FRA1"}]}],
                "member_list": [{"asnum": 64500 + n, "name": f"Member {n}", "member_type": "peering",
                                 "member_since": "2020-01-01T00:00:00Z", "contact_email": [f"noc@m{n}.example"],
                                 "connection_list": [connection(n)]} for n in self.members]}

    def layer2(self):
        return {"layer2interfaces": [
            {"type": "edge", "name": f"swp{n}", "description": f"Cust: Member {n}", "dot1q": False, "shutdown": False,
             "status": m["status"], "speed": 10000, "autoneg": True, "lagframing": False, "virtualinterfaceid": n,
             "vlans": [{"number": 10, "vlaninterfaceid": n, "macaddresses": m["macs"],
                        "ipaddresses": {"ipv4": f"198.18.0.{n}", "ipv6": f"2001:db8:100::{n:x}"}}]}
            for n, m in self.members.items()]}

    def addresses(self):
        v4 = [{"id": i, "address": f"198.18.0.{i}", "vid": 2, "vliid": i if i in self.members else None}
              for i in range(1, 60)]
        return {"ipv4": v4, "ipv6": []}


class Reply:
    def __init__(self, status=200, body=b"", kind="application/json", headers=(), length=None, delay=0, release=None):
        self.status, self.body, self.kind, self.headers = status, body, kind, dict(headers)
        self.length, self.delay, self.release = length, delay, release


class Server:
    """`old`: as before 7.1, without /admin. `faults`: a path's last part -> Reply, for whatever is asked there."""

    def __init__(self, folder, tls=True, old=False):
        self.exchange, self.old, self.faults, self.asked, self.key = Exchange(), old, {}, [], KEY
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                pass

        self.httpd = Quiet(("127.0.0.1", 0), Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            self.ca = certificate(folder)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca, folder / "key.pem")
            self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{self.scheme}://127.0.0.1:{self.httpd.server_address[1]}"
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.httpd.shutdown()
        self.thread.join()
        self.httpd.server_close()

    def paths(self):
        return [path for path, _, _ in self.asked]

    def document(self, path):
        prefix = OLD if self.old else NEW
        return {f"{OLD}/member-export/ixf/1.0": self.exchange.ixf,
                f"{prefix}/provisioner/layer2interfaces/switch-name/sw1.fra.json": self.exchange.layer2,
                f"{prefix}/vlan/2/ip-addresses": self.exchange.addresses}.get(path)

    def reply(self, path, headers):
        fault = next((f for end, f in self.faults.items() if path.endswith(end)), None)
        if fault:
            return fault
        if "/member-export/" not in path and headers.get("X-IXP-Manager-API-Key") != self.key:
            return Reply(401, b"Valid API key required", "text/html; charset=UTF-8")
        document = self.document(path)
        if not document:
            return Reply(404, b"<!DOCTYPE html><title>Not Found</title>", "text/html; charset=UTF-8")
        body = json.dumps(document()).encode()
        tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        if headers.get("If-None-Match") == tag:
            return Reply(304, headers={"ETag": tag})
        return Reply(200, body, headers={"ETag": tag})

    def answer(self, handler):
        r = self.reply(handler.path, handler.headers)
        self.asked.append((handler.path, r.status, dict(handler.headers)))
        if r.release:
            r.release.wait(20)
        handler.send_response(r.status)
        if r.status != 304:
            handler.send_header("Content-Type", r.kind)
        if r.length != "chunked":
            handler.send_header("Content-Length", str(len(r.body) if r.length is None else r.length))
        else:
            handler.send_header("Transfer-Encoding", "chunked")
        for name, value in r.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if r.delay:
            handler.wfile.write(r.body[:10])
            handler.wfile.flush()
            time.sleep(r.delay)
        try:
            handler.wfile.write(chunks(r.body) if r.length == "chunked" else r.body)
        except OSError:
            pass
        handler.close_connection = r.length is not None


def chunks(body):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 65536]), body[i:i + 65536]) for i in range(0, len(body), 65536)) + b"0\r\n\r\n"


def certificate(folder):
    """Its own authority, for 127.0.0.1."""
    path = folder / "cert.pem"
    if not path.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=ixp.example.net", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                        "-keyout", folder / "key.pem", "-out", path], check=True, capture_output=True)
    return path

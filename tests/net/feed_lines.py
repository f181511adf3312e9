"""JSON lines over a stream socket, as docs/feed.md has them: what the straw agent and the straw quelld share."""
import json
import select
import time


class FeedLines:
    """Over `self.conn`, with `self.buf` (bytes) for what has been read and not yet taken."""

    def say(self, *lines):
        self.conn.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    def line(self, timeout=10):
        """None: closed."""
        end = time.monotonic() + timeout
        while b"\n" not in self.buf:
            if not select.select([self.conn], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("no line")
            got = self.conn.recv(65536)
            if not got:
                return None
            self.buf += got
        one, self.buf = self.buf.split(b"\n", 1)
        return json.loads(one)

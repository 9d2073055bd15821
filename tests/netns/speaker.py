"""A BGP speaker that does what a test tells it: any octets, any OPEN.

Connection is one TCP connection with helpers to build, send, read and parse
messages; Speaker adds a thread that answers keepalives and keeps a table of
what was received.  Nothing here shares code with the daemon under test, so
that an error in one codec is not hidden by the same error in the other.
"""

import ipaddress
import socket
import struct
import threading
import time

from lab import wait_until
from routers import ORIGINS, attributes

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, REFRESH = range(1, 6)
MARKER = b"\xff" * 16
AS_TRANS = 23456
AFI = {"inet": 1, "inet6": 2}


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def keepalive():
    return message(KEEPALIVE)


def notification(code, sub, data=b""):
    return message(NOTIFICATION, bytes([code, sub]) + data)


def refresh(family, subtype=0):
    return message(REFRESH, struct.pack("!HBB", AFI[family], subtype, 1))


def capability(code, value=b""):
    return bytes([code, len(value)]) + value


def capabilities(asn, families=("inet",), as4=True, refresh=True):
    out = b"".join(capability(1, struct.pack("!HBB", AFI[f], 0, 1))
                   for f in families)
    if refresh:
        out += capability(2)
    if as4:
        out += capability(65, struct.pack("!I", asn))
    return out


def open_message(asn, hold=90, router_id="192.0.2.99", caps=b"", version=4):
    params = bytes([2, len(caps)]) + caps if caps else b""
    return message(OPEN, struct.pack(
        "!BHH4sB", version, asn if asn < 65536 else AS_TRANS, hold,
        socket.inet_aton(router_id), len(params)) + params)


def nlri(prefix):
    net = ipaddress.ip_network(prefix)
    size = (net.prefixlen + 7) // 8
    return bytes([net.prefixlen]) + net.network_address.packed[:size]


def attribute(kind, flags, value):
    if len(value) > 255 or flags & 0x10:
        return struct.pack("!BBH", flags | 0x10, kind, len(value)) + value
    return bytes([flags, kind, len(value)]) + value


def as_path(path, as4=True):
    """An AS_PATH: ints in sequence, a set or frozenset is an AS_SET."""
    out, seq, fmt = b"", [], "!I" if as4 else "!H"

    def pack(asns):
        return b"".join(struct.pack(fmt, a if as4 or a < 65536 else AS_TRANS)
                        for a in asns)

    for a in list(path) + [None]:
        if isinstance(a, int):
            seq.append(a)
            continue
        while seq:
            out += bytes([2, len(seq[:255])]) + pack(seq[:255])
            seq = seq[255:]
        if a is not None:
            out += bytes([1, len(a)]) + pack(sorted(a))
    return out


def route_attributes(route, asn, next_hop, as4=True):
    """The attributes of a routers.Route in ascending order, without MP."""
    out = attribute(1, 0x40, bytes([ORIGINS.index(route.origin)]))
    path = (asn,) + tuple(route.path)
    out += attribute(2, 0x40, as_path(path, as4))
    if next_hop is not None:
        out += attribute(3, 0x40, socket.inet_aton(next_hop))
    if route.med is not None:
        out += attribute(4, 0x80, struct.pack("!I", route.med))
    if route.atomic:
        out += attribute(6, 0x40, b"")
    if route.aggregator:
        a, ip = route.aggregator
        out += attribute(7, 0xc0, struct.pack(
            "!I" if as4 else "!H", a if as4 or a < 65536 else AS_TRANS) +
            socket.inet_aton(ip))
    if route.communities:
        out += attribute(8, 0xc0, b"".join(
            struct.pack("!HH", *map(int, c.split(":")))
            for c in route.communities))
    if route.ext:
        out += attribute(16, 0xc0, b"".join(map(ext_community, route.ext)))
    if not as4 and any(a > 65535 for a in path):
        out += attribute(17, 0xc0, as_path(path, True))
    if route.large:
        out += attribute(32, 0xc0, b"".join(
            struct.pack("!III", *map(int, c.split(":")))
            for c in route.large))
    for kind, flags, value in route.unknown:
        out += attribute(kind, flags, bytes.fromhex(value))
    return out


def ext_community(text):
    kind, value = text.split()
    sub = {"rt": 2, "soo": 3}[kind]
    a, b = value.split(":")
    if "." in a:
        return bytes([1, sub]) + socket.inet_aton(a) + struct.pack("!H",
                                                                   int(b))
    if int(a) > 65535:
        return struct.pack("!BBIH", 2, sub, int(a), int(b))
    return struct.pack("!BBHI", 0, sub, int(a), int(b))


def update(withdrawn=b"", attrs=b"", reach=b""):
    return message(UPDATE, struct.pack("!H", len(withdrawn)) + withdrawn +
                   struct.pack("!H", len(attrs)) + attrs + reach)


def mp_reach(next_hop, reach, family="inet6"):
    hop = ipaddress.ip_address(next_hop).packed
    return attribute(14, 0x80, struct.pack("!HBB", AFI[family], 1, len(hop)) +
                     hop + b"\0" + reach)


def mp_unreach(reach, family="inet6"):
    return attribute(15, 0x80, struct.pack("!HB", AFI[family], 1) + reach)


def announcement(route, asn, next_hop, as4=True):
    if route.v6:
        return update(attrs=mp_reach(next_hop, nlri(route.prefix)) +
                      route_attributes(route, asn, None, as4))
    return update(attrs=route_attributes(route, asn, next_hop, as4),
                  reach=nlri(route.prefix))


def withdrawal(prefix):
    if ":" in prefix:
        return update(attrs=mp_unreach(nlri(prefix)))
    return update(withdrawn=nlri(prefix))


def end_of_rib(family):
    return update() if family == "inet" else update(attrs=mp_unreach(b""))


def parse_nlri(data, family):
    out, size = [], 4 if family == "inet" else 16
    while data:
        bits = data[0]
        n = (bits + 7) // 8
        if bits > size * 8 or len(data) < 1 + n:
            raise ValueError("NLRI %s" % data.hex())
        raw = data[1:1 + n].ljust(size, b"\0")
        out.append("%s/%d" % (ipaddress.ip_address(raw), bits))
        data = data[1 + n:]
    return out


def parse_attributes(data):
    """[(type, flags, value)], in the order of the message."""
    out = []
    while data:
        flags, kind = data[0], data[1]
        if flags & 0x10:
            n, data = struct.unpack("!H", data[2:4])[0], data[4:]
        else:
            n, data = data[2], data[3:]
        if n > len(data):
            raise ValueError("attribute %d overruns" % kind)
        out.append((kind, flags, data[:n]))
        data = data[n:]
    return out


def parse_as_path(value, as4=True):
    out, size = [], 4 if as4 else 2
    while value:
        kind, n = value[0], value[1]
        raw, value = value[2:2 + n * size], value[2 + n * size:]
        asns = [int.from_bytes(raw[i:i + size], "big")
                for i in range(0, len(raw), size)]
        if kind == 1:
            out.append(frozenset(asns))
        else:
            out += asns
    return out


def parse_update(body, as4=True):
    """(withdrawn prefixes, announced {prefix: attributes}, raw attributes)."""
    n = struct.unpack("!H", body[:2])[0]
    gone = parse_nlri(body[2:2 + n], "inet")
    body = body[2 + n:]
    n = struct.unpack("!H", body[:2])[0]
    raw = parse_attributes(body[2:2 + n])
    reach = [(p, None) for p in parse_nlri(body[2 + n:], "inet")]
    a = attributes()
    a["unknown"], a["aggregator"], a["atomic"] = [], None, False
    path4 = None
    for kind, flags, v in raw:
        if kind == 1:
            a["origin"] = ORIGINS[v[0]]
        elif kind == 2:
            a["as_path"] = parse_as_path(v, as4)
        elif kind == 3:
            a["next_hop"] = socket.inet_ntoa(v)
        elif kind == 4:
            a["med"] = struct.unpack("!I", v)[0]
        elif kind == 6:
            a["atomic"] = True
        elif kind == 7:
            a["aggregator"] = (int.from_bytes(v[:-4], "big"),
                               socket.inet_ntoa(v[-4:]))
        elif kind == 8:
            a["communities"] = sorted("%d:%d" % c for c in
                                      struct.iter_unpack("!HH", v))
        elif kind == 14:
            fam = "inet" if v[1] == 1 else "inet6"
            hop = v[4:4 + v[3]]
            hop = str(ipaddress.ip_address(hop[:16] if len(hop) >= 16
                                           else hop))
            reach += [(p, hop) for p in parse_nlri(v[5 + v[3]:], fam)]
        elif kind == 15:
            gone += parse_nlri(v[3:], "inet" if v[1] == 1 else "inet6")
        elif kind == 16:
            a["ext"] = sorted(print_ext(v[i:i + 8])
                              for i in range(0, len(v), 8))
        elif kind == 17:
            path4 = parse_as_path(v, True)
        elif kind == 32:
            a["large"] = sorted("%d:%d:%d" % c for c in
                                struct.iter_unpack("!III", v))
        else:
            a["unknown"].append((kind, flags, v.hex()))
    if path4 is not None and not as4 and len(path4) <= len(a["as_path"]):
        a["as_path"][len(a["as_path"]) - len(path4):] = path4
    return gone, {p: dict(a, next_hop=hop or a["next_hop"])
                  for p, hop in reach}, raw


def print_ext(v):
    name = {2: "rt", 3: "soo"}.get(v[1])
    if name is None or v[0] not in (0, 1, 2):
        return v.hex()
    if v[0] == 0:
        return "%s %d:%d" % ((name,) + struct.unpack("!HI", v[2:]))
    if v[0] == 2:
        return "%s %d:%d" % ((name,) + struct.unpack("!IH", v[2:]))
    return "%s %s:%d" % (name, socket.inet_ntoa(v[2:6]),
                         struct.unpack("!H", v[6:])[0])


class Closed(ConnectionError):
    """The other side closed the connection."""


class Connection:
    """One TCP connection; every read has a deadline."""

    def __init__(self, sock):
        self.sock, self.pending = sock, b""
        self.local = sock.getsockname()[0]

    @classmethod
    def dial(cls, ns, local, remote, port=179, timeout=5):
        """Who was started just now may not listen yet, so a refusal is
        believed only after the timeout."""
        fam = socket.AF_INET6 if ":" in remote else socket.AF_INET
        end = time.monotonic() + timeout
        while True:
            s = ns.socket(fam)
            try:
                s.settimeout(timeout)
                s.bind((local, 0))
                s.connect((remote, port))
                return cls(s)
            except OSError as e:
                s.close()
                if (not isinstance(e, ConnectionRefusedError) or
                        time.monotonic() > end):
                    raise
            time.sleep(0.05)

    @staticmethod
    def listen(ns, local, port=179):
        fam = socket.AF_INET6 if ":" in local else socket.AF_INET
        s = ns.socket(fam)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((local, port))
        s.listen(8)
        return s

    def send(self, data):
        self.sock.sendall(data)

    def recv(self, timeout=10):
        """The next message as (type, body); Closed, or TimeoutError."""
        end = time.monotonic() + timeout
        while True:
            if len(self.pending) >= 19:
                n, kind = struct.unpack("!HB", self.pending[16:19])
                if len(self.pending) >= n:
                    body = self.pending[19:n]
                    self.pending = self.pending[n:]
                    return kind, body
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no message within %g s" % timeout)
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(1 << 18)
            except socket.timeout:
                raise TimeoutError("no message within %g s" % timeout)
            except ConnectionResetError:
                raise Closed("reset")
            if not data:
                raise Closed("closed")
            self.pending += data

    def wait_for(self, kind, timeout=10):
        """The body of the next message of that type; others are skipped."""
        end = time.monotonic() + timeout
        while True:
            got, body = self.recv(max(0.01, end - time.monotonic()))
            if got == kind:
                return body

    def wait_closed(self, timeout=10):
        """Read to the end; returns the NOTIFICATION's (code, sub, data)."""
        end, seen = time.monotonic() + timeout, None
        while True:
            try:
                kind, body = self.recv(max(0.01, end - time.monotonic()))
            except Closed:
                return seen
            if kind == NOTIFICATION:
                seen = (body[0], body[1], body[2:])

    def close(self):
        self.sock.close()

    def reset(self):
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def handshake(self, asn, hold=90, router_id="192.0.2.99",
                  families=("inet",), as4=True, caps=None, timeout=10):
        """OPEN, KEEPALIVE both ways; returns the body of their OPEN."""
        if caps is None:
            caps = capabilities(asn, families, as4)
        self.send(open_message(asn, hold, router_id, caps))
        theirs = self.wait_for(OPEN, timeout)
        self.send(keepalive())
        self.wait_for(KEEPALIVE, timeout)
        return theirs


def in_session(dial, asn, deadline=30, **handshake):
    """A connection in a session; dial() makes another one while what it made is
    closed: the daemon's idle hold may run."""
    def shaken():
        conn = dial()
        try:
            conn.handshake(asn, **handshake)
        except OSError:
            conn.close()
            raise
        return conn
    return wait_until(shaken, deadline, step=0.1, what="a session")


class Speaker:
    """An established session that answers keepalives by itself.

    table is {prefix: attributes} of what was received, in the form of
    routers.attributes() and with unknown, aggregator and atomic beside.
    """

    def __init__(self, ns, local, remote, asn, families=None, hold=90,
                 router_id="192.0.2.99", as4=True, listener=None,
                 deadline=30, caps=None):
        self.asn, self.as4, self.local, self.remote = asn, as4, local, remote
        self.families = families or (
            ("inet6",) if ":" in local else ("inet",))
        self.lock, self.table, self.ends = threading.Lock(), {}, set()
        self.notification, self.refreshes = None, []
        self.updates = self.keepalives = 0
        self.closed, self.error = threading.Event(), None
        self.conn = self._connect(ns, local, remote, listener, deadline, dict(
            asn=asn, hold=hold, router_id=router_id, families=self.families,
            as4=as4, caps=caps))
        self.send_lock = threading.Lock()
        self.hold = hold
        self.last_sent = time.monotonic()
        threading.Thread(target=self._read, daemon=True).start()

    @staticmethod
    def _connect(ns, local, remote, listener, deadline, args):
        """With a listener (Connection.listen()) we wait for it to dial."""
        def dial():
            if not listener:
                return Connection.dial(ns, local, remote, timeout=2)
            listener.settimeout(max(0.1, end - time.monotonic()))
            return Connection(listener.accept()[0])
        end = time.monotonic() + deadline
        return in_session(dial, deadline=deadline, timeout=5, **args)

    def _read(self):
        step = max(0.5, self.hold / 3) if self.hold else 60
        while not self.closed.is_set():
            if time.monotonic() - self.last_sent >= step:
                try:
                    self.send(keepalive())
                except OSError:
                    break
            try:
                kind, body = self.conn.recv(step / 2)
            except TimeoutError:
                continue
            except (Closed, OSError):
                break
            try:
                self._take(kind, body)
            except Exception as e:      # shown by whoever looks at the table
                self.error = e
                break
        self.closed.set()

    def _take(self, kind, body):
        if kind == NOTIFICATION:
            self.notification = (body[0], body[1], body[2:])
        elif kind == KEEPALIVE:
            self.keepalives += 1
        elif kind == REFRESH:
            self.refreshes.append(body)
        elif kind == UPDATE:
            gone, reach, raw = parse_update(body, self.as4)
            with self.lock:
                self.updates += 1
                if not gone and not reach:
                    self.ends.add("inet" if not raw else "inet6")
                for p in gone:
                    self.table.pop(p, None)
                self.table.update(reach)

    def send(self, data):
        with self.send_lock:
            self.conn.sock.settimeout(120)
            self.conn.send(data)
            self.last_sent = time.monotonic()

    def announce(self, *routes, next_hop=None):
        self.send(b"".join(announcement(r, self.asn, next_hop or self.local,
                                        self.as4) for r in routes))

    def withdraw(self, *prefixes):
        self.send(b"".join(map(withdrawal, prefixes)))

    def routes(self, extra=False):
        """The table; without extra only what all routers can show."""
        if self.error:
            raise AssertionError("what we received: %r" % self.error)
        with self.lock:
            return {p: dict(a) if extra else {
                k: v for k, v in a.items()
                if k not in ("unknown", "aggregator", "atomic")}
                for p, a in self.table.items()}

    def up(self):
        return not self.closed.is_set()

    def close(self, notify=True):
        if notify and self.up():
            try:
                self.send(notification(6, 2))
            except OSError:
                pass
        self.closed.set()
        self.conn.close()

"""A small IRRd: answers the queries of bgpq4 from a table, and nothing else.

sets is {as-set: [members]}, routes is {asn: [prefixes]}.  aggregate says
whether it knows the !a query of IRRd 3 and later.
"""

import ipaddress
import socketserver
import threading


class IRRd:
    def __init__(self, sets, routes, aggregate=True):
        self.sets, self.routes, self.aggregate = sets, routes, aggregate
        self.seen = []
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    query = line.decode().strip()
                    owner.seen.append(query)
                    if query == "!q":
                        return
                    answer = owner.answer(query)
                    if answer is not None:
                        self.wfile.write(answer.encode())

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def members(self, name, done=None):
        done = set() if done is None else done
        out = []
        for m in self.sets[name]:
            if m in self.sets and m not in done:
                done.add(m)
                out += self.members(m, done)
            elif m not in self.sets:
                out.append(m)
        return out

    def prefixes(self, asns, version):
        return [p for a in asns for p in self.routes.get(a, [])
                if version in (0, ipaddress.ip_network(p).version)]

    @staticmethod
    def data(words):
        if not words:
            return "C\n"
        text = " ".join(words) + "\n"
        return "A%d\n%sC\n" % (len(text), text)

    def answer(self, q):
        if q == "!!":
            return None
        if q[:2] in ("!n", "!t", "!s"):
            return "C\n"
        if q.startswith("!a"):
            version = int(q[2]) if q[2:3] in ("4", "6") else 0
            name = q[3:] if version else q[2:]
            if not self.aggregate:
                return "F Unrecognized command\n"
            if not name:
                return "F Missing required set name for A query\n"
            if name not in self.sets:
                return "D\n"
            return self.data(self.prefixes(self.members(name), version))
        if q.startswith("!i"):
            name = q[2:].split(",")[0]
            if name not in self.sets:
                return "D\n"
            return self.data(self.members(name))
        if q.startswith("!gas") or q.startswith("!6as"):
            return self.data(self.prefixes(["AS" + q[4:]],
                                           4 if q[1] == "g" else 6))
        return "F Unrecognized command\n"

"""A PNG of lines over time, from the standard library alone."""

import struct
import zlib

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 800, 480, 70, 40, 20, 20
COLORS = ((0, 90, 200), (210, 60, 40), (30, 150, 60), (150, 80, 180),
          (220, 140, 0))
# 3 x 5 dots a sign, a row an octal digit.
FONT = {"0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711",
        "5": "74717", "6": "74757", "7": "71122", "8": "75757", "9": "75717",
        ".": "00002", "k": "45655", "M": "57755", " ": "00000", "s": "07617",
        "a": "03553", "n": "06555", "b": "46556", "i": "20222", "r": "05644",
        "d": "13553", "f": "32722", "o": "02552", "p": "06564", "e": "07574",
        "g": "35371", "u": "05557", "t": "27223"}


class Canvas:
    def __init__(self):
        self.rows = [bytearray(b"\xff" * 3 * WIDTH) for _ in range(HEIGHT)]

    def dot(self, x, y, color):
        x, y = int(x), int(y)
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            self.rows[y][3 * x:3 * x + 3] = bytes(color)

    def line(self, x0, y0, x1, y1, color, thick=1):
        n = int(max(abs(x1 - x0), abs(y1 - y0))) + 1
        for i in range(n + 1):
            x, y = x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n
            for d in range(thick):
                self.dot(x, y + d, color)
                self.dot(x + d, y, color)

    def text(self, x, y, word, color=(0, 0, 0)):
        for c in word:
            for r, bits in enumerate(FONT.get(c, "77777")):
                for k in range(3):
                    if int(bits, 8) >> (2 - k) & 1:
                        for dx in (0, 1):
                            for dy in (0, 1):
                                self.dot(x + 2 * k + dx, y + 2 * r + dy,
                                         color)
            x += 8

    def png(self, path):
        raw = b"".join(b"\0" + bytes(r) for r in self.rows)

        def chunk(kind, data):
            return struct.pack("!I", len(data)) + kind + data + struct.pack(
                "!I", zlib.crc32(kind + data))
        with open(path, "wb") as f:
            f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(
                "!IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)) +
                chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def short(v):
    for unit, div in (("M", 1000000), ("k", 1000)):
        if v >= div:
            return "%g%s" % (v / div, unit)
    return "%g" % v


def lines(path, series):
    """{name: [[seconds, count], ...]}, each from its first point on."""
    series = {k: [[t - v[0][0], n] for t, n in v] for k, v in series.items()
              if v}
    # The slow ones would press the others flat against the axis.
    ends = sorted(v[-1][0] for v in series.values())
    tmax = max(min(ends[-1], 8 * ends[0]), 0.01)
    nmax = max(n for v in series.values() for _, n in v) or 1
    c = Canvas()
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(t, n):
        return LEFT + width * t / tmax, TOP + height * (1 - n / nmax)
    for i in range(5):
        x, y = at(tmax * i / 4, nmax * i / 4)
        c.line(LEFT, y, WIDTH - RIGHT, y, (225, 225, 225))
        c.line(x, TOP, x, HEIGHT - BOTTOM, (225, 225, 225))
        c.text(6, y - 5, short(round(nmax * i / 4)))
        c.text(x - 16, HEIGHT - BOTTOM + 8, "%.2fs" % (tmax * i / 4))
    c.line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, (0, 0, 0))
    c.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, (0, 0, 0))
    for i, (name, points) in enumerate(series.items()):
        color = COLORS[i % len(COLORS)]
        last = (0, 0)
        for t, n in points:
            if t > tmax:
                break
            c.line(*at(*last), *at(t, n), color, 2)
            last = (t, n)
        c.text(LEFT + 20, TOP + 10 + 16 * i, name, color)
    c.png(path)

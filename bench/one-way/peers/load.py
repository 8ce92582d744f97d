"""The load of load.mjs, for peers in Python."""
import json
import struct
import sys
import time

RING = 1024


def read_arguments():
    role, port, size, warm_up, count = sys.argv[1:6]
    return role, int(port), int(size), int(warm_up), int(count)


def create_messages(size):
    return [
        (struct.pack("<I", number) + bytes(size - 4))[: size - 1] + bytes([number & 0xFF])
        for number in range(RING)
    ]


def tell(**result):
    print(json.dumps(result), flush=True)


class Tally:
    def __init__(self, warm_up, count):
        self.warm_up = warm_up
        self.total = warm_up + count
        self.received = 0
        self.checksum = 0
        self.began = 0.0

    def add(self, message):
        head = int.from_bytes(message[:4], "little")
        self.checksum = (self.checksum * 31 + head + message[-1]) & 0xFFFFFFFF
        self.received += 1
        if self.received == self.warm_up:
            self.began = time.perf_counter()
        elif self.received == self.total:
            ms = (time.perf_counter() - self.began) * 1000
            signed = self.checksum - (1 << 32) if self.checksum >> 31 else self.checksum
            tell(ms=ms, checksum=signed)

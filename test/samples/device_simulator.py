"""A device, as its maker would write one: device_simulator.py PORT DEVICE KEY

Written from the description of the protocol in sample/06-devices/README.md, with Python's standard
library and nothing of the TypeScript beside it. It logs in, says on standard output what it is told,
and does what it is told on standard input, line by line:

    reading SENSOR VALUE    sends a reading
    garble SENSOR VALUE     sends a reading of which a bit has changed on the way
    login                   sends its login once more
    raw HEX                 sends bytes as they are
    refuse STATUS           answers commands with that status from now on; 0: does them
    ignore                  answers no command any more
    quit                    ends

Exits with 0 if it was told to quit, and with 1 if the gateway has ended the connection.
"""

import binascii
import hashlib
import hmac
import select
import socket
import struct
import sys

CHALLENGE, LOGIN, WELCOME, REFUSED = 0x01, 0x02, 0x03, 0x04
READING, COMMAND, RESULT, DISPLAY = 0x10, 0x20, 0x21, 0x30


def checksum(content):
    """CRC-16/CCITT-FALSE: the CRC-CCITT of binhex, begun with 0xffff."""
    return struct.pack(">H", binascii.crc_hqx(content, 0xFFFF))


def frame(kind, body):
    content = bytes([kind]) + body
    content += checksum(content)
    return struct.pack(">H", len(content)) + content


def garbled(data):
    return data[:-3] + bytes([data[-3] ^ 0x10]) + data[-2:]


def say(*words):
    print(*words, flush=True)


class Device:
    def __init__(self, connection, name, key):
        self._connection = connection
        self._name = name
        self._key = key
        self._status = 0
        self._ignores = False
        self._login = b""

    def told(self, kind, body):
        """Does what a frame of the gateway says."""
        if kind == CHALLENGE:
            name = self._name.encode()
            proof = hmac.new(self._key.encode(), body + name, hashlib.sha256).digest()
            self._login = frame(LOGIN, proof + name)
            self._send(self._login)
        elif kind == WELCOME:
            say("welcome")
        elif kind == REFUSED:
            say("refused")
        elif kind == DISPLAY:
            say("display", body.decode())
        elif kind == COMMAND:
            number, code, argument = struct.unpack(">IBi", body)
            say("command", code, argument)
            if not self._ignores:
                self._send(frame(RESULT, struct.pack(">IBi", number, self._status, argument)))
        else:
            raise ValueError(f"A frame of the type {kind} is none that a device is sent")

    def typed(self, line):
        """Does what a line of standard input says. Returns whether to go on."""
        verb, *words = line.split()
        if verb in ("reading", "garble"):
            data = frame(READING, struct.pack(">Bi", int(words[0]), int(words[1])))
            self._send(garbled(data) if verb == "garble" else data)
        elif verb == "login":
            self._send(self._login)
        elif verb == "raw":
            self._send(bytes.fromhex(words[0]))
        elif verb == "refuse":
            self._status = int(words[0])
        elif verb == "ignore":
            self._ignores = True
        elif verb == "quit":
            return False
        else:
            raise ValueError(f"Nobody knows how to {verb}")
        say("done", verb)
        return True

    def _send(self, data):
        self._connection.sendall(data)


def frames_of(buffer):
    """Takes the whole frames out of a buffer."""
    while len(buffer) >= 2:
        (length,) = struct.unpack(">H", buffer[:2])
        if len(buffer) < 2 + length:
            return
        content, sent = bytes(buffer[2:length]), bytes(buffer[length : 2 + length])
        if checksum(content) != sent:
            raise ValueError(f"The checksum of {content!r} is not {sent!r}")
        del buffer[: 2 + length]
        yield content[0], content[1:]


def main(port, name, key):
    connection = socket.create_connection(("127.0.0.1", int(port)))
    device = Device(connection, name, key)
    buffer = bytearray()
    while True:
        ready, _, _ = select.select([connection, sys.stdin.buffer.raw], [], [])
        if connection in ready:
            try:
                received = connection.recv(65536)
            except ConnectionResetError:
                received = b""
            if not received:
                say("closed")
                return 1
            buffer += received
            for kind, body in frames_of(buffer):
                device.told(kind, body)
        if sys.stdin.buffer.raw in ready:
            lines = sys.stdin.buffer.raw.read(65536).decode()
            if not lines:
                return 0
            for line in lines.splitlines():
                if not device.typed(line):
                    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

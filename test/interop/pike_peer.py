"""A peer that speaks the wire format of the original Pike's primitives, in Python.

Written from the description of the format and from Python's own str and repr, never from the
TypeScript beside it: whatever the two agree on, they have not copied from each other. Blocking
sockets and the standard library only.

    pike_peer.py serve KIND REPLY PORT        serve one connection, and exit when its client ends
    pike_peer.py call KIND REPLY PORT [NUMBER...]
                                              send the awkward values of a kind (or the given
                                              numbers), check the replies, print both, and exit

KIND is bool, int, float or string. REPLY is what a server makes of a message: echo or double. In
front of all that, --byte-by-byte gives every byte to the system in a call of its own, and --times N
makes a client send its values so often. Whatever is wrong ends the program with a message and a
status that is not 0.
"""

import argparse
import socket
import threading

from awkward_values import AWKWARD_VALUES


class Input:
    """What arrives on a socket, taken as it is needed."""

    def __init__(self, connection):
        self._connection = connection
        self._bytes = bytearray()

    def ended(self):
        """Whether the other side has ended, with nothing left to read."""
        return not self._bytes and not self._receive()

    def take(self, count):
        """Takes so many bytes."""
        while len(self._bytes) < count:
            self._receive_or_fail()
        taken = bytes(self._bytes[:count])
        del self._bytes[:count]
        return taken

    def take_word(self):
        """Takes the characters before the next space, and the space."""
        while b" " not in self._bytes:
            self._receive_or_fail()
        word = self.take(self._bytes.index(b" ") + 1)
        return word[:-1].decode("ascii")

    def _receive(self):
        received = self._connection.recv(65536)
        self._bytes += received
        return len(received) > 0

    def _receive_or_fail(self):
        if not self._receive():
            raise EOFError(f"The connection ended in the middle of a message: {bytes(self._bytes)!r}")


def canonical(text, value, write):
    """The value, if its text is exactly what Python writes for it."""
    if write(value) != text:
        raise ValueError(f"Python writes {write(value)}, not {text}")
    return value


def write_bool(value):
    return str(value).encode()


def read_bool(source):
    word = source.take(4)
    if word == b"True":
        return True
    word += source.take(1)
    if word == b"False":
        return False
    raise ValueError(f"{word!r} is no bool")


def write_int(value):
    return f"{value} ".encode()


def read_int(source):
    text = source.take_word()
    return canonical(text, int(text), str)


def write_float(value):
    return f"{value!r} ".encode()


def read_float(source):
    text = source.take_word()
    return canonical(text, float(text), repr)


def write_string(value):
    content = value.encode("utf-8")
    return f"{len(content)} ".encode() + content


def read_string(source):
    text = source.take_word()
    return source.take(canonical(text, int(text), str)).decode("utf-8")


KINDS = {
    "bool": (write_bool, read_bool),
    "int": (write_int, read_int),
    "float": (write_float, read_float),
    "string": (write_string, read_string),
}

REPLIES = {"echo": lambda value: value, "double": lambda value: value * 2}


def send_at_once(connection, data):
    connection.sendall(data)


def send_byte_by_byte(connection, data):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        connection.sendall(bytes([byte]))


def serve(kind, reply, port, send):
    """Answers every message of one connection."""
    write, read = KINDS[kind]
    with socket.create_server(("127.0.0.1", port)) as server:
        print(f"listening on {port}", flush=True)
        connection, _ = server.accept()
    with connection:
        source = Input(connection)
        while not source.ended():
            send(connection, write(REPLIES[reply](read(source))))


def call(kind, reply, port, send, values):
    """Sends values, coalesced, and checks that each is answered as it should be, in order."""
    write, read = KINDS[kind]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        data = b"".join(write(value) for value in values)
        # A thread of its own: the replies must be read meanwhile, or both sides would wait.
        sender = threading.Thread(target=send, args=(connection, data), daemon=True)
        sender.start()
        source = Input(connection)
        for value in values:
            answer = read(source)
            expected = REPLIES[reply](value)
            # By their text: nan is not equal to itself, and -0.0 is equal to 0.0.
            if repr(answer) != repr(expected):
                raise ValueError(f"{value!r} was answered with {answer!r}, not {expected!r}")
        sender.join()
        connection.shutdown(socket.SHUT_WR)
        if not source.ended():
            raise ValueError(f"There is more than the replies: {source.take(1)!r}...")
    print(f"{len(values)} replies are right", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--byte-by-byte", action="store_true")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("role", choices=["serve", "call"])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("reply", choices=REPLIES)
    parser.add_argument("port", type=int)
    parser.add_argument("numbers", type=float, nargs="*")
    args = parser.parse_args()
    send = send_byte_by_byte if args.byte_by_byte else send_at_once
    if args.role == "serve":
        serve(args.kind, args.reply, args.port, send)
    else:
        values = (args.numbers or AWKWARD_VALUES[args.kind]) * args.times
        call(args.kind, args.reply, args.port, send, values)


main()

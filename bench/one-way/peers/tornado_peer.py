"""tornado's iostream: what the original Pike stands on. Chunks of 64 KiB are written at a time, and read
as they come: a wait for each message would cost it
several times as much."""
import asyncio
import struct

from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from load import RING, Tally, create_messages, read_arguments, tell

CHUNK = 65536
role, port, size, warm_up, count = read_arguments()
length_of = struct.Struct(">I").unpack_from


class Receiver(TCPServer):
    async def handle_stream(self, stream, address):
        tally = Tally(warm_up, count)
        rest = b""
        try:
            while True:
                rest = self.take(rest + await stream.read_bytes(CHUNK, partial=True), tally)
        except StreamClosedError:
            pass

    def take(self, data, tally):
        """Takes the whole messages; returns the rest."""
        at = 0
        while len(data) - at >= 4:
            end = at + 4 + length_of(data, at)[0]
            if end > len(data):
                break
            tally.add(data[at + 4 : end])
            at = end
        return data[at:]


async def send():
    stream = await TCPClient().connect("127.0.0.1", port)
    frames = [struct.pack(">I", size) + message for message in create_messages(size)]
    total = warm_up + count
    per_write = max(1, CHUNK // size)
    for sent in range(0, total, per_write):
        many = min(per_write, total - sent)
        await stream.write(b"".join(frames[i % RING] for i in range(sent, sent + many)))
    stream.close()


async def receive():
    Receiver().listen(port, "127.0.0.1")
    tell(ready=True)
    await asyncio.Event().wait()


asyncio.run(receive() if role == "receiver" else send())

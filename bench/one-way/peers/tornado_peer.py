"""tornado's iostream: what the original Pike stands on. Messages of 64 KiB are written at a time."""
import asyncio
import struct

from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from load import RING, Tally, create_messages, read_arguments, tell

role, port, size, warm_up, count = read_arguments()


class Receiver(TCPServer):
    async def handle_stream(self, stream, address):
        tally = Tally(warm_up, count)
        try:
            while True:
                (length,) = struct.unpack(">I", await stream.read_bytes(4))
                tally.add(await stream.read_bytes(length))
        except StreamClosedError:
            pass


async def send():
    stream = await TCPClient().connect("127.0.0.1", port)
    frames = [struct.pack(">I", size) + message for message in create_messages(size)]
    total = warm_up + count
    per_write = max(1, 65536 // size)
    for sent in range(0, total, per_write):
        many = min(per_write, total - sent)
        await stream.write(b"".join(frames[i % RING] for i in range(sent, sent + many)))
    stream.close()


async def receive():
    Receiver().listen(port, "127.0.0.1")
    tell(ready=True)
    await asyncio.Event().wait()


asyncio.run(receive() if role == "receiver" else send())

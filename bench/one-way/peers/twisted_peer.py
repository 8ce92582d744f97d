"""Twisted's Int32StringReceiver, paced by its transport as a push producer; on epoll, its default."""
from twisted.internet import protocol, reactor
from twisted.protocols.basic import Int32StringReceiver

from load import RING, Tally, create_messages, read_arguments, tell

role, port, size, warm_up, count = read_arguments()


class Receiver(Int32StringReceiver):
    def connectionMade(self):
        self.tally = Tally(warm_up, count)

    def stringReceived(self, message):
        self.tally.add(message)


class Sender(Int32StringReceiver):
    paused = False
    sent = 0
    total = warm_up + count

    def connectionMade(self):
        self.messages = create_messages(size)
        self.transport.registerProducer(self, True)
        self.resumeProducing()

    def pauseProducing(self):
        self.paused = True

    def stopProducing(self):
        self.paused = True

    def resumeProducing(self):
        self.paused = False
        while not self.paused and self.sent < self.total:
            self.sendString(self.messages[self.sent % RING])
            self.sent += 1
        if self.sent == self.total:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def connectionLost(self, reason):
        reactor.stop()


if role == "receiver":
    reactor.listenTCP(port, protocol.Factory.forProtocol(Receiver), interface="127.0.0.1")
    reactor.callWhenRunning(lambda: tell(ready=True))
else:
    reactor.connectTCP("127.0.0.1", port, protocol.ClientFactory.forProtocol(Sender))
reactor.run()

// Many connections of this package.
import { LengthPrefixedConverter, rawPayload } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import { RING } from '../one-way/load.mjs';

const host = '127.0.0.1';
const converter = new LengthPrefixedConverter({ bytes: 4, payload: rawPayload });

/** Accepts connections, and sends acknowledgements on the first. @returns the port */
export async function listen(sum) {
  const connector = new NetConnector({ converter, host, port: 0, backlog: 4096 });
  let first;
  sum.acknowledge = (received) => {
    const message = Buffer.alloc(4);
    message.writeUInt32LE(received);
    connector.send(first, message);
  };
  connector.subscribe((event) => {
    if (event.type === 'messageReceived') {
      const { message } = event;
      sum.add(message.readUInt32LE(0), message[message.length - 1]);
    } else if (event.type === 'remoteConnect') {
      event.finishAccept();
      first ??= event.connection;
    } else throw event.error ?? new Error(`a connection has ended: ${event.type}`);
  });
  await connector.run();
  return connector.address.port;
}

/** Opens connections. @param acknowledged called with what the receiver has received */
export class Connections {
  #connector = new NetConnector({ converter });
  #connections = [];

  async open(port, count, acknowledged) {
    this.#connector.subscribe((event) => {
      if (event.type !== 'messageReceived') throw event.error ?? new Error(event.type);
      acknowledged(event.message.readUInt32LE(0));
    });
    await this.#connector.run();
    for (let i = 0; i < count; i++) {
      const { connection, error } = await this.#connector.connectWaiting({ host, port });
      if (error) throw error;
      this.#connections.push(connection);
    }
  }

  /** Sends, on each, the next `perTurn` of the messages. @param from the number of the first */
  send(messages, perTurn, from) {
    let number = from;
    for (const connection of this.#connections) {
      for (const end = number + perTurn; number < end; number++) {
        this.#connector.send(connection, messages[number % RING]);
      }
    }
  }
}

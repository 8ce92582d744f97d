// Prevents: a hospital's message that is not acknowledged, or acknowledged as another's, or a wrong one that is
// accepted; and a sender that loses its connection by a message that it could have been told of.
import { describe, expect, it } from '@jest/globals';
import { MllpConverter } from 'nestjs-pike/converters';
import { decodePieces } from 'nestjs-pike/testing';
import { Client, Message } from 'node-hl7-client';
import { Hl7Message } from '../../sample/05-hl7/hl7-message.js';
import type { Program } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';
import { PATIENCE, useSample } from './use-sample.js';

/** A sender with a library of somebody else's, which sends a message when the one before is acknowledged. */
class Sender {
  readonly #connection;
  readonly #acknowledgements: Message[] = [];
  #arrived: (() => void) | undefined;

  constructor(port: number) {
    this.#connection = new Client({ host: '127.0.0.1' }).createConnection({ port }, (response) => {
      this.#acknowledgements.push(response.getMessage());
      this.#arrived?.();
    });
  }

  /** Sends a message. @returns MSA-1, MSA-2 and ERR-3, ERR-8 of what comes back */
  async send(event: string, segments: Record<string, string> = {}): Promise<unknown[]> {
    const [code = '', trigger = ''] = event.split('^');
    const message = new Message({
      messageHeader: { msh_9_1: code, msh_9_2: trigger, msh_11_1: 'P' },
    });
    for (const [path, value] of Object.entries(segments)) {
      const [segment = ''] = path.split('.');
      if (!message.exists(segment)) message.addSegment(segment);
      message.set(path, value);
    }
    const arrives = new Promise<void>((resolve) => (this.#arrived = resolve));
    await this.#connection.sendMessage(message);
    await arrives;
    const reply = this.#acknowledgements.at(-1);
    const of = (path: string): string | undefined =>
      reply?.exists(path) === true ? reply.get(path).toString() : undefined;
    const sameId = of('MSA.2') === message.get('MSH.10').toString();
    return [of('MSA.1'), sameId, of('ERR.3.1'), of('ERR.8')].filter((each) => each !== undefined);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

const block = (...segments: string[]): string => `\x0b${segments.join('\r')}\r\x1c\r`;
const admission = (controlId: string, patient: string): string =>
  block(
    `MSH|^~\\&|HIS|CITY|PIKE||20260102||ADT^A01|${controlId}|P|2.5`,
    `PID|1||${patient}||Doe^John`,
    'PV1|1|I|4W',
  );

describe('a Nest application that takes HL7 messages', () => {
  let program: Program;
  let port: number;
  const defer = useSample('05-hl7', 1, (sample) => {
    ({ program } = sample);
    port = sample.ports[0] as number;
  });

  const sender = (): Sender => {
    const opened = new Sender(port);
    defer(() => opened.close());
    return opened;
  };
  const rawPeer = async (): Promise<RawPeer> => {
    const peer = await RawPeer.connect({ host: '127.0.0.1', port });
    defer(() => peer.destroy());
    return peer;
  };
  /** Waits for so many acknowledgements. @returns MSA-1, MSA-2 and ERR-3 of each */
  const acknowledgements = async (peer: RawPeer, count: number): Promise<string[][]> => {
    const texts = () => decodePieces(new MllpConverter(), [peer.received]);
    let replies = await texts();
    while (replies.messages.length < count) {
      await peer.bytes(peer.bytesReceived + 1);
      replies = await texts();
    }
    expect(replies).toMatchObject({ error: undefined, incomplete: false });
    return replies.messages.map((text) => {
      const message = Hl7Message.parse(text);
      return [message.get('MSA', 1), message.get('MSA', 2), message.get('ERR', 3)];
    });
  };

  it(
    'acknowledges what a sender sends, by its control id, when it has been done',
    async () => {
      const hospital = sender();
      const patient = { 'PID.3': '12345', 'PID.5': 'Doe^John', 'PV1.3': '4W' };
      expect(await hospital.send('ADT^A01', patient)).toEqual(['AA', true]);
      await program.prints('was admitted: {"id":"12345","ward":"4W"}');
      expect(await hospital.send('ADT^A02', { 'PID.3': '12345', 'PV1.3': '5W' })).toEqual([
        'AA',
        true,
      ]);
      await program.prints('was moved: {"id":"12345","ward":"5W"}');
      expect(await hospital.send('ADT^A03', { 'PID.3': '12345' })).toEqual(['AA', true]);
      await program.prints('was discharged: {"id":"12345","ward":"5W"}');
    },
    PATIENCE,
  );

  it.each<[string, string, Record<string, string>, string[]]>([
    ['a required field is missing', 'ADT^A01', {}, ['AE', '101', 'PID-3 is required.']],
    ['a patient is unknown', 'ADT^A03', { 'PID.3': '9' }, ['AE', '204', 'Patient 9 is not here.']],
    [
      'nobody takes such messages',
      'ORU^R01',
      { 'OBX.3': 'x' },
      ['AR', '200', 'Messages of this type are not taken here.'],
    ],
  ])(
    'says that %s, and goes on with the same sender',
    async (_, event, segments, [code, condition, text]) => {
      const hospital = sender();
      const patient = { 'PID.3': `of ${event}`, 'PV1.3': '4W' };
      expect(await hospital.send(event, segments)).toEqual([code, true, condition, text]);
      expect(await hospital.send('ADT^A01', patient)).toEqual(['AA', true]);
    },
    PATIENCE,
  );

  it('acknowledges each of several messages that come in one go', async () => {
    const peer = await rawPeer();
    const ids = Array.from({ length: 200 }, (_, index) => `go-${index}`);
    peer.write(ids.map((id) => admission(id, id)).join(''));
    const replies = await acknowledgements(peer, 200);
    expect(new Map(replies.map(([code, id]) => [id, code]))).toEqual(
      new Map(ids.map((id) => [id, 'AA'])),
    );
  });

  it('answers what is no message, and what has no control id, one like the other', async () => {
    const peer = await rawPeer();
    peer.write(
      block('no message') +
        block('') +
        block('MSH|^~\\&|HIS||||||ADT^A01||P|2.5') +
        block(`MSH|^~\\&|HIS||||||ADT^A01|${'9'.repeat(200)}|P|2.5`) +
        admission('fine', 'fine'),
    );
    expect(
      (await acknowledgements(peer, 5)).sort((a, b) => (a.join() < b.join() ? -1 : 1)),
    ).toEqual([
      ['AA', 'fine', ''],
      ['AR', '', '100'],
      ['AR', '', '100'],
      ['AR', '', '101'],
      ['AR', '', '102'],
    ]);
  });

  it('gives a control id back as it was, and takes nothing in it for segments of its own', async () => {
    const peer = await rawPeer();
    peer.write(admission('4\\T\\7\\F\\MSA', 'delimiters'));
    expect(await acknowledgements(peer, 1)).toEqual([['AA', '4&7|MSA', '']]);
  });

  it.each([
    ['no start', 'MSH|^~\\&|'],
    ['a message within another', '\x0bMSH|^~\\&|\x0bMSH|^~\\&|\x1c\r'],
    ['text that is no UTF-8', Buffer.from('\x0bMSH|^~\\&|\xff\x1c\r', 'latin1')],
    ['no end', `\x0b${'x'.repeat(1024 * 1024)}`],
  ])('ends a connection by %s, and no other', async (_, bytes) => {
    const hospital = sender();
    expect(await hospital.send('ADT^A03')).toEqual(['AE', true, '101', 'PID-3 is required.']);
    const peer = await rawPeer();
    peer.write(bytes);
    await peer.ended;
    expect(peer.text).toBe('');
    expect(await hospital.send('ADT^A03')).toEqual(['AE', true, '101', 'PID-3 is required.']);
  });

  it(
    'ends by a signal, with nothing to complain of',
    async () => {
      program.kill('SIGTERM');
      expect(await program.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
    },
    PATIENCE,
  );
});

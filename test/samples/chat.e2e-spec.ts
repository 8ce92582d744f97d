// Prevents: a chat in which one member can stop, spoil or end the conversation of the others, or that
// forgets what was said when it closes; and a client that garbles what its user types.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pythonVersion, withoutPython } from '../interop/python.js';
import { Project } from '../support/project.js';
import { RawListener } from '../support/raw-peer.js';
import type { RawPeer } from '../support/raw-peer.js';
import { Chat } from './chat-programs.js';

/** Starting programs takes its time on a busy machine. */
const PATIENCE = 60_000;
/** What the sample allows: see its chat-rules.ts, protocol.ts and main.ts. */
const LINES_AT_ONCE = 50;
const LONGEST_LINE = 2_048;
const MOST_WAITING = 1_000;
/** What the system takes at most for a socket that is not read, with room to spare, in bytes. */
const MOST_BUFFERED = 16_777_216;

let project: Project;
let chat: Chat;

beforeAll(async () => {
  project = await Project.create();
  await project.addFolder('sample/02-chat');
});
afterAll(() => project.remove());
beforeEach(async () => {
  chat = await Chat.start(project);
});
afterEach(async () => {
  // Whatever happened, the server has lived and has nothing to complain of.
  expect(await chat.stop()).toMatchObject({ signal: 'SIGTERM', stderr: '' });
});

/** What somebody was told from a text on. */
function since(peer: RawPeer, text: string): string {
  return peer.text.slice(peer.text.indexOf(text));
}

/** A round of messages: they are all there, and what was said before has been told to each. */
async function expectAllToHear(...members: RawPeer[]): Promise<void> {
  for (const [index, member] of members.entries()) {
    const mark = `: mark ${index}\n`;
    member.write(`mark ${index}\n`);
    for (const other of members)
      if (other !== member) expect(await other.sees(mark)).toContain(mark);
  }
}

describe('the chat', () => {
  it(
    'tells everybody else what a member says, and who comes and goes',
    async () => {
      const ann = await chat.member('ann');
      const bob = await chat.member('bob');
      const carl = await chat.member('carl');
      await ann.sees('* carl has joined.\n');
      ann.write('hello\r\n\n   \n  all of you \n');
      await Promise.all([bob, carl].map((peer) => peer.sees('ann: all of you\n')));
      bob.write('/quit\n');
      await bob.ended;
      await carl.destroy();
      await ann.sees('* carl has left.\n');

      expect(since(ann, '* Welcome')).toBe(
        '* Welcome, ann. You are alone.\n* bob has joined.\n* carl has joined.\n' +
          '* bob has left.\n* carl has left.\n',
      );
      expect(since(bob, '* Welcome')).toBe(
        '* Welcome, bob. Here: ann.\n* carl has joined.\nann: hello\nann: all of you\n* Goodbye.\n',
      );
      expect(since(carl, '* Welcome')).toContain(
        '* Welcome, carl. Here: ann, bob.\nann: hello\nann: all of you\n',
      );
    },
    PATIENCE,
  );

  it(
    'answers commands to the one who gives them',
    async () => {
      const [ann, bob] = [await chat.member('ann'), await chat.member('bob')];
      bob.write('/who\n/dance\n');

      await bob.sees('* Here: ann, bob.\n* The commands are /who and /quit.\n');
      await expectAllToHear(ann, bob);
      expect(since(ann, '* bob')).toBe('* bob has joined.\nbob: mark 1\n');
    },
    PATIENCE,
  );

  it(
    'shows nobody what would take over a terminal',
    async () => {
      const [ann, bob] = [await chat.member('ann'), await chat.member('bob')];
      ann.write('\u001b[2J\rbob: I am a fool\u0007\n');

      expect(await bob.sees('fool')).toContain('ann: [2J bob: I am a fool\n');
    },
    PATIENCE,
  );

  it.each<[string, Buffer]>([
    ['a line that is too long', Buffer.alloc(LONGEST_LINE + 1, 'x')],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x0a])],
  ])(
    'ends the connection of a member that sends %s, and no other',
    async (_, bytes) => {
      const [ann, bob, carl] = [
        await chat.member('ann'),
        await chat.member('bob'),
        await chat.member('carl'),
      ];
      ann.write(bytes);

      await ann.ended;
      await Promise.all([bob, carl].map((peer) => peer.sees('* ann has left.\n')));
      await expectAllToHear(bob, carl);
    },
    PATIENCE,
  );
});

describe('a nickname', () => {
  it(
    'that is taken or is none is refused, and asked for again',
    async () => {
      const ann = await chat.member('ann');
      const other = await chat.visitor();
      other.write('ann\n');
      await other.sees('* "ann" is taken. What is your nickname?\n');
      other.write('Ann\n');
      await other.sees('* "Ann" is taken. What is your nickname?\n');
      other.write('two words\n');
      await other.sees(
        '* A nickname is 1 to 20 letters, digits, "-" and "_". What is your nickname?\n',
      );
      other.write('anna\n');

      await other.sees('* Welcome, anna. Here: ann.\n');
      expect(await ann.sees('* anna has joined.\n')).not.toContain('two words');
    },
    PATIENCE,
  );

  it(
    'can be tried five times',
    async () => {
      await chat.member('ann');
      const other = await chat.visitor();
      other.write('ann\n'.repeat(10));

      await other.ended;
      expect(other.text.match(/is taken/g)).toHaveLength(5);
      expect(other.text).toMatch(/That was the last attempt. Goodbye.\n$/);
    },
    PATIENCE,
  );

  it(
    'may come with what is to be said, which is said afterwards, in order',
    async () => {
      const ann = await chat.member('ann');
      const bob = await chat.visitor();
      bob.write('ann\nbob\none\ntwo\nthree\n/quit\n');

      await bob.ended;
      await ann.sees('* bob has left.\n');
      expect(since(ann, '* bob has joined')).toBe(
        '* bob has joined.\nbob: one\nbob: two\nbob: three\n* bob has left.\n',
      );
    },
    PATIENCE,
  );

  it(
    'is nobody’s when its visitor leaves in mid-negotiation: by /quit, by ending, by a reset',
    async () => {
      const ann = await chat.member('ann');
      const [quits, ends, resets] = [
        await chat.visitor(),
        await chat.visitor(),
        await chat.visitor(),
      ];
      quits.write('ann\n/quit\n');
      await quits.ended;
      ends.write('bo');
      ends.end();
      await ends.ended;
      resets.reset();
      await resets.closed;

      expect(quits.text).toContain('* Goodbye.\n');
      const bob = await chat.member('bob');
      await expectAllToHear(ann, bob);
      expect(since(ann, '* Welcome')).toBe(
        '* Welcome, ann. You are alone.\n* bob has joined.\nbob: mark 1\n',
      );
    },
    PATIENCE,
  );

  it(
    'is free again when its owner has gone right behind it',
    async () => {
      const ann = await chat.member('ann');
      const bob = await chat.visitor();
      bob.write('bob\nlast words\n');
      bob.end();

      await ann.sees('* bob has joined.\nbob: last words\n* bob has left.\n');
      await expectAllToHear(ann, await chat.member('bob'));
    },
    PATIENCE,
  );
});

describe('a member that floods', () => {
  it(
    'is thrown out, and the others go on',
    async () => {
      const [ann, bob, carl] = [
        await chat.member('ann'),
        await chat.member('bob'),
        await chat.member('carl'),
      ];
      ann.write('flood\n'.repeat(100_000));

      await ann.sees('* You talk too much. Goodbye.\n');
      await Promise.all([bob, carl].map((peer) => peer.sees('* ann has left.\n')));
      await expectAllToHear(bob, carl);
      const heard = bob.text.match(/ann: flood\n/g)?.length ?? 0;
      expect(heard).toBeGreaterThanOrEqual(LINES_AT_ONCE);
      // Not many more than at once: some are regained while they come.
      expect(heard).toBeLessThan(2 * LINES_AT_ONCE);
    },
    PATIENCE,
  );

  it(
    'before it has a nickname gets no further than that',
    async () => {
      const ann = await chat.member('ann');
      const other = await chat.visitor();
      other.write('not a nickname\n'.repeat(100_000));

      await other.sees('That was the last attempt.');
      const bob = await chat.member('bob');
      await expectAllToHear(ann, bob);
      expect(ann.text).not.toContain('not a nickname');
    },
    PATIENCE,
  );
});

describe('a member that never reads', () => {
  it(
    'is dropped in the end, and meanwhile the others miss nothing',
    async () => {
      const bob = await chat.member('bob');
      const sleeper = await chat.member('sleeper');
      sleeper.pause();
      const line = 'x'.repeat(LONGEST_LINE - 20);
      const burst = `${line}\n`.repeat(LINES_AT_ONCE - 1);
      let spoken = 0;
      // One who talks so much is thrown out, so that there must be many.
      while (!bob.text.includes('* sleeper has left.')) {
        const name = `speaker${spoken}`;
        const speaker = await chat.member(name);
        speaker.write(burst);
        speaker.write('/quit\n');
        spoken++;
        await bob.sees(`* ${name} has left.\n`);
        await speaker.destroy();
      }

      expect(bob.text.split(`: ${line}\n`)).toHaveLength(spoken * (LINES_AT_ONCE - 1) + 1);
      // Dropped for the lines that waited, not for the time: far more than a system buffers.
      expect(spoken * burst.length).toBeLessThan(MOST_BUFFERED + MOST_WAITING * LONGEST_LINE);
      const carl = await chat.member('carl');
      await expectAllToHear(bob, carl);
    },
    4 * PATIENCE,
  );
});

describe('when the server is told to stop', () => {
  it(
    'everybody is told, in the room or not, and all that was said is sent',
    async () => {
      const ann = await chat.member('ann');
      const slow = await chat.member('slow');
      const visitor = await chat.visitor();
      slow.pause();
      const lines = Array.from({ length: LINES_AT_ONCE }, (_, index) =>
        `${index}`.padEnd(2_000, '.'),
      );
      ann.write(lines.map((line) => `${line}\n`).join(''));
      await expectAllToHear(await chat.member('bob'), await chat.member('carl'));

      chat.server.kill('SIGTERM');
      await Promise.all([ann, visitor].map((peer) => peer.ended));
      slow.resume();
      await slow.ended;

      for (const peer of [ann, slow, visitor]) {
        expect(peer.text).toMatch(/\* The server is shutting down. Goodbye.\n$/);
      }
      const heard = slow.text.split('\n').filter((text) => text.startsWith('ann: '));
      expect(heard).toEqual(lines.map((line) => `ann: ${line}`));
    },
    PATIENCE,
  );
});

describe('the client, with pipes', () => {
  it(
    'says what it is given, shows what it is told, and leaves at the end',
    async () => {
      const ann = await chat.member('ann');
      const client = chat.client();
      client.type('bob\nhello\n/who\n');
      client.endInput();

      expect(await client.program.ended).toEqual({
        code: 0,
        signal: null,
        stdout:
          '* What is your nickname?\n* Welcome, bob. Here: ann.\n* Here: ann, bob.\n* Goodbye.\n',
        stderr: '',
      });
      await ann.sees('* bob has joined.\nbob: hello\n* bob has left.\n');
    },
    PATIENCE,
  );

  it(
    'leaves politely when it is interrupted, and when it is told /quit',
    async () => {
      const ann = await chat.member('ann');
      const [one, other] = [chat.client(), chat.client()];
      one.type('one\n');
      await one.program.prints('Welcome');
      one.program.kill('SIGINT');
      other.type('other\n/quit\n');

      const left = { code: 0, stderr: '', stdout: expect.stringMatching(/\* Goodbye.\n$/) };
      expect(await one.program.ended).toMatchObject(left);
      expect(await other.program.ended).toMatchObject(left);
      await Promise.all([ann.sees('* one has left.\n'), ann.sees('* other has left.\n')]);
    },
    PATIENCE,
  );

  it(
    'does not say what is longer than may be, and stays',
    async () => {
      const ann = await chat.member('ann');
      const client = chat.client();
      client.type(`bob\n${'x'.repeat(LONGEST_LINE)}\nhello\n`);
      client.endInput();

      expect(await client.program.ended).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('too long'),
      });
      await ann.sees('* bob has joined.\nbob: hello\n* bob has left.\n');
    },
    PATIENCE,
  );

  it(
    'exits with 1 when the server goes',
    async () => {
      const client = chat.client();
      client.type('bob\n');
      await client.program.prints('Welcome');
      chat.server.kill('SIGTERM');

      expect(await client.program.ended).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('shutting down'),
        stderr: 'The server has ended the connection.\n',
      });
    },
    PATIENCE,
  );

  it(
    'does not wait for a server that does not let it go, when it is interrupted again',
    async () => {
      const silent = await RawListener.listen({ reading: false });
      const { port } = silent.address as { port: number };
      const client = chat.client({ args: [`127.0.0.1:${port}`] });
      const server = await silent.accept();
      server.write('* What is your nickname?\n');
      await client.program.prints('nickname');
      client.program.kill('SIGINT');
      server.resume();
      await server.sees('/quit\n');
      client.program.kill('SIGINT');

      expect(await client.program.ended).toMatchObject({ code: 0, stderr: '' });
      await silent.close();
    },
    PATIENCE,
  );

  it(
    'says what was not sent',
    async () => {
      const silent = await RawListener.listen({ reading: false });
      const { port } = silent.address as { port: number };
      const client = chat.client({ args: [`127.0.0.1:${port}`] });
      const server = await silent.accept();
      // More than the system takes for somebody who does not read.
      for (let i = 0; i < 10_000; i++) client.type(`${`${i}`.padEnd(2_000, '.')}\n`);
      client.type('the last\n');
      server.write('* What is your nickname?\n');
      await client.program.prints('nickname');
      client.endInput();

      const { code, stderr } = await client.program.ended;
      expect(code).toBe(0);
      expect(stderr).toContain('Not sent: the last\n');
      expect(stderr).not.toContain('/quit');
      await silent.close();
    },
    PATIENCE,
  );

  it(
    'exits with 1 when there is no server, and with 2 when it is used wrongly',
    async () => {
      const silent = await RawListener.listen();
      const { port } = silent.address as { port: number };
      await silent.close();

      expect(await chat.client({ args: [`127.0.0.1:${port}`] }).program.ended).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('Could not connect'),
      });
      for (const args of [['somewhere'], ['127.0.0.1:0'], ['127.0.0.1:99999'], ['a:1', 'b']]) {
        expect(await chat.client({ args }).program.ended).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('Usage'),
        });
      }
    },
    PATIENCE,
  );
});

function inTerminal(): void {
  it(
    'keeps what is being typed below what comes in',
    async () => {
      const bob = await chat.member('bob');
      const client = chat.client({ terminal: { columns: 40 } });
      await client.shows('* What is your nickname?', '>');
      client.type('ann\r');
      await client.shows('> ann', '* Welcome, ann. Here: bob.', '>');
      client.type('hel');
      await client.shows('> hel');

      bob.write('may I interrupt\n');
      await client.shows('bob: may I interrupt', '> hel');
      expect(client.screen.cursor.column).toBe('> hel'.length);
      client.type('lo');
      await client.shows('bob: may I interrupt', '> hello');
      client.type('\r');

      expect(await bob.sees('ann: hello\n')).not.toContain('interrupt\n');
      await client.shows('bob: may I interrupt', '> hello', '>');
    },
    PATIENCE,
  );

  it(
    'keeps a line of several rows, with the cursor where it was',
    async () => {
      const bob = await chat.member('bob');
      const client = chat.client({ terminal: { columns: 20 } });
      await client.shows('>');
      client.type('ann\r');
      await client.shows('* Welcome, ann. Here', ': bob.', '>');
      client.type('one two three four five six seven');
      await client.shows('> one two three four', ' five six seven');
      const typed = ['> one two three four', ' five six seven'];

      bob.write('first\n');
      await client.shows('* Welcome, ann. Here', ': bob.', 'bob: first', ...typed);
      bob.write('again\n');
      await client.shows(': bob.', 'bob: first', 'bob: again', ...typed);
      // Back to the first row, in front of "four".
      client.type('\u001b[D'.repeat('four five six seven'.length));
      bob.write('second, which is longer than a row\n');
      const rows = ['bob: again', 'bob: second, which i', 's longer than a row', ...typed];
      await client.shows(...rows);
      // One key: several at once are a paste, which readline appends.
      client.type('_');
      await client.shows(...rows.slice(0, 3), '> one two three _fou', 'r five six seven');
      client.type('\r');

      expect(await bob.sees('seven\n')).toContain('ann: one two three _four five six seven\n');
    },
    PATIENCE,
  );

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['/quit', '/quit\r'],
  ])(
    'leaves politely on %s',
    async (_, keys) => {
      const bob = await chat.member('bob');
      const client = chat.client({ terminal: { columns: 80 } });
      await client.shows('>');
      client.type('ann\r');
      await client.shows('* Welcome, ann. Here: bob.', '>');
      client.type(keys);

      expect(await client.program.ended).toMatchObject({ code: 0, stderr: '' });
      expect(client.screen.rows).toContain('* Goodbye.');
      await bob.sees('* ann has left.\n');
    },
    PATIENCE,
  );

  it(
    'says that the server has gone, and gives the terminal back',
    async () => {
      const client = chat.client({ terminal: { columns: 80 } });
      await client.shows('>');
      client.type('ann\rhalf a li');
      await client.shows('> half a li');
      chat.server.kill('SIGTERM');

      expect(await client.program.ended).toMatchObject({ code: 1 });
      expect(client.screen.rows.slice(-4)).toEqual([
        '* The server is shutting down. Goodbye.',
        '> half a li',
        'The server has ended the connection.',
        '',
      ]);
    },
    PATIENCE,
  );
}

if (pythonVersion() === undefined) {
  // A test of its own, since a suite without one fails, and a skipped one would, too.
  it('the client is not tested in a terminal: there is no python3', () => {
    const notice = withoutPython({
      mustRun: process.env['CI'] === 'true',
      untested: 'test/samples: the chat client NOT TESTED in a terminal',
    });
    process.stderr.write(`\n${notice}\n`);
    expect(notice).toContain('NOT TESTED');
  });
} else {
  describe('the client, in a terminal', inTerminal);
}

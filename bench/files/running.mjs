import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PeerProcess, withNodeOptions } from '../harness/peer-process.mjs';

const MIB = 1024 * 1024;

/** A file, and two processes that send and receive it in a folder of their own. */
export class FileTransfer {
  #folder;
  #mebibytes;
  #ports;
  #receiver;
  #sender;

  /**
   * Writes the file to the disk, and starts both.
   * @param directory where the folder is made
   * @param nodeOptions of the receiver and of the sender
   */
  static async start({ mebibytes, directory }, nodeOptions = { receiver: [], sender: [] }) {
    const transfer = new FileTransfer();
    transfer.#mebibytes = mebibytes;
    transfer.#folder = await mkdtemp(join(directory, 'pike-bench-'));
    try {
      await transfer.#start(nodeOptions);
    } catch (error) {
      await rm(transfer.#folder, { recursive: true });
      throw error;
    }
    return transfer;
  }

  async #start(nodeOptions) {
    const start = (role, ...args) => {
      const path = fileURLToPath(new URL(`${role}.mjs`, import.meta.url));
      return new PeerProcess(withNodeOptions([process.execPath, path, ...args], nodeOptions[role]));
    };
    await makeFile(this.#source, this.#mebibytes);
    this.#receiver = start('receiver', this.#folder);
    this.#sender = start('sender');
    this.#ports = await this.#receiver.next();
    await this.#sender.next();
  }

  get #source() {
    return join(this.#folder, 'source');
  }

  /**
   * Sends the file once, and checks the copy.
   * @param way how: `stream`, `tuned` or `files`
   * @param checked whether both sides compute its SHA-256
   * @returns how long it took until it was stored, and how long both CPUs worked, in ms
   */
  async measure(way, checked) {
    const before = await this.#receiver.ask('cpu');
    const began = performance.now();
    const stored = this.#receiver
      .next()
      .then((received) => ({ copy: received, ms: performance.now() - began }));
    const port = this.#ports[checked ? 'checked' : 'plain'][way];
    const order = { way, path: this.#source, checked, port };
    const [{ copy, ms }, { digest, cpu }] = await Promise.all([stored, this.#sender.ask(order)]);
    const { size } = await stat(copy.path);
    if (size !== this.#mebibytes * MIB) throw new Error(`${way}: the copy is not whole`);
    // FileConverter has compared the digests itself.
    if (way !== 'files' && copy.digest !== digest) throw new Error(`${way}: the copy differs`);
    await rm(copy.path);
    return { ms, cpu: (await this.#receiver.ask('cpu')) - before + cpu };
  }

  /** Ends both and removes the folder. @param signal by which they are ended */
  async stop(signal) {
    await Promise.all([this.#sender.stop(signal), this.#receiver.stop(signal)]);
    await rm(this.#folder, { recursive: true });
  }
}

async function makeFile(path, mebibytes) {
  const file = await open(path, 'wx');
  const content = randomBytes(MIB);
  for (let i = 0; i < mebibytes; i++) await file.write(content);
  await file.sync();
  await file.close();
}

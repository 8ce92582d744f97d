// Prevents: a reader copies an example from a guide that does not compile, or does something else.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DocumentedProject } from '../support/documented-project.js';

describe.each(['docs/dependency-injection.md', 'docs/shutdown.md', 'docs/migrate-from-tcp.md'])(
  'the examples of %s',
  (path) => {
    let page: DocumentedProject;
    beforeAll(async () => {
      page = await DocumentedProject.create(path, {});
    });
    afterAll(() => page.project.remove());

    it('compile, all of them', async () => {
      expect(page.files.size).toBeGreaterThan(2);
      await expect(page.problems()).resolves.toBe('');
    }, 60_000);

    it('print what the page says, those that print, and load', async () => {
      for (const file of page.files) {
        const compiled = file.replace(/\.ts$/, '.js');
        const outcome = await page.project.run({ file: compiled });
        const stdout = page.outputs.get(compiled) ?? '';
        expect({ file, ...outcome }).toEqual({ file, code: 0, signal: null, stdout, stderr: '' });
      }
    }, 60_000);
  },
);

// Prevents: somebody secures a connection by docs/tls.md, and it is not secured, or does not come about.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { isInstalled, without } from '../support/other-programs.js';
import { Project } from '../support/project.js';
import { Page, problemsIn } from './page.js';

const OPENSSL = { name: 'openssl', install: 'openssl' };

if (isInstalled(OPENSSL)) {
  describe('the examples of docs/tls.md', () => {
    let page: Page;
    let project: Project;

    beforeAll(async () => {
      page = await Page.read('docs/tls.md', { 4000: await freePort() });
      project = await Project.create();
      await page.addTo(project);
    });
    afterAll(() => project.remove());

    it('make certificates', () => {
      expect([...page.scripts.keys()]).toEqual(['certificates.sh']);
      const { status, stderr } = spawnSync(
        'bash',
        ['-euc', page.scripts.get('certificates.sh') as string],
        { cwd: project.folder, encoding: 'utf8' },
      );
      expect({ status, stderr }).toEqual({
        status: 0,
        stderr: expect.not.stringMatching(/error/i),
      });
    });

    it('compile, and all of them run', async () => {
      expect(page.idle).toEqual([]);
      expect(await problemsIn(project)).toBe('');
    }, 60_000);

    it('print what the page says', async () => {
      for (const [file, output] of page.outputs) {
        const { code, stdout, stderr } = await project.run({ file: file.replace(/\.ts$/, '.js') });
        expect({ file, code, stdout, stderr }).toEqual({
          file,
          code: 0,
          stdout: output,
          stderr: '',
        });
      }
    }, 60_000);
  });
} else {
  // A test of its own, since a suite without one fails, and a skipped one would, too.
  it('the examples of docs/tls.md are not run, for there is no openssl', () => {
    const mustRun = process.env['CI'] === 'true';
    const notice = without(OPENSSL, { mustRun, untested: 'docs/tls.md: NOT TESTED' });
    process.stderr.write(`\n${notice}\n`);
    expect(notice).toContain('NOT TESTED');
  });
}

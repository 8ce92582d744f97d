// Prevents: an example on one of the pages in docs that does not compile, does not run, or prints
// something else.
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { Page, problemsIn } from './page.js';

/** The programs of these pages talk to each other, or need certificates: specs of their own run them. */
const ELSEWHERE = new Set(['command-line.md', 'push.md', 'start.md', 'tls.md']);
const pages = readdirSync('docs').filter((name) => name.endsWith('.md') && !ELSEWHERE.has(name));

describe.each(pages)('the examples of docs/%s', (name) => {
  let page: Page;
  let project: Project;

  beforeAll(async () => {
    page = await Page.read(`docs/${name}`, { 4000: await freePort(), 4001: await freePort() });
    project = await Project.create();
    await page.addTo(project);
  });
  afterAll(() => project.remove());

  it('compile, and all of them run', async () => {
    expect(page.idle).toEqual([]);
    if (page.files.size > 0) expect(await problemsIn(project)).toBe('');
  }, 60_000);

  it('print what the page says', async () => {
    for (const [file, output] of page.outputs) {
      const { code, stdout, stderr } = await project.run({ file: file.replace(/\.ts$/, '.js') });
      expect({ file, code, stdout, stderr }).toEqual({ file, code: 0, stdout: output, stderr: '' });
    }
  }, 60_000);

  it('pass, where they are tests', async () => {
    for (const file of page.tests) {
      const { code, stdout } = await project.run({
        nodeArgs: ['--test', '--test-reporter=tap'],
        file: file.replace(/\.ts$/, '.js'),
      });
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringMatching(/^# pass [1-9]/m),
      });
    }
  }, 60_000);
});

// Prevents: a newcomer copies the gateway and the device of docs/push.md, and they do not talk.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { Page, problemsIn } from './page.js';

describe('the examples of docs/push.md', () => {
  let page: Page;
  let project: Project;
  beforeAll(async () => {
    page = await Page.read('docs/push.md', { 4000: await freePort() });
    project = await Project.create();
    await page.addTo(project);
  });
  afterAll(() => project.remove());

  it('compile, all of them', async () => {
    expect([...page.files.keys()]).toContain('push-fates.ts');
    await expect(problemsIn(project)).resolves.toBe('');
  }, 60_000);

  it('talk: the device connects, whichever is first, and is called', async () => {
    const device = project.start({ file: 'device.js' });
    await device.prints('is tried again');
    const gateway = project.start({ file: 'gateway.js' });
    await gateway.prints('thermometer-7 of acme is here');
    await device.prints('logged in');
    const operator = await project.run({ file: 'operator.js' });
    expect(operator).toEqual({
      code: 0,
      signal: null,
      stdout: page.outputs.get('operator.ts'),
      stderr: '',
    });
    await device.prints('display: closing at six');
    // The device survives its gateway.
    gateway.kill('SIGTERM');
    await expect(gateway.ended).resolves.toMatchObject({ signal: 'SIGTERM', stderr: '' });
    device.kill('SIGTERM');
    await expect(device.ended).resolves.toMatchObject({ signal: 'SIGTERM', stderr: '' });
  }, 30_000);
});

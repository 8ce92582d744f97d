// Prevents: with a Nest that does not tell of servers, what PikeModule promises of them fails in silence.
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { PikeServer } from '../server/pike-server.js';
import { PikeApplication } from './pike-application.js';
import { PikeModule } from './pike.module.js';
import { getPikeServerToken } from './tokens.js';

/** What the container of Nest 11.0 lacks. */
class OldModulesContainer extends ModulesContainer {
  override getRpcTargetRegistry = undefined as never;
}

const moduleRef = { get: (token: string) => `made for ${token}` } as unknown as ModuleRef;

describe('PikeApplication', () => {
  it('has the only server at hand, even if nobody has it injected', async () => {
    const app = await Test.createTestingModule({ imports: [PikeModule] }).compile();
    expect(app.get(getPikeServerToken())).toBeInstanceOf(PikeServer);
    await app.close();
  });

  afterEach(() => void jest.restoreAllMocks());

  it('warns, once it is imported for servers, where Nest does not tell of them', () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const application = new PikeApplication(new OldModulesContainer(), moduleRef);
    expect(warn).not.toHaveBeenCalled();
    void new PikeModule(application);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('11.1.4'));
  });

  it('learns of servers whenever Nest makes them, before itself or after', () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const modules = new ModulesContainer();
    const [first, second] = ['first', 'second'].map((name) => new PikeServer({ port: 0, name }));
    modules.addRpcTarget(first);
    const application = new PikeApplication(modules, moduleRef);
    modules.addRpcTarget({ another: 'transport' });
    modules.addRpcTarget(second);
    void new PikeModule(application, application.shared);
    expect(application.findServer('first')).toBe(first);
    expect(application.findServer('second')).toBe(second);
    expect(application.findServer(undefined)).toContain('several');
    expect(application.findServer('third')).toContain('no such server');
    expect(warn).not.toHaveBeenCalled();
  });

  it('gives out providers only when they exist', () => {
    const application = new PikeApplication(new ModulesContainer(), moduleRef);
    expect(() => application.resolve('X')).toThrow('onModuleInit');
    application.onModuleInit();
    expect(application.resolve('X')).toBe('made for X');
  });
});

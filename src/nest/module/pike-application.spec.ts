// Prevents: a server that PikeModule does not know, or takes for another, and providers that are given out
// before they are made.
import { describe, expect, it } from '@jest/globals';
import { ModulesContainer } from '@nestjs/core';
import type { ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { PikeServer } from '../server/pike-server.js';
import { PikeApplication } from './pike-application.js';
import { PikeModule } from './pike.module.js';
import { getPikeServerToken } from './tokens.js';

const moduleRef = { get: (token: string) => `made for ${token}` } as unknown as ModuleRef;

describe('PikeApplication', () => {
  it('has the only server at hand, even if nobody has it injected', async () => {
    const app = await Test.createTestingModule({ imports: [PikeModule] }).compile();
    expect(app.get(getPikeServerToken())).toBeInstanceOf(PikeServer);
    await app.close();
  });

  it('learns of servers whenever Nest makes them, before itself or after', () => {
    const modules = new ModulesContainer();
    const [first, second] = ['first', 'second'].map((name) => new PikeServer({ port: 0, name }));
    modules.addRpcTarget(first);
    const application = new PikeApplication(modules, moduleRef);
    modules.addRpcTarget({ another: 'transport' });
    modules.addRpcTarget(second);
    expect(application.findServer('first')).toBe(first);
    expect(application.findServer('second')).toBe(second);
    expect(application.findServer(undefined)).toContain('several');
    expect(application.findServer('third')).toContain('no such server');
  });

  it('gives out providers only when they exist', () => {
    const application = new PikeApplication(new ModulesContainer(), moduleRef);
    expect(() => application.resolve('X')).toThrow('onModuleInit');
    application.onModuleInit();
    expect(application.resolve('X')).toBe('made for X');
  });
});

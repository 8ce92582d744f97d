import type { FactoryProvider, Provider } from '@nestjs/common';
import type { PikeServer } from '../server/pike-server.js';
import { PikeApplication } from './pike-application.js';
import { standInFor } from './server-stand-in.js';

/**
 * The providers of PikeModule: the application, and a stand-in for each server that is injected
 * anywhere. Nest reads both lists when it scans the module, after the classes have been decorated.
 */
export const providers: Provider[] = [PikeApplication];

/** What PikeModule exports. */
export const exported: (string | typeof PikeApplication)[] = [PikeApplication];

/** Makes a server injectable. @returns its token */
export function provideServer(name: string | undefined): string {
  const token = name === undefined ? 'PikeServer' : `PikeServer(${name})`;
  if (!exported.includes(token)) {
    const provider: FactoryProvider<PikeServer> = {
      provide: token,
      inject: [PikeApplication],
      useFactory: (application: PikeApplication) =>
        standInFor(() => application.findServer(name), token),
    };
    providers.push(provider);
    exported.push(token);
  }
  return token;
}

// The only server of an application is always injectable.
provideServer(undefined);

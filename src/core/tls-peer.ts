import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** Who the peer of a TLS connection is, and how the connection is secured. */
export interface TlsPeer {
  /** Whether the peer's certificate was issued by one of the trusted authorities. */
  readonly authorized: boolean;
  /** Why it is not authorized, a code of OpenSSL's such as `SELF_SIGNED_CERT_IN_CHAIN`. */
  readonly authorizationError: string | undefined;
  /** The peer's certificate; `undefined` if it has shown none. */
  readonly certificate: DetailedPeerCertificate | undefined;
  /** The version, such as `TLSv1.3`. */
  readonly protocol: string | null;
  /** The cipher suite, by its IETF name. */
  readonly cipher: string;
  /** The protocol agreed on by ALPN, if any. */
  readonly alpnProtocol: string | undefined;
  /** The host name that the client has asked for (SNI), if any. */
  readonly servername: string | undefined;
}

/** Reads the facts of a socket whose handshake is done. */
export function tlsPeerOf(socket: TLSSocket): TlsPeer {
  const certificate = socket.getPeerCertificate(true);
  const { authorizationError, alpnProtocol } = socket;
  const { servername } = socket as TLSSocket & { servername?: string | false | null };
  return {
    authorized: socket.authorized,
    // Typed as an Error, and a code in fact.
    authorizationError: socket.authorized ? undefined : String(authorizationError),
    certificate: Object.keys(certificate ?? {}).length === 0 ? undefined : certificate,
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpnProtocol: alpnProtocol === false || alpnProtocol === null ? undefined : alpnProtocol,
    servername: typeof servername === 'string' ? servername : undefined,
  };
}

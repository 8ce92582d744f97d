/** An error as the system would report it, with the `code` and the `syscall` that Node gives it. */
export function systemError(
  syscall: 'listen' | 'connect' | 'read' | 'write',
  code: 'EADDRINUSE' | 'ECONNREFUSED' | 'ENOENT' | 'ECONNRESET' | 'EPIPE',
  where?: string,
): NodeJS.ErrnoException {
  const message = where === undefined ? `${syscall} ${code}` : `${syscall} ${code} ${where}`;
  return Object.assign(new Error(message), { code, syscall });
}

// Preloaded: a process that SIGTERM ends by `process.exit` writes its profile.
process.on('SIGTERM', () => process.exit());

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Only what hangs takes so long: how fast a machine is must not decide whether a test passes.
  testTimeout: 30_000,
  roots: ['<rootDir>'],
  testMatch: [
    '<rootDir>/src/**/*.spec.ts',
    '<rootDir>/test/**/*.spec.ts',
    '<rootDir>/test/**/*.e2e-spec.ts',
    '<rootDir>/sample/**/*.spec.ts',
    '<rootDir>/bench/**/*.spec.mjs',
  ],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.build/'],
  // Copied into applications of users' own, and run there: `npm run test:compat`.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/compat/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: true,
            verbatimModuleSyntax: true,
          },
        },
      },
    ],
  },
  moduleNameMapper: {
    '^nestjs-pike$': '<rootDir>/src/index.ts',
    '^nestjs-pike/(core|converters|opentelemetry|terminus|testing)$': '<rootDir>/src/$1/index.ts',
    // TypeScript's ES modules name the emitted file. The emitted one first, so that
    // the packages in node_modules keep their own files.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  reporters: ['default', '<rootDir>/scripts/no-skipped-tests-reporter.mjs'],
};

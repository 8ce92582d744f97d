/**
 * The layers of the source: nest -> converters -> core; testing stands on converters and core; cli
 * stands on the entry points of nest, converters and core, as a user's program would.
 * A file imports only from the layers below its own. Tests, samples and benchmarks may import
 * anything.
 */
const SPEC = '\\.spec\\.ts$';
const ENTRY = [
  '^src/((core|converters|opentelemetry|terminus|testing)/)?index\\.ts$',
  '^src/cli/main\\.ts$',
];
/** Each joins Nest's layer to one package that a user may have or not. */
const INTEGRATIONS = '^src/(opentelemetry|terminus)/';
const OPTIONAL_PACKAGES = '(^|node_modules/)@(nestjs/terminus|opentelemetry/api)/';
/** What the benchmarks measure against is installed by `npm run bench:setup`, for nobody else. */
const BENCH_PEERS = '^bench/.*/peers/';
const FRAMEWORK = '(^|node_modules/)(@nestjs/|rxjs(/|$)|reflect-metadata(/|$))';

/** The folders of core, from the ground up. The files beside them are held by `no-cycles` alone. */
const CORE_FLOORS = ['bytes', '(inbound|outbound)', 'link', 'net'];
/** Those of nest. */
const NEST_FLOORS = [
  'dialling',
  'packets',
  'diagnostics',
  'calls',
  'push',
  'handling',
  'session',
  '(client|server)',
  'module',
];

const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const floorsOf = (layer, folders) =>
  folders
    .slice(0, -1)
    .map((folder, floor) =>
      error(
        `${layer}-${folder}-stands-on-what-is-below`,
        `of the folders of ${layer} each imports only those before it: ${folders.join(', ')}`,
        { path: `^src/${layer}/${folder}/`, pathNot: SPEC },
        { path: folders.slice(floor + 1).map((above) => `^src/${layer}/${above}/`) },
      ),
    );

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    error(
      'core-stands-alone',
      'core imports only core: no other layer',
      { path: '^src/core/', pathNot: SPEC },
      { path: '^src/', pathNot: '^src/core/' },
    ),
    error(
      'core-knows-no-framework',
      'core imports nothing from Nest or RxJS',
      { path: '^src/core/', pathNot: SPEC },
      { path: FRAMEWORK },
    ),
    error(
      'converters-stand-on-core',
      'converters import only converters and core',
      { path: '^src/converters/', pathNot: SPEC },
      { path: '^src/', pathNot: '^src/(converters|core)/' },
    ),
    error(
      'converters-know-no-framework',
      'converters import nothing from Nest or RxJS',
      { path: '^src/converters/', pathNot: SPEC },
      { path: FRAMEWORK },
    ),
    error(
      'testing-stands-on-converters-and-core',
      'testing imports only testing, converters and core',
      { path: '^src/testing/', pathNot: SPEC },
      { path: '^src/', pathNot: '^src/(testing|converters|core)/' },
    ),
    error(
      'testing-knows-no-framework',
      'testing imports nothing from Nest or RxJS',
      { path: '^src/testing/', pathNot: SPEC },
      { path: FRAMEWORK },
    ),
    error(
      'nothing-stands-on-testing',
      'what is made for tests stays out of the rest of the source',
      { path: '^src/', pathNot: ['^src/testing/', SPEC] },
      { path: '^src/testing/' },
    ),
    error(
      'cli-stands-on-entry-points',
      'the command line uses what every user of the package can',
      { path: '^src/cli/', pathNot: SPEC },
      { path: '^src/', pathNot: ['^src/cli/', '^src/((core|converters)/)?index\\.ts$'] },
    ),
    error(
      'nothing-stands-on-cli',
      'the command line is a program, not a library',
      { path: '^src/', pathNot: '^src/cli/' },
      { path: '^src/cli/' },
    ),
    error(
      'commander-is-for-the-command-line',
      'an application that uses the package does not load what only its command line needs',
      { path: '^src/', pathNot: '^src/cli/' },
      { path: '(^|node_modules/)commander(/|$)' },
    ),
    error(
      'integrations-stand-on-nest-and-core',
      'what is for an optional package imports only its own folder, nest and core',
      { path: INTEGRATIONS, pathNot: SPEC },
      { path: '^src/', pathNot: '^src/($1|nest|core)/' },
    ),
    error(
      'nothing-stands-on-integrations',
      'nobody else needs the optional packages that they import',
      { path: '^src/', pathNot: [INTEGRATIONS, SPEC] },
      { path: [INTEGRATIONS, OPTIONAL_PACKAGES] },
    ),
    ...floorsOf('core', CORE_FLOORS),
    error(
      'inbound-and-outbound-are-apart',
      'what arrives and what is sent have nothing to do with each other below the link',
      { path: '^src/core/(inbound|outbound)/', pathNot: SPEC },
      { path: '^src/core/(inbound|outbound)/', pathNot: '^src/core/$1/' },
    ),
    ...floorsOf('nest', NEST_FLOORS),
    error(
      'client-and-server-are-apart',
      'what the two share is in a folder below both',
      { path: '^src/nest/(client|server)/', pathNot: SPEC },
      { path: '^src/nest/(client|server)/', pathNot: '^src/nest/$1/' },
    ),
    error(
      'main-entry-shows-nest-and-core',
      'src/index.ts exports the Nest layer and the core types that it mentions',
      { path: '^src/index\\.ts$' },
      { path: '^src/', pathNot: '^src/(nest|core)/' },
    ),
    error(
      'no-barrels-inside',
      'files in src import the file that has what they need, never an index.ts',
      { path: '^src/', pathNot: [SPEC, '^src/cli/'] },
      { path: ['^src/index\\.ts$', '^src/.*/index\\.ts$'] },
    ),
    error(
      'source-stands-alone',
      'src imports nothing from tests, samples, benchmarks or build output',
      { path: '^src/', pathNot: SPEC },
      { path: '^(test|sample|bench|scripts|dist|\\.build)/' },
    ),
    error('no-cycles', 'imports go round in a circle', {}, { circular: true }),
    error(
      'no-orphans',
      'no entry point reaches this file, so nobody can use it',
      { path: ENTRY },
      { path: '^src/', pathNot: [SPEC, ...ENTRY], reachable: false },
    ),
    error(
      'no-development-packages',
      'a user of the package does not have devDependencies',
      { path: '^src/', pathNot: SPEC },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer'] },
    ),
    error(
      'only-declared-packages',
      'the package is not in package.json',
      { path: '^(src|test|sample|bench)/', pathNot: BENCH_PEERS },
      // What peerDependenciesMeta names counts as in no section as well.
      {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-dev', 'npm-peer'],
      },
    ),
    error(
      'resolvable',
      'the import leads nowhere',
      { pathNot: BENCH_PEERS },
      { couldNotResolve: true },
    ),
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '^(dist|\\.build|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};

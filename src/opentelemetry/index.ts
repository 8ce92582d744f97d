export { PikeInstrumentation } from './pike-instrumentation.js';
export type { PikeInstrumentationConfig } from './pike-instrumentation.js';

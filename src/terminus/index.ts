export { PikeHealthIndicator } from './pike-health-indicator.js';
export type { ClientHealth, ServerHealth } from './pike-health-indicator.js';

/** The version of this package, for the scope of what is recorded. */
export const VERSION = '0.1.0';

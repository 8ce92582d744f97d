/**
 * A jest reporter that fails the run when a test or a suite was skipped, focused away or left
 * as a todo. A run narrowed by `-t` skips the rest on purpose and is let through.
 */
export default class NoSkippedTestsReporter {
  #error;

  constructor(globalConfig) {
    this.narrowed = Boolean(globalConfig.testNamePattern);
  }

  onRunComplete(_contexts, results) {
    if (this.narrowed) return;
    const offenders = results.testResults.flatMap((file) => [
      ...(file.skipped ? [`${file.testFilePath}: the whole suite`] : []),
      ...file.testResults
        .filter(({ status }) => ['pending', 'todo', 'skipped', 'disabled'].includes(status))
        .map(({ fullName, status }) => `${file.testFilePath}: ${fullName} (${status})`),
    ]);
    if (offenders.length === 0) return;
    this.#error = new Error(`Tests that did not run:\n  ${offenders.join('\n  ')}`);
    console.error(
      `\n${this.#error.message}\n\nA test that is skipped proves nothing: run it or remove it.`,
    );
  }

  getLastError() {
    return this.#error;
  }
}

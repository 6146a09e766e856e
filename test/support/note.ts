/** A line that the runner prints under the test file's result, also when all is well: measurements, versions. */
export function note(text: string): void {
  const send = (globalThis as { TSBOX_TEST_NOTE?: (text: string) => void }).TSBOX_TEST_NOTE;
  if (send) send(text);
  else process.stderr.write(`${text}\n`);
}

import { type FileResult, SINGLE_FILE } from './protocol.ts';

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** One line for a file that has just ended, followed by what went wrong. */
export function printFile(result: FileResult): void {
  const mark = result.failed ? 'FAIL' : ' ok ';
  const account = result.account ? ` [${result.account}]` : '';
  const counts = [`${result.passed} passed`];
  if (result.failed) counts.push(`${result.failed} failed`);
  if (result.skips.length) counts.push(`${result.skips.length} skipped`);
  say(`${mark} ${result.name}${account}: ${counts.join(', ')} (${(result.duration / 1000).toFixed(1)} s)`);
  for (const note of result.notes) say(indent(note));
  for (const problem of result.problems) say(indent(problem.trimEnd()));
}

const indent = (text: string): string => text.replace(/^/gm, '     ');

/** Skips grouped by their reason, then the failed files again, then the one line that tools read. */
export function printEnd(results: readonly FileResult[], strict: boolean): Totals {
  const totals = count(results, strict);
  for (const [reason, names] of skipReasons(results)) say(`skipped: ${reason}\n${indent(names.join('\n'))}`);
  if (strict) {
    for (const line of forbiddenSkips(results)) say(`FAIL skipped although this machine can run it: ${line}`);
  }
  const bad = results.filter(r => r.failed > 0);
  if (bad.length) say(`failed files:\n${bad.map(r => `     ${r.name} ${r.account}`).join('\n')}`);
  for (const line of countsOf(results)) say(line);
  say(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals;
}

/** One line for each program that e2e ran against, when it was more than one. */
function countsOf(results: readonly FileResult[]): string[] {
  const e2e = results.filter(r => r.name.startsWith('e2e/'));
  const isSingle = (r: FileResult): boolean => r.account.endsWith(SINGLE_FILE);
  const [node, single] = [e2e.filter(r => !isSingle(r)), e2e.filter(isSingle)];
  if (node.length === 0 || single.length === 0) return [];
  const line = (list: readonly FileResult[]): string => {
    const { passed, failed, skipped } = count(list, false);
    return `${passed} passed, ${failed} failed, ${skipped} skipped`;
  };
  return [`e2e under Node: ${line(node)}`, `e2e as a single file: ${line(single)}`];
}

function count(results: readonly FileResult[], strict: boolean): Totals {
  const sum = (of: (r: FileResult) => number): number => results.reduce((n, r) => n + of(r), 0);
  const skipped = sum(r => r.skips.length);
  const forbidden = strict ? forbiddenSkips(results).length : 0;
  return {
    passed: sum(r => r.passed),
    failed: sum(r => r.failed) + forbidden,
    skipped: skipped - forbidden,
  };
}

const forbiddenSkips = (results: readonly FileResult[]): string[] =>
  results.flatMap(r => r.skips.filter(s => s.fixable).map(s => `${r.name}: ${s.test}: ${s.reason}`));

function skipReasons(results: readonly FileResult[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const r of results) {
    for (const s of r.skips) {
      const group = groups.get(s.reason) ?? [];
      group.push(`${r.name}${r.account ? ` [${r.account}]` : ''}: ${s.test}`);
      groups.set(s.reason, group);
    }
  }
  return groups;
}

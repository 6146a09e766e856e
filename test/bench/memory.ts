import { readFileSync } from 'node:fs';
import { processesOf } from '../support/runner/leaks.ts';

/** PSS in MB of the processes whose command line matches; undefined when there is none. */
export function pssOf(pattern: RegExp): number | undefined {
  const uid = process.getuid?.() ?? 0;
  const found = processesOf(owner => owner === uid).filter(p => pattern.test(p.command));
  const sizes = found.map(p =>
    Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${p.pid}/smaps_rollup`, 'utf8'))?.[1]),
  );
  return sizes.length === 0 ? undefined : Math.max(...sizes) / 1024;
}

/**
 * Of a process of tsbox that is not dumpable: nobody but root reads its PSS, and what is resident is more than that. `target`: MB of PSS.
 */
export function residentRow(name: string, pattern: RegExp, target: number): string {
  const [found] = processesOf(owner => owner === process.getuid?.()).filter(p => pattern.test(p.command));
  const status = found ? readFileSync(`/proc/${found.pid}/status`, 'utf8') : '';
  const size = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  return `${name}, resident: ${size.toFixed(2)} MB (PSS ≤ ${target} ${size <= target ? '✓' : '?'})`;
}

/** What watches one running container: tsbox's supervisor, podman's conmon. */
export function memoryRow(): string {
  const [ours, theirs] = [pssOf(/^tsbox: supervise/), pssOf(/\bconmon\b/)];
  const mb = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)} MB`);
  const ratio = ours !== undefined && theirs !== undefined ? (ours / theirs).toFixed(2) : '';
  const met = ours === undefined ? '' : ours <= 0.6 ? ' ✓' : ' ✗';
  return `| supervisor, PSS | ${mb(ours)} | ${mb(theirs)} | | | ${ratio} | ≤ 0.6 MB${met} |`;
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * Inputs that were worth keeping: `corpus/NAME.txt` holds one a line, those that reached something new; `regressions/NAME.txt` the
 * ones that once broke a parser. Deflated and in base64, since blocks of tar are mostly zeros.
 */
export function readCorpus(kind: 'corpus' | 'regressions', target: string): Buffer[] {
  const path = fileOf(kind, target);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map(decode);
}

export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  const lines = [...new Set(inputs.map(encode))].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  writeFileSync(fileOf('corpus', target), lines.map(line => `${line}\n`).join(''));
}

export const encode = (input: Uint8Array): string => deflateRawSync(input, { level: 9 }).toString('base64');
export const decode = (line: string): Buffer => inflateRawSync(Buffer.from(line, 'base64'));

const fileOf = (kind: string, target: string): string =>
  fileURLToPath(new URL(`${kind}/${target}.txt`, import.meta.url));

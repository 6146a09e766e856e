import { messageOf, TsboxError } from '../errors.ts';
import { readFile } from '../util/files.ts';

/**
 * docker's --env-file and --label-file: one `NAME=value` per line, taken as it is (no quotes, no expansion), leading
 * white space dropped, `#` at the start of a line for comments. A bare `NAME` takes the caller's value.
 */
export async function readEnvFiles(flag: string, files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(files.map(file => readText(flag, file)));
  return texts.flatMap((text, i) => parseEnvFile(text, files[i] ?? ''));
}

async function readText(flag: string, file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw new TsboxError('USAGE', `cannot read ${flag} ${file}: ${messageOf(error)}`, { cause: error });
  }
}

export function parseEnvFile(text: string, file: string): string[] {
  const lines: string[] = [];
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) return;
    const name = line.split('=', 1)[0] ?? '';
    const where = `${file}, line ${i + 1}`;
    if (name === '') throw new TsboxError('USAGE', `no name before '=' in ${where}`);
    if (/\s/.test(name)) throw new TsboxError('USAGE', `the name '${name}' contains white space in ${where}`);
    lines.push(line);
  });
  return lines;
}

/** -e words, checked as docker does. */
export function checkEnv(words: readonly string[]): readonly string[] {
  const bad = words.find(word => word === '' || word.startsWith('='));
  if (bad === undefined) return words;
  throw new TsboxError('USAGE', `invalid value '${bad}' for --env`, { hint: 'it takes NAME=value or NAME' });
}

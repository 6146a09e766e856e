import { posix } from 'node:path';
import { parseSize } from '../util/size.ts';
import type { RunMount } from './instructions.ts';
import { Mistake } from './parse-mistake.ts';

/** What each type of mount may be told (docker's reference: RUN --mount). */
const OPTIONS: Readonly<Record<RunMount['type'], readonly string[]>> = {
  bind: ['target', 'source', 'from', 'rw', 'ro'],
  cache: ['target', 'source', 'from', 'id', 'ro', 'rw', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['id', 'target', 'required', 'mode', 'uid', 'gid', 'env'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid'],
};
const ALIASES: Readonly<Record<string, string>> = {
  dst: 'target',
  destination: 'target',
  src: 'source',
  readonly: 'ro',
  readwrite: 'rw',
};

type Options = ReadonlyMap<string, string>;

/** The mount's type; also the check that can be made before variables have values. Throws Mistake. */
export function mountType(text: string): RunMount['type'] {
  const type =
    csv(text)
      .find(field => /^type=/i.test(field))
      ?.slice(5) ?? 'bind';
  if (type.includes('$') || Object.hasOwn(OPTIONS, type)) return type as RunMount['type'];
  throw new Mistake(`${JSON.stringify(type)} is no type of --mount`, {
    suggestion: Object.keys(OPTIONS).join(', '),
  });
}

/** `--mount` values, each option expanded on its own. Throws Mistake with the option in its message. */
export const parseMounts = (mounts: readonly string[], expand: Expand): RunMount[] =>
  mounts.map(text => parseMount(text, expand));

type Expand = (word: string) => string;

function parseMount(text: string, expand: Expand): RunMount {
  const type = expand(mountType(text)) as RunMount['type'];
  if (!Object.hasOwn(OPTIONS, type)) throw wrong(text, `${JSON.stringify(type)} is no type of mount`);
  const options = readOptions(text, type, expand);
  const target =
    options.get('target') ?? (type === 'secret' || type === 'ssh' ? undefined : missing(text, 'target'));
  const from = options.get('from');
  const source = options.get('source');
  return {
    type,
    ...(target !== undefined && { target }),
    ...(from !== undefined && { from }),
    ...(source !== undefined && type !== 'secret' && { source }),
    readOnly: readOnly(options, type, text),
    required: boolean(options, 'required', text) ?? false,
    ...identity(options, type, target, text),
    ...sharing(options, type, text),
    ...numbers(options, text),
    ...(options.has('env') && { env: options.get('env') ?? '' }),
  };
}

/** Comma-separated with Go's csv quotes: `"a,b"`, a doubled quote is one. */
function csv(text: string): string[] {
  const fields: string[] = [];
  const field = /"((?:[^"]|"")*)"(?:,|$)|([^,]*)(?:,|$)/gy;
  for (let match = field.exec(text); match; match = field.exec(text)) {
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (field.lastIndex >= text.length) break;
  }
  return text.endsWith(',') ? [...fields, ''] : fields;
}

function readOptions(text: string, type: RunMount['type'], expand: Expand): Options {
  const options = new Map<string, string>();
  for (const entry of csv(text)) {
    const [, written = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(entry) ?? [];
    const lower = written.trim().toLowerCase();
    if (lower === 'type') continue;
    const name = Object.hasOwn(ALIASES, lower) ? (ALIASES[lower] ?? lower) : lower;
    // A secret's source is an old name of its id.
    const known = name === 'source' && type === 'secret' ? 'id' : name;
    if (!OPTIONS[type].includes(known))
      throw wrong(text, `a ${type} mount has no option ${JSON.stringify(written)}`);
    if (value === undefined && !['ro', 'rw', 'required'].includes(known))
      throw wrong(text, `${known} needs a value`);
    if (known === 'from' && value?.includes('$')) throw wrong(text, 'from does not take variables');
    options.set(known, value === undefined ? 'true' : expand(value));
  }
  return options;
}

function readOnly(options: Options, type: RunMount['type'], text: string): boolean {
  const [ro, rw] = [boolean(options, 'ro', text), boolean(options, 'rw', text)];
  if (ro !== undefined && rw !== undefined && ro === rw) throw wrong(text, 'ro and rw contradict each other');
  return ro ?? (rw === undefined ? type === 'bind' : !rw);
}

function identity(
  options: Options,
  type: RunMount['type'],
  target: string | undefined,
  text: string,
): { id?: string } {
  const id = options.get('id');
  if (id !== undefined) return { id };
  if (type === 'cache') return { id: posix.normalize(posix.join('/', target ?? '')) };
  if (type === 'ssh') return { id: 'default' };
  if (type !== 'secret') return {};
  if (target === undefined) throw wrong(text, 'a secret needs an id or a target');
  return { id: posix.basename(target) };
}

function sharing(options: Options, type: RunMount['type'], text: string): Pick<RunMount, 'sharing'> {
  if (type !== 'cache') return {};
  const value = (options.get('sharing') ?? 'shared').toLowerCase();
  if (value === 'shared' || value === 'private' || value === 'locked') return { sharing: value };
  throw wrong(text, 'sharing is shared, private or locked');
}

function numbers(options: Options, text: string): Pick<RunMount, 'mode' | 'uid' | 'gid' | 'size'> {
  const number = (name: string, value: string, parsed: number | undefined): number => {
    if (parsed === undefined || !Number.isSafeInteger(parsed)) throw wrong(text, `${value} is no ${name}`);
    return parsed;
  };
  const read: Readonly<Record<string, (value: string) => number | undefined>> = {
    mode: value => (/^[0-7]{1,5}$/.test(value) ? Number.parseInt(value, 8) : undefined),
    uid: value => (/^\d{1,10}$/.test(value) ? Number(value) : undefined),
    gid: value => (/^\d{1,10}$/.test(value) ? Number(value) : undefined),
    size: parseSize,
  };
  const found = Object.entries(read).flatMap(([name, parse]) => {
    const value = options.get(name);
    return value === undefined ? [] : [[name, number(name, value, parse(value))] as const];
  });
  return Object.fromEntries(found);
}

function boolean(options: Options, name: string, text: string): boolean | undefined {
  const value = options.get(name)?.toLowerCase();
  if (value === undefined) return undefined;
  if (['true', '1', 't'].includes(value)) return true;
  if (['false', '0', 'f'].includes(value)) return false;
  throw wrong(text, `${name} is true or false`);
}

function missing(text: string, name: string): never {
  throw wrong(text, `${name} is missing`);
}

const wrong = (text: string, why: string): Mistake => new Mistake(`--mount=${text}: ${why}`);

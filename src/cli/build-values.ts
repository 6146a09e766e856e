import { TsboxError } from '../errors.ts';
import type { BuildOutput, BuildSecret, BuildSsh } from '../index.ts';

/** Values of build's flags that are lists of `key=value`. Each throws USAGE with the flag and the value. */

const wrong = (flag: string, value: string, wants: string): TsboxError =>
  new TsboxError('USAGE', `invalid value '${value}' for ${flag}`, { hint: `it takes ${wants}` });

function fieldsOf(flag: string, value: string, known: readonly string[], wants: string): Map<string, string> {
  const fields = value.split(',').map((field): [string, string] => {
    const at = field.indexOf('=');
    return at < 0 ? [field, ''] : [field.slice(0, at).toLowerCase(), field.slice(at + 1)];
  });
  if (fields.some(([name]) => !known.includes(name))) throw wrong(flag, value, wants);
  return new Map(fields);
}

const SECRET = 'id=NAME,src=FILE or id=NAME,env=VARIABLE';

/** `id=x,src=file`, `id=x,env=NAME`; with an id alone a variable of that name, else a file. */
export function parseSecret(value: string, env: Readonly<Record<string, string | undefined>>): BuildSecret {
  const fields = fieldsOf('--secret', value, ['id', 'src', 'source', 'env', 'type'], SECRET);
  const id = fields.get('id');
  const type = fields.get('type') ?? '';
  const file = fields.get('src') ?? fields.get('source');
  const name = fields.get('env') ?? (type === 'env' ? file : undefined);
  if (!id || !['', 'file', 'env'].includes(type)) throw wrong('--secret', value, SECRET);
  if (name) return { id, env: name };
  if (file) return { id, file };
  return env[id] !== undefined && type !== 'file' ? { id, env: id } : { id, file: id };
}

/** `default`, `id=socket`. */
export function parseSsh(value: string): BuildSsh {
  const [id = '', ...path] = value.split('=');
  const socket = path.join('=');
  if (id === '') throw wrong('--ssh', value, "'default' or ID=SOCKET");
  return socket === '' ? { id } : { id, socket };
}

const OUTPUT =
  'type=local,dest=DIR, type=tar|oci|docker,dest=FILE, a directory, or - for a tar archive on stdout';
const TYPES = ['image', 'local', 'tar', 'oci', 'docker'] as const;

/** docker's -o. `stdout`: where `-` leads. */
export function parseBuildOutput(value: string, stdout: () => NodeJS.WritableStream): BuildOutput {
  if (value === '-') return { type: 'tar', dest: stdout() };
  if (!value.includes('=')) return { type: 'local', dest: value };
  const fields = fieldsOf(
    '--output',
    value,
    ['type', 'dest', 'name', 'push', 'tar', 'compression', 'oci-mediatypes'],
    OUTPUT,
  );
  const type = TYPES.find(each => each === fields.get('type'));
  const dest = fields.get('dest');
  if (!type || (type === 'local' && !dest)) throw wrong('--output', value, OUTPUT);
  const name = fields.get('name');
  const toStdout = type !== 'local' && type !== 'image' && (dest === undefined || dest === '-');
  return {
    type,
    ...(toStdout ? { dest: stdout() } : dest !== undefined && { dest }),
    ...(name !== undefined && { names: [name] }),
  };
}

/** `NAME=value`; a bare `NAME` is the caller's variable. */
export function parseBuildArgs(words: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(
    words.map(word => {
      const at = word.indexOf('=');
      if (at === 0 || word === '')
        throw wrong('--build-arg', word, 'NAME=VALUE, or NAME for a variable of yours');
      return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

/** `--build-context NAME=VALUE`. */
export function parseBuildContexts(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map(word => {
      const [, name, value] = /^([^=]+)=(.+)$/s.exec(word) ?? [];
      if (name === undefined || value === undefined)
        throw wrong('--build-context', word, 'NAME=DIRECTORY, NAME=docker-image://IMAGE or NAME=IMAGE');
      return [name, value];
    }),
  );
}

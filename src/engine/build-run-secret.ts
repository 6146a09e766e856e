import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { RunMount } from '../build/instructions.ts';
import { messageOf, TsboxError } from '../errors.ts';
import { MS } from '../plan/flags.ts';
import { type Op, ops } from '../plan/ops.ts';
import { type OneRequest, type OpenMount, type PreparedMount, targetOf } from './build-run-request.ts';
import type { BuildSession } from './build-session.ts';

/** As docker. */
const MAX_SECRET = 500 << 10;
const SAFE = MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC;

/**
 * A secret or an agent. A secret's bytes go from here to the container's own /dev, a tmpfs, and are bound from there: they are in no file of the
 * store, no record, no key of the cache.
 */
export async function secretMount(
  session: BuildSession,
  mount: RunMount,
  request: OneRequest,
): Promise<PreparedMount> {
  const { id = '', env, mode, uid, gid } = mount;
  const target =
    mount.target === undefined && env !== undefined
      ? undefined
      : targetOf(mount.target ?? defaultTarget(mount, request), request);
  const inputs = [mount.type, id, target, env, mode, uid, gid];
  const open =
    mount.type === 'ssh' ? agent(session, mount, target ?? '') : secret(session, mount, target, request);
  return { inputs, open: async () => open };
}

const defaultTarget = ({ type, id }: RunMount, { number }: OneRequest): string =>
  type === 'ssh' ? `/run/buildkit/ssh_agent.${number}` : `/run/secrets/${basename(id ?? '')}`;

function secret(
  { options }: BuildSession,
  mount: RunMount,
  target: string | undefined,
  request: OneRequest,
): OpenMount {
  const given = options.secrets?.find(each => each.id === mount.id);
  const value = given && bytesOfSecret(given, options.callerEnv ?? {});
  if (!value) {
    if (!mount.required) return {};
    throw missing(`secret ${mount.id}`, `--secret id=${mount.id},src=FILE`);
  }
  if (value.length > MAX_SECRET) throw new TsboxError('BUILD', `secret ${mount.id} is larger than 500 KiB`);
  return {
    ...(target !== undefined && {
      staged: secretOps(mount, target, value, request.number),
      targets: [target],
    }),
    ...(mount.env !== undefined && { env: [`${mount.env}=${value.toString()}`] }),
  };
}

function secretOps(mount: RunMount, target: string, value: Buffer, number: number): Op[] {
  const source = `/dev/.tsbox-secret-${number}`;
  const { uid = 0, gid = 0, mode = 0o400 } = mount;
  return [
    ops.write(source, value, mode, 'a secret, in memory only'),
    ...(uid === 0 && gid === 0 ? [] : [ops.chown(source, uid, gid, 'its owner')]),
    ops.bind({ source, target, flags: SAFE, how: 'c' }, 'where the command looks for the secret'),
    ops.rmtree(source, 'it goes on under the other name alone'),
  ];
}

interface Given {
  readonly id: string;
  readonly file?: string;
  readonly env?: string;
  readonly value?: Uint8Array;
}

function bytesOfSecret(
  { id, file, env, value }: Given,
  caller: Readonly<Record<string, string | undefined>>,
) {
  if (value) return Buffer.from(value);
  if (env !== undefined) return caller[env] === undefined ? undefined : Buffer.from(caller[env] ?? '');
  try {
    return readFileSync(file ?? id);
  } catch (cause) {
    throw new TsboxError('NOT_FOUND', `cannot read secret ${id}: ${messageOf(cause)}`, {
      cause,
      exitCode: 1,
    });
  }
}

function agent({ options }: BuildSession, mount: RunMount, target: string): OpenMount {
  const given = options.ssh?.find(each => each.id === mount.id);
  const source = given && (given.socket ?? options.callerEnv?.SSH_AUTH_SOCK);
  if (source === undefined) {
    if (!mount.required) return {};
    throw missing(`ssh agent ${mount.id}`, `--ssh ${mount.id}`);
  }
  const record = { type: 'bind', source, target, readOnly: false, options: [], anonymous: false } as const;
  return { records: [record], targets: [target], env: [`SSH_AUTH_SOCK=${target}`] };
}

const missing = (what: string, hint: string): TsboxError =>
  new TsboxError('BUILD', `${what} is required and was not given`, { hint, exitCode: 1 });

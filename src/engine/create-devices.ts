import { accessSync, constants, readdirSync, type Stats, statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import type { DeviceRecord } from '../store/container-record.ts';

const HINT = '--device /dev/NAME[:/dev/OTHER][:rw], or a CDI name: --device vendor.com/class=name';

/** Says how the host's own rights reach into the container: a group does so only where groups are kept. */
export interface DeviceContext {
  readonly groupsKept: boolean;
}

/**
 * docker's --device `host[:container][:rwm]`; a directory stands for the devices below it. A user cannot make devices or rules for
 * them: the node is bound, and opening it takes the right that its mode gives the caller. Throws USAGE, HOST.
 */
export function parseDevice(spec: string, context: DeviceContext): DeviceRecord[] {
  const { source, target, permissions } = splitDevice(spec);
  const stat = statDevice(source);
  if (!stat.isDirectory()) return [checked({ source, target, permissions }, stat, context)];
  return nodesBelow(source).map(name =>
    checked(
      { source: join(source, name), target: posix.join(target, name), permissions },
      statDevice(join(source, name)),
      context,
    ),
  );
}

function splitDevice(spec: string): DeviceRecord {
  const parts = spec.split(':');
  const last = parts.at(-1) ?? '';
  const given = parts.length > 1 && !last.startsWith('/');
  const permissions = given ? last : 'rwm';
  const [source = '', target = source, ...rest] = given ? parts.slice(0, -1) : parts;
  const letters = /^(?!.*(.).*\1)[rwm]+$/.test(permissions);
  if (rest.length > 0 || !source.startsWith('/') || !target.startsWith('/') || !letters)
    throw new TsboxError('USAGE', `device ${JSON.stringify(spec)} is malformed`, { hint: HINT });
  return { source: resolve(source), target: posix.normalize(target), permissions };
}

function statDevice(path: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    throw new TsboxError('HOST', `device ${path}: ${messageOf(cause)}`, { cause, hint: `ls -l ${path}` });
  }
}

function nodesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const nodes = entries.filter(e => e.isCharacterDevice() || e.isBlockDevice());
  return nodes.map(e => join(e.parentPath, e.name).slice(directory.length + 1)).sort();
}

function checked(device: DeviceRecord, stat: Stats, context: DeviceContext): DeviceRecord {
  const { source, permissions } = device;
  if (!stat.isCharacterDevice() && !stat.isBlockDevice())
    throw new TsboxError('HOST', `device ${source} is no device`, {
      hint: `a file or directory: -v ${source}:${device.target}`,
    });
  const [read, write] = [may(source, constants.R_OK), may(source, constants.W_OK)];
  if ((permissions.includes('r') && !read) || (permissions.includes('w') && !write))
    throw notYours(device, stat);
  // Without device rules of a cgroup, which are root's, what the mode allows cannot be taken away.
  if (write && !permissions.includes('w'))
    throw new TsboxError(
      'USAGE',
      `device ${source}:${permissions}: you may write to it, and only root can take that away inside`,
      {
        hint: `--device ${source} gives all that you have`,
      },
    );
  if (!context.groupsKept && onlyByGroup(stat))
    throw new TsboxError(
      'HOST',
      `device ${source}: you may open it as a member of group ${stat.gid}, which the container would not be`,
      {
        hint: '--group-add keep-groups',
      },
    );
  return device;
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

const GROUP_RW = 0o060;
const OTHER_RW = 0o006;

/** A supplementary group is the only reason why we may. */
function onlyByGroup(stat: Stats): boolean {
  if (stat.uid === process.geteuid?.() || stat.gid === process.getegid?.()) return false;
  return (stat.mode & OTHER_RW) === 0 && (stat.mode & GROUP_RW) !== 0;
}

function notYours({ source, permissions }: DeviceRecord, stat: Stats): TsboxError {
  const mode = (stat.mode & 0o777).toString(8);
  return new TsboxError(
    'HOST',
    `device ${source}: you may not open it (${permissions}; owner ${stat.uid}:${stat.gid}, mode ${mode})`,
    {
      hint: 'a container can do no more than you: ask the administrator for the right, mostly membership of a group',
    },
  );
}

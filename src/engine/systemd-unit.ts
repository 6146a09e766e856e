import { homedir } from 'node:os';
import { join } from 'node:path';
import { makeDirectories } from '../host/directories.ts';
import { absoluteEnvironment } from '../host/paths.ts';
import { writeFileAtomic } from '../store/atomic.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { find } from './find.ts';
import { selfWith } from './self-with.ts';
import type { SystemdUnit } from './types.ts';

/**
 * A unit of the user's systemd that starts a container and stops it. `oneshot`, since the supervisor leaves the process that
 * started it: it stays in the unit's cgroup, so systemd ends it with the unit should `stop` fail.
 */
export async function systemdUnit(engine: Engine, nameOrId: string): Promise<SystemdUnit> {
  const { record } = await find(engine, nameOrId);
  return { name: `tsbox-${record.name}.service`, text: unitText(engine, record) };
}

/** Writes it where the user's systemd looks; its path. */
export async function writeSystemdUnit(engine: Engine, nameOrId: string): Promise<string> {
  const { name, text } = await systemdUnit(engine, nameOrId);
  const directory = join(
    absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homedir(), '.config'),
    'systemd/user',
  );
  makeDirectories(directory, 0o700);
  const path = join(directory, name);
  await writeFileAtomic(path, text, { mode: 0o644 });
  return path;
}

function unitText(engine: Engine, record: ContainerRecord): string {
  const { id, name, process } = record;
  const tsbox = (...words: string[]): string =>
    selfWith(engine, ...words)
      .map(quoted)
      .join(' ');
  return `[Unit]
Description=Container ${name.replaceAll('%', '%%')} of tsbox
After=network-online.target
Wants=network-online.target
RequiresMountsFor=${quoted(engine.paths.root)}

[Service]
Type=oneshot
RemainAfterExit=yes
Delegate=yes
ExecStart=${tsbox('start', id)}
ExecStop=${tsbox('stop', id)}
TimeoutStopSec=${Math.max(0, process.stopTimeout) + 20}

[Install]
WantedBy=default.target
`;
}

/** systemd.service(5), "Command lines": quotes, `%` and `$` mean something. */
export function quoted(word: string): string {
  const safe = word.replaceAll('%', '%%').replaceAll('$', () => '$$');
  return /^[\w@%+=:,./$-]+$/.test(safe)
    ? safe
    : `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

import { TsboxError } from '../errors.ts';
import type { MountRecord } from '../store/container-record.ts';
import { findContainer } from '../store/containers.ts';
import type { Engine } from './context.ts';

/**
 * docker's --volumes-from `container[:ro|rw|z]`: its directories and volumes under the same targets, tmpfs not. An anonymous volume stays one:
 * it goes with the last container that has it. Throws USAGE, NOT_FOUND.
 */
export async function volumesFrom(engine: Engine, specs: readonly string[]): Promise<MountRecord[]> {
  const lists = await Promise.all(specs.map(spec => oneContainer(engine, spec)));
  return lists.flat();
}

async function oneContainer(engine: Engine, spec: string): Promise<MountRecord[]> {
  const [name = '', mode, ...rest] = spec.split(':');
  if (name === '' || rest.length > 0 || !['ro', 'rw', 'z', 'Z', undefined].includes(mode)) {
    throw new TsboxError('USAGE', `--volumes-from ${JSON.stringify(spec)} is not CONTAINER[:ro|rw]`, {
      hint: '--volumes-from NAME, --volumes-from NAME:ro',
    });
  }
  const { mounts } = await findContainer(engine.paths, name);
  const shared = mounts.filter(m => m.type !== 'tmpfs');
  return mode === 'ro' ? shared.map(m => ({ ...m, readOnly: true })) : shared;
}

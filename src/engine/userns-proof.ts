import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, TsboxError } from '../errors.ts';
import { helperPath } from '../host/binaries.ts';
import {
  type ChosenMaps,
  chooseMaps,
  singleMaps,
  type UsernsMaps,
  type WantedUserns,
} from '../host/idmap.ts';
import { bootId } from '../host/probe.ts';
import { enter } from '../runtime/enter.ts';
import type { Engine } from './context.ts';

/**
 * The id maps for this user. newuidmap can look right and still fail (a sandbox, a directory service that is away); when the choice is
 * ours, ranges are therefore tried once per boot, and single mode is taken with a line that says what newuidmap said.
 * After that it costs one small read.
 */
export function provenMaps(engine: Engine, want: WantedUserns): Promise<ChosenMaps> {
  const chosen = choices.get(engine) ?? new Map<WantedUserns, Promise<ChosenMaps>>();
  choices.set(engine, chosen);
  const known = chosen.get(want) ?? proveMaps(engine, want).then(found => keep(chosen, found));
  chosen.set(want, known);
  return known;
}

/** What `auto` came to is what the same name, which a container was made with, would: the search takes a dozen files. */
function keep(chosen: Map<WantedUserns, Promise<ChosenMaps>>, found: ChosenMaps): ChosenMaps {
  const { mode } = found.maps;
  if (mode !== 'root' && found.warning === undefined && !chosen.has(mode))
    chosen.set(mode, Promise.resolve(found));
  return found;
}

/** One run asks several times. */
const choices = new WeakMap<Engine, Map<WantedUserns, Promise<ChosenMaps>>>();

async function proveMaps(engine: Engine, want: WantedUserns): Promise<ChosenMaps> {
  const chosen = await chooseMaps(engine.config, want);
  const free = want === 'auto' && engine.config.userns.mode === 'auto';
  if (!free || chosen.maps.mode !== 'ranges') return chosen;
  const proof = `${bootId()} ${JSON.stringify(chosen.maps)}`;
  const file = join(engine.paths.runtime, 'idmap-proven');
  if (read(file) === proof) return chosen;
  const problem = await tryMaps(engine, chosen.maps);
  if (problem !== undefined) return { maps: singleMaps(), warning: problem, check: 'mapper-failed' };
  remember(file, proof);
  return chosen;
}

/** Only what the mappers themselves refuse is a reason to do without them. */
async function tryMaps(engine: Engine, maps: UsernsMaps): Promise<string | undefined> {
  try {
    const host = { helper: helperPath(), cwd: engine.paths.root, maps };
    await enter(host, [], { name: 'idmap', stdio: ['ignore', 'ignore', 'ignore'] }).result;
    return undefined;
  } catch (error) {
    if (!(error instanceof TsboxError) || error.code !== 'SUBID') throw error;
    return `${messageOf(error)}: only one user exists inside (single mode); why: tsbox doctor mapper-failed`;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Best effort: the next run tries again. */
function remember(file: string, proof: string): void {
  try {
    writeFileSync(file, proof, { mode: 0o600 });
  } catch {}
}

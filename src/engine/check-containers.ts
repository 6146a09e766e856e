import { messageOf } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import {
  containerExists,
  listContainerIds,
  readContainerRecord,
  readContainerState,
  shortId,
} from '../store/containers.ts';
import { identityAlive, ownIdentity } from '../store/containers-owner.ts';
import { LayerStore } from '../store/layers.ts';
import { holderOf, listNames, releaseName, removeEmptyName, takeName } from '../store/names.ts';
import type { Problem } from './check-problem.ts';
import type { Engine } from './context.ts';

/** Can every container be read, has it its name, and are its layers here? */
export async function checkContainers(engine: Engine): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const id of listContainerIds(engine.paths)) {
    const record = await readContainerRecord(engine.paths, id).catch(messageOf);
    if (typeof record !== 'string') problems.push(...(await problemsOf(engine, record)));
    // Somebody removes it just now.
    else if (containerExists(engine.paths, id)) {
      problems.push(found(id, record, `what it holds stays; remove it: tsbox rm -f ${shortId(id)}`));
    }
  }
  return problems;
}

async function problemsOf(engine: Engine, record: ContainerRecord): Promise<Problem[]> {
  const { id, name, image } = record;
  const problems: Problem[] = [];
  const state = readContainerState(engine.paths, id);
  if (state.status === 'dead' && state.pid === 0) {
    problems.push(
      found(id, state.error ?? 'its state cannot be read', `remove it: tsbox rm -f ${shortId(id)}`),
    );
  }
  const layers = new LayerStore(engine.paths.layers);
  for (const layer of image.layers) {
    if (await layers.has(layer)) continue;
    problems.push(found(id, `its layer ${layer} is missing`, `tsbox pull ${image.reference}`));
  }
  const holder = await holderOf(engine.paths, name);
  if (holder === undefined) problems.push(nameless(engine, record));
  else if (holder.id !== id && containerExists(engine.paths, id)) {
    const other = `its name ${name} belongs to container ${shortId(holder.id)}`;
    problems.push(found(id, other, `give it another: tsbox rename ${shortId(id)} NAME`));
  }
  return problems;
}

const found = (id: string, problem: string, remedy: string): Problem => ({
  area: 'container',
  what: shortId(id),
  problem,
  remedy,
});

function nameless({ paths }: Engine, { id, name }: ContainerRecord): Problem {
  const mend = () => takeName(paths, name, id, ownIdentity(), async other => !containerExists(paths, other));
  const problem = `its name ${name} is not registered`;
  return { area: 'name', what: shortId(id), problem, remedy: 'registered again', mend };
}

/** Names whose container never came or is gone. */
export async function checkNames({ paths }: Engine): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const name of await listNames(paths)) {
    const holder = await holderOf(paths, name);
    if (holder && (identityAlive(holder.identity) || containerExists(paths, holder.id))) continue;
    const mend = () => (holder ? releaseName(paths, name, holder.id) : removeEmptyName(paths, name));
    problems.push({ area: 'name', what: name, problem: 'belongs to no container', remedy: 'freed', mend });
  }
  return problems;
}

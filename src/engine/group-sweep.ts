import { existsSync } from 'node:fs';
import { isPopulated, removeGroup } from '../cgroup/tree.ts';
import { readContainerState } from '../store/containers.ts';
import { identityAlive } from '../store/containers-owner.ts';
import type { Engine } from './context.ts';
import { type GroupFile, listGroupFiles, parseGroupFile, removeGroupFile } from './group-file.ts';

/** Groups whose supervisor was killed are empty directories: nobody else removes those of cgroupfs. */
export async function sweepGroups(engine: Engine): Promise<void> {
  for (const file of listGroupFiles(engine)) {
    const group = parseGroupFile(engine, file);
    if (group === undefined) continue;
    if (group.path !== undefined && isPopulated(group.path)) continue;
    // Not yet populated, or about to be recorded: its maker cleans up by itself.
    if (identityAlive(group.maker)) continue;
    if (group.path === undefined && readContainerState(engine.paths, group.id).status === 'running') continue;
    dropGroup(engine, file, group);
  }
}

/** Nothing is in it any more, nor will be. `file`: a container's id, or one that `listGroupFiles` gives. */
export function dropGroup(engine: Engine, file: string, { path }: GroupFile): void {
  if (path === undefined || !existsSync(path) || removeGroup(path)) removeGroupFile(engine, file);
}

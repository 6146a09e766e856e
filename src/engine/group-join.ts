import { cgroupDriver } from '../cgroup/select.ts';
import type { Spec } from '../oci/runtime-spec.ts';
import type { GroupFile } from './group-file.ts';
import { withApproximation } from './group-start.ts';

/** `exec`: the group of the container, made joinable for the helper. Throws HOST. */
export async function joinGroup(group: GroupFile, helper: number): Promise<string | undefined> {
  if (group.path === undefined) return undefined;
  await cgroupDriver(group.driver).admit({ ...group, path: group.path }, helper);
  return group.path;
}

/** What stands in for limits counts for every process of the container. */
export const approximated = (group: GroupFile, spec: Spec): Spec =>
  group.approximation ? withApproximation(spec, group.approximation) : spec;

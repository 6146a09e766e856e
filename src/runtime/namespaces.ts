import type { NamespaceType } from '../oci/runtime-spec.ts';
import { CLONE } from '../plan/flags.ts';

const FLAG: Readonly<Record<NamespaceType, number>> = {
  user: CLONE.NEWUSER,
  mount: CLONE.NEWNS,
  pid: CLONE.NEWPID,
  uts: CLONE.NEWUTS,
  ipc: CLONE.NEWIPC,
  network: CLONE.NEWNET,
  cgroup: CLONE.NEWCGROUP,
  time: CLONE.NEWTIME,
};

/** CLONE_NEW* bits of the namespaces of a spec. */
export function cloneFlags(namespaces: readonly { readonly type: NamespaceType }[]): number {
  return namespaces.reduce((flags, n) => flags | FLAG[n.type], 0);
}

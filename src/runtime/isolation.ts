import { ANNOTATION, type IdMapping, type NamespaceType, type Spec } from '../oci/runtime-spec.ts';
import type { IdMapLine } from '../plan/ops.ts';
import { type Op, ops, optional } from '../plan/ops.ts';

/** LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (linux/landlock.h, ABI 6). */
const SCOPE_ABSTRACT = 1;

/**
 * The walls behind the walls. Pure; docs/isolation.md says what each is for and what it costs.
 */

/** Before `pivot`, on the machine's own /proc. */
export function checkMaps({ linux }: Spec): Op[] {
  const { uidMappings, gidMappings } = linux;
  if (!uidMappings || !gidMappings) return [];
  return [
    ops.idmap(uidMappings.map(line), gidMappings.map(line), 'the ids that were written are those asked for'),
  ];
}

/** Before /proc/sys is read-only. With the machine's pid namespace /proc is the machine's own. */
export function nestingOps(spec: Spec): Op[] {
  if (spec.annotations[ANNOTATION.nestedUserns] !== 'off' || !own(spec, 'pid')) return [];
  const setting = ops.procwrite(
    '/proc/sys/user/max_user_namespaces',
    '0',
    'no user namespace below this one: the kernel’s widest door stays shut even if the filter misses a call',
  );
  return [mandatory(spec) ? setting : optional(setting)];
}

/** After `ids`, before the filter and while there are capabilities: Landlock needs them, or no_new_privs. */
export function wallOps(spec: Spec): Op[] {
  const landlock = spec.annotations[ANNOTATION.landlock];
  const wall = ops.landlock(
    own(spec, 'network') ? 0 : SCOPE_ABSTRACT,
    mandatory(spec),
    'what is not beneath the root by way of its mounts cannot be opened, whoever hands out a descriptor of it',
  );
  return [
    ...(spec.annotations[ANNOTATION.keyring] === 'true'
      ? [ops.keyring('the caller’s keys stay outside')]
      : []),
    ...(landlock === undefined ? [] : [mandatory(spec) ? wall : optional(wall)]),
  ];
}

const mandatory = (spec: Spec): boolean => spec.annotations[ANNOTATION.landlock] === 'must';

const own = (spec: Spec, type: NamespaceType): boolean => spec.linux.namespaces.some(n => n.type === type);

const line = (m: IdMapping): IdMapLine => ({ inside: m.containerID, outside: m.hostID, count: m.size });

import type { Value } from './values.ts';

/**
 * In docker's types a null of JSON may be a list or a map that is not there: a template shows it as an empty one (`[]`, `map[]`), and
 * `json` as null again. The names are docker's (api/types/container, image, network); every other null is a pointer, `<nil>`.
 */
const LISTS = new Set(
  `Aliases Binds CapAdd CapDrop Cmd DeviceCgroupRules DeviceRequests Devices Dns DnsOptions DnsSearch Entrypoint Env ExecIDs ExtraHosts GroupAdd
  Links MaskedPaths Mounts OnBuild ReadonlyPaths RepoDigests RepoTags SecurityOpt Shell Ulimits VolumesFrom`.split(
    /\s+/,
  ),
);
const MAPS = new Set('DriverOpts ExposedPorts Labels Options Sysctls Tmpfs Volumes'.split(' '));
/** Their values are lists: a port that is exposed and not published. */
const MAPS_OF_LISTS = new Set(['PortBindings', 'Ports']);

/** The same JSON with such nulls marked. */
export function withTypedNils(value: Value, name = '', parent = ''): Value {
  if (value === null) return nilOf(name, parent);
  if (Array.isArray(value)) return value.map(item => withTypedNils(item));
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]) => [key, withTypedNils(item, key, name)]);
  return Object.fromEntries(entries);
}

function nilOf(name: string, parent: string): Value {
  if (LISTS.has(name) || MAPS_OF_LISTS.has(parent)) return nil([]);
  return MAPS.has(name) || MAPS_OF_LISTS.has(name) ? nil({}) : null;
}

const nil = <T extends object>(empty: T): T => Object.defineProperty(empty, 'toJSON', { value: () => null });

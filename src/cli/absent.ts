import { TsboxError } from '../errors.ts';
import type { UnknownFlag } from './argv.ts';

/**
 * What docker has and tsbox lacks, with the reason. A user who types one of these gets the reason instead of "unknown",
 * and docs/docker-differences.md shows the same (a test compares them). Loaded only when something was not understood.
 */
const PLANNED = 'planned';
const WINDOWS = 'Windows only';
const BUILDKIT = 'there is no BuildKit behind it';
const SWARM = 'there is no swarm';
const LOCAL_OPTIONS = "options of the driver 'local' are mounts, which are root's";

/** Flags of `docker run` and `docker create`. */
export const ABSENT_RUN_FLAGS: Readonly<Record<string, string>> = {
  '--cpu-count': WINDOWS,
  '--cpu-percent': WINDOWS,
  '--cpu-rt-period': 'real-time scheduling cannot be delegated to a user',
  '--cpu-rt-runtime': 'real-time scheduling cannot be delegated to a user',
  '--device-cgroup-rule': 'only root can change which devices a cgroup may use',
  '--disable-content-trust':
    'content is always checked against its digest; signatures are a matter of policy, see signatures.md',
  '--io-maxbandwidth': WINDOWS,
  '--io-maxiops': WINDOWS,
  '--isolation': WINDOWS,
  '--kernel-memory': 'the kernel no longer has this limit',
  '--link': 'a legacy of docker; use a network',
  '--runtime': 'tsbox is its own runtime',
  '--storage-opt': "the size of a directory cannot be limited without quotas, which are root's",
  '--use-api-socket': 'there is no daemon and no socket',
  '--volume-driver': "the only one is 'local'",
};

/** Flags of the other verbs. */
export const ABSENT_FLAGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'builder prune': {
    '--keep-storage': 'steps are kept by age: --filter until=24h',
  },
  start: { '--checkpoint': PLANNED, '--checkpoint-dir': PLANNED },
  history: { '--platform': 'a name means one platform here' },
  ps: { '--size': PLANNED, '-s': PLANNED },
  update: {
    '--cpu-rt-period': 'real-time scheduling cannot be delegated to a user',
    '--cpu-rt-runtime': 'real-time scheduling cannot be delegated to a user',
  },
  build: {
    '--attest': BUILDKIT,
    '--builder': BUILDKIT,
    '--cache-to': 'the cache is in the store; push the image and use --cache-from',
    '--disable-content-trust':
      'content is always checked against its digest; signatures are a matter of policy, see signatures.md',
    '--isolation': WINDOWS,
    '--provenance': BUILDKIT,
    '--sbom': BUILDKIT,
  },
  rm: { '--link': 'a legacy of docker', '-l': 'a legacy of docker' },
  inspect: { '--size': PLANNED, '-s': PLANNED },
  push: { '--disable-content-trust': 'there are no signatures to make' },
  pull: {
    '--disable-content-trust':
      'content is always checked against its digest; signatures are a matter of policy, see signatures.md',
  },
  images: { '--tree': PLANNED },
  rmi: { '--platform': PLANNED },
  'volume create': {
    '--availability': SWARM,
    '--group': SWARM,
    '--limit-bytes': SWARM,
    '--opt': LOCAL_OPTIONS,
    '-o': LOCAL_OPTIONS,
    '--required-bytes': SWARM,
    '--scope': SWARM,
    '--secret': SWARM,
    '--sharing': SWARM,
    '--topology-preferred': SWARM,
    '--topology-required': SWARM,
    '--type': SWARM,
  },
  'volume ls': { '--cluster': SWARM },
  'network create': {
    '--attachable': SWARM,
    '--config-from': SWARM,
    '--config-only': SWARM,
    '--ingress': SWARM,
    '--scope': SWARM,
    '--ipam-driver': 'addresses are given out by tsbox itself',
    '--ipam-opt': 'addresses are given out by tsbox itself',
    '--ipv4': 'every network has IPv4',
  },
  'network connect': {
    '--driver-opt': 'interfaces have no options',
    '--gw-priority': 'the first network is the way out',
    '--link': 'a legacy of docker; use an alias',
  },
};

/** docker's commands. */
export const ABSENT_VERBS: Readonly<Record<string, string>> = {
  checkpoint: PLANNED,
  compose: PLANNED,
  config: SWARM,
  context: 'there is no daemon to choose',
  manifest: PLANNED,
  node: SWARM,
  plugin: 'drivers are part of tsbox',
  secret: SWARM,
  service: SWARM,
  stack: SWARM,
  swarm: SWARM,
  trust: 'there are no signatures to manage',
};

const PAGE = 'docs/docker-differences.md lists what differs';

/** The error for a flag that was not understood: docker's reason if docker has it, else the error as it is. */
export function explainFlag(error: UnknownFlag, verb: string): TsboxError {
  const table = verb === 'run' || verb === 'create' ? ABSENT_RUN_FLAGS : (ABSENT_FLAGS[verb] ?? {});
  const reason = table[error.flag];
  if (reason === undefined) return error;
  return new TsboxError('USAGE', `docker's ${error.flag} is not in tsbox (${reason})`, { hint: PAGE });
}

/** The same for a command; undefined when docker has no such command either. */
export function explainVerb(verb: string): TsboxError | undefined {
  const reason = Object.hasOwn(ABSENT_VERBS, verb) ? ABSENT_VERBS[verb] : undefined;
  if (reason === undefined) return undefined;
  return new TsboxError('USAGE', `docker's '${verb}' is not in tsbox (${reason})`, {
    hint: PAGE,
  });
}

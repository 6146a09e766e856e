import type { OptionMeta } from '../options.ts';

/** Things of the store, or of the machine, whose names may follow. */
export type Kind =
  | 'containers'
  | 'running'
  | 'paused'
  | 'ended'
  | 'images'
  | 'volumes'
  | 'networks'
  | 'files'
  | 'directories';

/** What may stand in one place: words, and names of these kinds. */
export interface Place {
  readonly words?: readonly string[];
  readonly kinds?: readonly Kind[];
  /** After each name of the store: `web:` of `cp web:/etc/hosts .`. */
  readonly suffix?: string;
}

const SIGNALS = ['HUP', 'INT', 'QUIT', 'KILL', 'USR1', 'USR2', 'TERM', 'CONT', 'STOP', 'WINCH'];
const POLICIES = ['no', 'on-failure', 'on-failure:', 'always', 'unless-stopped'];
const WHEN = ['always', 'missing', 'never'];
const NETWORKS = ['slirp4netns', 'pasta', 'none', 'host', 'container:'];

/** Values of options that are a choice, by the option's long name; `VERB --name` where verbs differ. A test finds what is no option. */
export const CHOICES: Readonly<Record<string, readonly string[]>> = {
  '--attach': ['stdin', 'stdout', 'stderr'],
  '--cgroupns': ['host', 'private'],
  '--driver': ['bridge'],
  'volume create --driver': ['local'],
  '--format': ['table', 'json'],
  'save --format': ['docker-archive', 'oci-archive', 'oci-dir'],
  'inspect --format': ['json'],
  '--ipc': ['host', 'none', 'private', 'shareable'],
  '--limits': ['strict', 'best-effort'],
  '--log-driver': ['json-file', 'local', 'k8s-file', 'none'],
  '--log-opt': ['max-size=', 'max-file='],
  '--mount': ['type=bind,', 'type=volume,', 'type=tmpfs,'],
  '--network': NETWORKS,
  'build --network': ['default', 'none', 'host'],
  '--pid': ['host'],
  '--policy': WHEN,
  '--progress': ['auto', 'plain', 'tty', 'quiet', 'rawjson'],
  '--pull': WHEN,
  '--restart': POLICIES,
  '--security-opt': [
    'no-new-privileges',
    'seccomp=unconfined',
    'seccomp=',
    'systempaths=unconfined',
    'userns=allow',
  ],
  '--signal': SIGNALS,
  '--stop-signal': SIGNALS,
  '--storage-driver': ['auto', 'overlay', 'fuse-overlayfs', 'vfs'],
  '--type': ['container', 'image', 'volume', 'network'],
  '--userns': ['auto', 'ranges', 'single', 'keep-id', 'keep-id:'],
  '--uts': ['host'],
};

/** By the placeholder of the value. */
const PLACEHOLDERS: Readonly<Record<string, Place>> = {
  FILE: { kinds: ['files'] },
  PROGRAM: {},
  'SOURCE:TARGET[:ro]': { kinds: ['volumes', 'directories'], suffix: ':' },
  'CONTAINER[:ro]': { kinds: ['containers'] },
  CONTAINER: { kinds: ['containers'] },
  IMAGE: { kinds: ['images'] },
  NETWORK: { kinds: ['networks'] },
};

/** What the value of an option can be. */
export function valuePlace(verb: string | undefined, option: OptionMeta): Place {
  const { value = '', description } = option;
  const long = option.names.find(name => name.startsWith('--')) ?? '';
  const choices = CHOICES[`${verb} ${long}`] ?? CHOICES[long];
  if (long === '--filter') return { words: filterKeys(description).map(key => `${key}=`) };
  // Before the verb a DIR is this machine's; after it, the container's.
  const place = value === 'DIR' && verb === undefined ? { kinds: ['directories'] as const } : undefined;
  return { ...(place ?? PLACEHOLDERS[value]), ...(choices && { words: choices }) };
}

/** The keys that the description of a --filter lists: `Only those that match: name, status …`. */
function filterKeys(description: string): string[] {
  const listed = description.slice(description.indexOf(':') + 1).split(/[,\s]+/);
  return listed.map(key => key.replace(/=.*/, '')).filter(key => /^[a-z][a-z-]*!?$/.test(key));
}

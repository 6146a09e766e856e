import type { VerbClass } from './command.ts';

type Load = () => Promise<VerbClass>;

/**
 * Every verb, loaded when argv names it: registering all of them would double the start-up time. A name of two words
 * is a verb of a noun (`volume create`).
 */
export const VERBS: Readonly<Record<string, Load>> = {
  run: async () => (await import('./commands/run.ts')).Run,
  create: async () => (await import('./commands/create.ts')).Create,
  start: async () => (await import('./commands/start.ts')).Start,
  exec: async () => (await import('./commands/exec.ts')).Exec,
  attach: async () => (await import('./commands/attach.ts')).Attach,
  ps: async () => (await import('./commands/ps.ts')).Ps,
  cp: async () => (await import('./commands/cp.ts')).Cp,
  export: async () => (await import('./commands/export.ts')).Export,
  logs: async () => (await import('./commands/logs.ts')).Logs,
  stop: async () => (await import('./commands/stop.ts')).Stop,
  kill: async () => (await import('./commands/kill.ts')).Kill,
  wait: async () => (await import('./commands/wait.ts')).Wait,
  rm: async () => (await import('./commands/rm.ts')).Rm,
  inspect: async () => (await import('./commands/inspect.ts')).Inspect,
  pause: async () => (await import('./commands/pause.ts')).Pause,
  unpause: async () => (await import('./commands/unpause.ts')).Unpause,
  restart: async () => (await import('./commands/restart.ts')).Restart,
  rename: async () => (await import('./commands/rename.ts')).Rename,
  update: async () => (await import('./commands/update.ts')).Update,
  port: async () => (await import('./commands/port.ts')).Port_,
  top: async () => (await import('./commands/top.ts')).Top,
  stats: async () => (await import('./commands/stats.ts')).Stats,
  'generate systemd': async () => (await import('./commands/generate-systemd.ts')).GenerateSystemd,
  completion: async () => (await import('./commands/completion.ts')).Completion,
  events: async () => (await import('./commands/events.ts')).Events,
  pull: async () => (await import('./commands/pull.ts')).Pull,
  login: async () => (await import('./commands/login.ts')).Login,
  logout: async () => (await import('./commands/logout.ts')).Logout,
  search: async () => (await import('./commands/search.ts')).Search,
  push: async () => (await import('./commands/push.ts')).Push,
  load: async () => (await import('./commands/load.ts')).Load,
  save: async () => (await import('./commands/save.ts')).Save,
  import: async () => (await import('./commands/import.ts')).Import,
  images: async () => (await import('./commands/images.ts')).Images,
  diff: async () => (await import('./commands/diff.ts')).Diff,
  build: async () => (await import('./commands/build.ts')).Build,
  commit: async () => (await import('./commands/commit.ts')).Commit,
  history: async () => (await import('./commands/history.ts')).History,
  rmi: async () => (await import('./commands/rmi.ts')).Rmi,
  tag: async () => (await import('./commands/tag.ts')).Tag,
  untag: async () => (await import('./commands/untag.ts')).Untag,
  'builder prune': async () => (await import('./commands/builder-prune.ts')).BuilderPrune,
  'container prune': async () => (await import('./commands/container-prune.ts')).ContainerPrune,
  'image prune': async () => (await import('./commands/image-prune.ts')).ImagePrune,
  'system check': async () => (await import('./commands/system-check.ts')).SystemCheck,
  'system df': async () => (await import('./commands/system-df.ts')).SystemDf,
  'system prune': async () => (await import('./commands/system-prune.ts')).SystemPrune,
  'volume create': async () => (await import('./commands/volume-create.ts')).VolumeCreate,
  'volume inspect': async () => (await import('./commands/volume-inspect.ts')).VolumeInspect,
  'volume ls': async () => (await import('./commands/volume-ls.ts')).VolumeLs,
  'volume prune': async () => (await import('./commands/volume-prune.ts')).VolumePrune,
  'volume rm': async () => (await import('./commands/volume-rm.ts')).VolumeRm,
  'network connect': async () => (await import('./commands/network-connect.ts')).NetworkConnect,
  'network create': async () => (await import('./commands/network-create.ts')).NetworkCreate,
  'network disconnect': async () => (await import('./commands/network-disconnect.ts')).NetworkDisconnect,
  'network inspect': async () => (await import('./commands/network-inspect.ts')).NetworkInspect,
  'network ls': async () => (await import('./commands/network-ls.ts')).NetworkLs,
  'network prune': async () => (await import('./commands/network-prune.ts')).NetworkPrune,
  'network rm': async () => (await import('./commands/network-rm.ts')).NetworkRm,
  info: async () => (await import('./commands/info.ts')).Info,
  version: async () => (await import('./commands/version.ts')).Version,
  doctor: async () => (await import('./commands/doctor.ts')).Doctor,
};

/** What tsbox calls itself with; neither shown nor documented. */
export const HIDDEN: Readonly<Record<string, Load>> = {
  '_check-health': async () => (await import('./commands/check-health.ts')).CheckHealth,
  _complete: async () =>
    (await import('./commands/complete.ts')).completeOf({
      verbs: VERBS,
      aliases: ALIASES,
      nouns: NOUNS,
      verbsOfNoun,
    }),
  _names: async () => (await import('./commands/names.ts')).Names,
  '_auto-remove': async () => (await import('./commands/auto-remove.ts')).AutoRemove,
  '_after-end': async () => (await import('./commands/after-end.ts')).AfterEnd,
};

/** docker's noun forms and aliases: the words typed, the words meant. */
const SAME_UNDER_CONTAINER = [
  'run',
  'create',
  'start',
  'exec',
  'attach',
  'ps',
  'logs',
  'stop',
  'kill',
  'wait',
  'rm',
  'diff',
  'commit',
  'cp',
  'export',
  'pause',
  'unpause',
  'restart',
  'rename',
  'update',
  'port',
  'top',
  'stats',
];
const SAME_UNDER_IMAGE = ['pull', 'push', 'load', 'save', 'import', 'tag', 'history'];
const under = (noun: string, verbs: readonly string[]): [string, readonly string[]][] =>
  verbs.map(verb => [`${noun} ${verb}`, [verb]]);

export const ALIASES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...under('container', SAME_UNDER_CONTAINER),
  ['container ls', ['ps']],
  ['container list', ['ps']],
  ['container remove', ['rm']],
  ['container inspect', ['inspect', '--type=container']],
  ...under('image', [...SAME_UNDER_IMAGE, 'build']),
  ...under('builder', ['build']),
  ...under('buildx', ['build']),
  ['buildx prune', ['builder prune']],
  ['image ls', ['images']],
  ['image list', ['images']],
  ['image rm', ['rmi']],
  ['image untag', ['untag']],
  ['image remove', ['rmi']],
  ['image inspect', ['inspect', '--type=image']],
  ['network list', ['network ls']],
  ['network remove', ['network rm']],
  ['volume list', ['volume ls']],
  ['volume remove', ['volume rm']],
  ['system info', ['info']],
  ['system events', ['events']],
  ['system doctor', ['doctor']],
]);

export const NOUNS: Readonly<Record<string, string>> = {
  generate: 'Write files for other programs',
  container: 'Manage containers',
  image: 'Manage images',
  network: 'Manage networks',
  builder: 'Build images',
  buildx: "The same by another of docker's names",
  volume: 'Manage volumes',
  system: 'About this machine',
};

/** The words after a noun, aliases included. */
export function verbsOfNoun(noun: string): string[] {
  const prefix = `${noun} `;
  const names = [...Object.keys(VERBS), ...ALIASES.keys()].filter(name => name.startsWith(prefix));
  return names.map(name => name.slice(prefix.length)).sort();
}

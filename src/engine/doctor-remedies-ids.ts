import { spanOf } from '../host/subid-free.ts';
import type { MachineFacts } from './doctor-facts.ts';
import { asRoot, install, quoted, type Remedies, type Remedy } from './doctor-remedy.ts';

export const IDS_REMEDIES: Remedies<
  | 'subid-missing'
  | 'subid-invalid'
  | 'mapper-missing'
  | 'mapper-setuid'
  | 'mapper-nosuid'
  | 'mapper-privileges'
  | 'mapper-failed'
> = {
  'subid-missing': facts => giveIds(facts, facts.subids),
  'subid-invalid': replaceIds,
  'mapper-missing': () => install('newuidmap'),
  'mapper-setuid': ({ mappers }) => asRoot(`chmod u+s ${mappers.map(quoted).join(' ')}`),
  'mapper-nosuid': ({ nosuid = '/usr' }) => asRoot(`mount -o remount,suid ${quoted(nosuid)}`),
  'mapper-privileges': () => ({
    hint: 'start tsbox outside of the sandbox, or from a service without NoNewPrivileges=yes',
  }),
  'mapper-failed': facts => ({
    ...giveIds(facts, { uid: true, gid: true }),
    hint: 'the ranges of /etc/subuid and /etc/subgid must be those that newuidmap allows; --userns single does without',
  }),
};

function giveIds({ subids, user, usermod, local }: MachineFacts, lacks: Lacks): Remedy {
  if (subids.directory)
    return asRoot(
      `# nsswitch.conf has another source (subid:): there, ${user} needs 65536 user ids and group ids`,
    );
  const { free } = subids;
  if (free === undefined)
    return asRoot('# no 65536 ids are free in a row: raise SUB_UID_MAX and SUB_GID_MAX in /etc/login.defs');
  const files = [...(lacks.uid ? ['subuid'] : []), ...(lacks.gid ? ['subgid'] : [])];
  if (usermod && local)
    return asRoot(`usermod ${files.map(file => `--add-${file}s ${spanOf(free)}`).join(' ')} ${quoted(user)}`);
  return asRoot(
    ...files.map(file => `echo ${quoted(`${user}:${free.start}:${free.count}`)} >> /etc/${file}`),
  );
}

interface Lacks {
  readonly uid: boolean;
  readonly gid: boolean;
}

/** Their images and containers have owners from the old lines. */
function replaceIds(facts: MachineFacts): Remedy {
  if (facts.subids.directory) return giveIds(facts, { uid: true, gid: true });
  const lines = `/^${facts.user.replace(/[^\w-]/g, '\\$&')}:/d; /^${facts.uid}:/d`;
  return asRoot(
    `# what ${facts.user} has in the store until now belongs to other ids: tsbox system prune -a before`,
    `sed -i ${quoted(lines)} /etc/subuid /etc/subgid`,
    ...(giveIds(facts, { uid: true, gid: true }).admin ?? []).flatMap(step => step.commands ?? []),
  );
}

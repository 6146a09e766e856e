import type { HostCheck } from '../errors.ts';
import { FINDINGS, isFinding } from './doctor-codes.ts';
import type { MachineFacts } from './doctor-facts.ts';
import { adminLines, REMEDIES } from './doctor-remedies.ts';
import type { AdminStep } from './doctor-remedy.ts';
import type { AdminRequest, DoctorCheck } from './types.ts';

export type { AdminRequest };

/** One part of the request: what it is for, and what is typed. */
interface Part {
  readonly title: string;
  readonly codes: readonly HostCheck[];
  readonly steps: readonly AdminStep[];
}

/** What is missing here and an administrator can give, as a script to read and then to run. Pure. */
export function requestOf(checks: readonly DoctorCheck[], facts: MachineFacts): AdminRequest {
  const codes = [...new Set(checks.map(check => check.code).filter(isFinding))];
  const parts = partsOf(codes, facts).map(part => ({ ...part, commands: adminLines(part.steps, facts) }));
  const items = parts.map(({ codes: which, commands }) => ({ codes: which, commands }));
  if (items.length === 0) return { text: nothing(facts), items };
  const sections = parts.map(({ title, codes: which, commands }, i) =>
    [`# ${i + 1}. ${title}`, ...which.map(reason), ...commands].join('\n'),
  );
  return { text: `${[head(facts), ...sections, ...tail(codes, facts)].join('\n\n')}\n`, items };
}

/** Programs and switches of the kernel are each one part, so that one command does them all. */
function partsOf(codes: readonly HostCheck[], facts: MachineFacts): Part[] {
  const all = codes.flatMap(code => (REMEDIES[code](facts).admin ?? []).map(step => ({ code, step })));
  const joined = (title: string, has: (step: AdminStep) => boolean): Part[] => {
    const some = all.filter(({ step }) => has(step));
    if (some.length === 0) return [];
    return [{ title, codes: [...new Set(some.map(s => s.code))], steps: some.map(s => s.step) }];
  };
  return [
    ...joined('Programs', step => step.programs !== undefined),
    ...joined('Switches of the kernel', step => step.sysctls !== undefined),
    ...all
      .filter(({ step }) => step.commands !== undefined)
      .map(({ code, step }) => ({ title: titleOf(code), codes: [code], steps: [step] })),
  ];
}

const TITLES: Readonly<Record<string, string>> = {
  idmap: 'Ids',
  userns: 'AppArmor',
  overlay: 'The overlay module',
  fuse: '/dev/fuse',
  tun: '/dev/net/tun',
  cgroup: 'Control groups',
};

const titleOf = (code: HostCheck): string => TITLES[FINDINGS[code].checks[0] ?? ''] ?? code;

const reason = (code: HostCheck): string => `#    ${code}: ${FINDINGS[code].sentence}`;

const head = ({ user, uid, host }: MachineFacts): string =>
  [
    `# To the administrator of ${host}, from ${user} (uid ${uid}).`,
    '#',
    '# tsbox runs containers for users: no daemon, no group, no setuid program of its own. On this machine something is',
    '# missing that distributions give to users. Each part can be left out; its first lines say what then does not work.',
    '# The whole is a shell script: please read it, then run it as root.',
  ].join('\n');

function tail(codes: readonly HostCheck[], facts: MachineFacts): string[] {
  const own = codes.map(code => REMEDIES[code](facts).command).filter(command => command !== undefined);
  const lines = [...new Set(own)].map(command => `# ${facts.user} does without help: ${command}`);
  return [[...lines, `# Afterwards ${facts.user} looks with: tsbox doctor`].join('\n')];
}

const nothing = ({ host }: MachineFacts): string =>
  `# ${host} has everything that an administrator can give: nothing to ask for.\n`;

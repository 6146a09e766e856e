import { quoted } from './doctor-remedy.ts';

/** The AppArmor profile that lets one program use user namespaces (apparmor.d(5)). Pure. */

export const PROFILE_FILE = '/etc/apparmor.d/tsbox-helper';

/** `helper`: its real path, since AppArmor knows no links. */
export function apparmorProfile(helper: string): string {
  return [
    'abi <abi/4.0>,',
    'include <tunables/global>',
    '',
    `profile tsbox-helper ${attachment(helper)} flags=(unconfined) {`,
    '  userns,',
    '',
    '  include if exists <local/tsbox-helper>',
    '}',
  ].join('\n');
}

/** Does the profile that is there name this helper? */
export const coversHelper = (profile: string, helper: string): boolean =>
  profile.includes(` ${attachment(helper)} `);

/** The helper of the single file is named by its digest, which the next version changes. */
function attachment(path: string): string {
  const unpacked = /^(.*\/helper-)[0-9a-f]{32}$/.exec(path)?.[1];
  const pattern = unpacked === undefined ? escaped(path) : `${escaped(unpacked)}*`;
  return /\s/.test(path) ? `"${pattern}"` : pattern;
}

const escaped = (path: string): string => path.replace(/[\\?*[\]{}^,"]/g, '\\$&');

/** What an administrator types. Quoted and not a here-document, so that it may be pasted with its indentation. */
export const profileCommands = (helper: string): readonly string[] => [
  `printf '%s\\n' ${quoted(apparmorProfile(helper))} > ${PROFILE_FILE}`,
  `apparmor_parser -r ${PROFILE_FILE}`,
];

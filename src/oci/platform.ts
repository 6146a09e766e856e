import { endianness } from 'node:os';
import { TsboxError } from '../errors.ts';
import type { Descriptor, ImageIndex } from './manifest.ts';

/** Go's names, as images use them. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v7`; arm64's `v8` is left out because it is the only one. */
  readonly variant: string | undefined;
}

const NODE_ARCH: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  mips: 'mips',
  mipsel: 'mipsle',
};
// A map, because an image may call its architecture "constructor".
const ALIASES: ReadonlyMap<string, readonly [string, string?]> = new Map([
  ['x86_64', ['amd64']],
  ['x86-64', ['amd64']],
  ['i386', ['386']],
  ['i686', ['386']],
  ['aarch64', ['arm64']],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
]);

/** What this machine runs. Arguments are for tests. */
export function hostPlatform(
  arch: string = process.arch,
  armVersion: unknown = armVersionOfNode(),
): Platform {
  if (arch === 'arm')
    return {
      os: 'linux',
      architecture: 'arm',
      variant: armVersion === '6' ? 'v6' : 'v7',
    };
  const ppc = endianness() === 'LE' ? 'ppc64le' : 'ppc64';
  return {
    os: 'linux',
    architecture: arch === 'ppc64' ? ppc : (NODE_ARCH[arch] ?? arch),
    variant: undefined,
  };
}

function armVersionOfNode(): unknown {
  return (process.config.variables as Readonly<Record<string, unknown>>).arm_version;
}

/** `linux/arm64/v8`, `linux/arm`, `arm64`. Throws USAGE. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some(part => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new TsboxError('USAGE', `invalid platform ${JSON.stringify(text)}`, {
      hint: 'write it as os/architecture[/variant], for example linux/arm64',
    });
  }
  const [os = '', arch = '', variant] = parts.length === 1 ? ['linux', ...parts] : parts;
  return normalize({ os, architecture: arch, variant });
}

function normalize(platform: Platform): Platform {
  const [architecture, implied] = ALIASES.get(platform.architecture) ?? [platform.architecture];
  const variant = platform.variant === undefined || platform.variant === '' ? implied : platform.variant;
  if (architecture === 'arm64' && variant === 'v8')
    return { os: platform.os, architecture, variant: undefined };
  return { os: platform.os, architecture, variant };
}

export function formatPlatform(p: Platform): string {
  return p.variant === undefined ? `${p.os}/${p.architecture}` : `${p.os}/${p.architecture}/${p.variant}`;
}

/**
 * How well `have` suits `want`: undefined not at all, else smaller is better. An arm of version 7 runs 6 and 5, an amd64 runs
 * 386 at the worst; a higher variant than the wanted one never runs.
 */
export function platformRank(want: Platform, have: Platform): number | undefined {
  const a = normalize(want);
  const b = normalize(have);
  if (a.os !== b.os) return undefined;
  if (a.architecture === 'amd64' && b.architecture === '386') return 100;
  if (a.architecture !== b.architecture) return undefined;
  const fallback = a.architecture === 'arm' ? 7 : a.architecture === 'amd64' ? 1 : undefined;
  const wanted = variantNumber(a.variant) ?? fallback;
  const had = variantNumber(b.variant) ?? fallback;
  if (wanted === undefined || had === undefined) return a.variant === b.variant ? 0 : undefined;
  return had > wanted ? undefined : wanted - had;
}

function variantNumber(variant: string | undefined): number | undefined {
  const match = /^v([0-9]{1,2})$/.exec(variant ?? '');
  return match ? Number(match[1]) : undefined;
}

/** The entry of an index for `want`. Throws PLATFORM with the list of what there is. `name` is for that message. */
export function choosePlatform(index: ImageIndex, want: Platform, name: string): Descriptor {
  const ranked = index.manifests.flatMap(entry => {
    const rank = entry.platform === undefined ? 1000 : platformRank(want, entry.platform);
    return rank === undefined ? [] : [{ entry, rank }];
  });
  const best = ranked.reduce<(typeof ranked)[number] | undefined>(
    (a, b) => (a && a.rank <= b.rank ? a : b),
    undefined,
  );
  if (best !== undefined) return best.entry;
  throw new TsboxError(
    'PLATFORM',
    `${name} has no image for ${formatPlatform(want)}: it has ${listPlatforms(index)}`,
    {
      hint: 'choose one with --platform',
    },
  );
}

function listPlatforms(index: ImageIndex): string {
  const names = index.manifests.flatMap(m => (m.platform ? [formatPlatform(m.platform)] : []));
  // Attestations are listed as unknown/unknown.
  const known = [...new Set(names)].filter(name => name !== 'unknown/unknown');
  return known.length === 0 ? 'none' : known.slice(0, 40).join(', ');
}

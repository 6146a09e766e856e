import { TsboxError } from '../errors.ts';
import { suggest } from '../util/suggest.ts';
import { bridge } from './bridge.ts';
import { container } from './container.ts';
import type { NetworkDriver, NetworkDriverName, NetworkProbe } from './driver.ts';
import { host } from './host.ts';
import { none } from './none.ts';
import { mtuOf, pasta } from './pasta.ts';
import { slirp4netns } from './slirp4netns.ts';
import { parseSlirpOptions } from './slirp4netns-options.ts';
import { probeSlirp } from './slirp4netns-probe.ts';

/** The only place that knows all drivers. */
const DRIVERS: Readonly<Record<NetworkDriverName, NetworkDriver>> = {
  none,
  host,
  slirp4netns,
  pasta,
  container,
  bridge,
};
const NAMES = Object.keys(DRIVERS) as NetworkDriverName[];
/** Those that are chosen by their own names. */
const WORDS = NAMES.filter(name => name !== 'container' && name !== 'bridge');

/** Words of docker and podman for what comes without a choice. */
const DEFAULT_WORDS = ['auto', 'default', 'bridge', 'private'];

export interface NetworkChoice {
  readonly driver: NetworkDriver;
  /** As written after the colon; checked. */
  readonly options: Readonly<Record<string, string>>;
}

export interface NetworkConfig {
  /** The configured default with its options, or `auto`. */
  readonly network?: { readonly driver: string };
}

/** The driver of a name in a container's record. */
export function networkDriver(name: string): NetworkDriver {
  if (isDriver(name)) return DRIVERS[name];
  throw new TsboxError(
    'NETWORK',
    `the network driver ${JSON.stringify(name)} is not in this version of tsbox`,
  );
}

/**
 * What `--network` asks for: `slirp4netns[:key=value,…]`, `pasta[:mtu=…]`, `none`, `host`; undefined means the configured default, or
 * slirp4netns, or pasta where that is not installed.
 * A network that this machine cannot give is an error that says what to install, never silently a lesser one. `cacheDir`
 * keeps what was found out about programs between calls. Throws USAGE and NETWORK.
 */
export async function selectNetwork(
  wanted: string | undefined,
  config: NetworkConfig = {},
  cacheDir?: string,
): Promise<NetworkChoice> {
  const asked = resolveDefault(wanted, config);
  const { name, options } = parseNetwork(asked ?? 'slirp4netns');
  if (name === 'pasta') mtuOf(options);
  if (name !== 'slirp4netns') return proven(name, options, await DRIVERS[name].probe());
  const { force } = parseSlirpOptions(options);
  const probe = await probeSlirp(cacheDir);
  if (!probe.ok && asked === undefined && (await pasta.probe()).ok) return { driver: pasta, options: {} };
  return proven(name, options, force && probe.risky ? { ok: true } : probe);
}

function proven(
  name: NetworkDriverName,
  options: Readonly<Record<string, string>>,
  probe: NetworkProbe,
): NetworkChoice {
  if (!probe.ok) throw unavailable(name, probe);
  return { driver: DRIVERS[name], options };
}

/** Is it said with the drivers' words alone, so that no network must be looked for? */
export function isDriverWord(text: string | undefined): boolean {
  if (text === undefined || DEFAULT_WORDS.includes(text)) return true;
  const name = text.replace(/:.*/, '');
  return isWord(name);
}

/** `name[:key=value,…]` taken apart. Options of drivers that have none, and malformed ones, are USAGE errors. */
export function parseNetwork(text: string): { name: NetworkDriverName; options: Record<string, string> } {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (!isWord(name)) throw unknownNetwork(name);
  if (colon < 0) return { name, options: {} };
  if (name !== 'slirp4netns' && name !== 'pasta')
    throw new TsboxError('USAGE', `--network ${name} takes no options, got ${JSON.stringify(text)}`);
  return { name, options: parseOptions(name, text.slice(colon + 1)) };
}

/** Undefined: nobody has chosen. */
function resolveDefault(wanted: string | undefined, config: NetworkConfig): string | undefined {
  if (wanted !== undefined && !DEFAULT_WORDS.includes(wanted)) return wanted;
  const configured = config.network?.driver ?? 'auto';
  return DEFAULT_WORDS.includes(configured) ? undefined : configured;
}

function parseOptions(name: string, text: string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [, key, value] = /^([a-z0-9_]+)=(.+)$/.exec(part) ?? [];
    if (key === undefined || value === undefined) {
      throw new TsboxError('USAGE', `--network ${name}: ${JSON.stringify(part)} is not key=value`);
    }
    options[key] = value;
  }
  return options;
}

function unavailable(name: string, probe: NetworkProbe): TsboxError {
  return new TsboxError(
    'NETWORK',
    `the network driver ${name} cannot be used: ${probe.reason ?? 'unknown reason'}`,
    {
      ...(probe.hint !== undefined && { hint: probe.hint }),
      check: probe.check,
    },
  );
}

function unknownNetwork(name: string): TsboxError {
  const near = suggest(name, WORDS);
  const hint = near ? `did you mean ${near}?` : `networks: ${WORDS.join(', ')}`;
  return new TsboxError('USAGE', `--network: there is no network ${JSON.stringify(name)}`, { hint });
}

const isWord = (name: string): name is NetworkDriverName => (WORDS as readonly string[]).includes(name);

function isDriver(name: string): name is NetworkDriverName {
  return (NAMES as readonly string[]).includes(name);
}

import { TsboxError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { findContainer } from '../store/containers.ts';
import { readHealth } from '../store/containers-health.ts';
import { suggest } from '../util/suggest.ts';
import type { Engine } from './context.ts';
import type { Found } from './find.ts';
import { compileAncestor } from './ps-ancestor.ts';
import { exposes, publishes } from './ps-ports.ts';
import { shownStatus } from './ps-status.ts';
import type { Filters } from './types.ts';

type Match = (found: Found) => boolean;
/** What one value of a filter means; made once, asked for every container. */
type Compile = (value: string, engine: Engine) => Match | Promise<Match>;

const STATUSES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];
const HEALTHS = ['starting', 'healthy', 'unhealthy', 'none'];

const FILTERS: Readonly<Record<string, Compile>> = {
  id: value => pattern(value, found => [found.record.id]),
  name: value => pattern(value, found => [found.record.name, `/${found.record.name}`]),
  label: value => found => hasLabel(found.record.labels, value),
  status: value => {
    oneOf('status', value, STATUSES);
    return found => shownStatus(found.state) === value;
  },
  exited: value => {
    const code = integer('exited', value);
    return ({ state }) => state.status === 'exited' && state.exitCode === code;
  },
  ancestor: (value, engine) => compileAncestor(engine, value),
  before: async (value, engine) => {
    const other = await findContainer(engine.paths, value);
    return found => found.record.created < other.created;
  },
  since: async (value, engine) => {
    const other = await findContainer(engine.paths, value);
    return found => found.record.created > other.created;
  },
  volume: value => found => found.record.mounts.some(m => m.source === value || m.target === value),
  network: value => found =>
    found.record.network.networks?.some(each => each.network === value) ??
    found.record.network.driver === value,
  publish: value => publishes(value),
  expose: value => exposes(value),
  health: (value, engine) => {
    oneOf('health', value, HEALTHS);
    return ({ record, state }) =>
      (record.healthcheck ? readHealth(engine.paths, record.id, state.start).status : 'none') === value;
  },
};

/** Docker's rule for several values of one key: any of them will do, but a container must have all the labels. */
const ALL_OF = new Set(['label']);

/** One predicate of all filters. Throws USAGE, NOT_FOUND, or what looking up an image throws. */
export async function compileFilters(engine: Engine, filters: Filters): Promise<Match> {
  const keys: Match[] = [];
  for (const [key, values] of Object.entries(filters)) {
    const compile = Object.hasOwn(FILTERS, key) ? FILTERS[key] : undefined;
    if (!compile) throw unknownFilter(key);
    const matches = await Promise.all(values.map(value => compile(value, engine)));
    keys.push(found =>
      ALL_OF.has(key) ? matches.every(match => match(found)) : matches.some(match => match(found)),
    );
  }
  return found => keys.every(match => match(found));
}

/** Docker takes the value as a regular expression that may match anywhere; what is none is looked for as it is. */
function pattern(value: string, texts: (found: Found) => readonly string[]): Match {
  const test = regularExpression(value) ?? { test: (text: string) => text.includes(value) };
  return found => texts(found).some(text => text === value || test.test(text));
}

function regularExpression(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

function hasLabel(labels: ContainerRecord['labels'], wanted: string): boolean {
  const at = wanted.indexOf('=');
  const key = at < 0 ? wanted : wanted.slice(0, at);
  if (!Object.hasOwn(labels, key)) return false;
  return at < 0 || labels[key] === wanted.slice(at + 1);
}

function oneOf(key: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new TsboxError('USAGE', `invalid filter '${key}=${value}'`, {
    hint: `it can be: ${allowed.join(', ')}`,
  });
}

function integer(key: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new TsboxError('USAGE', `invalid filter '${key}=${value}'`, { hint: 'it takes a number' });
}

function unknownFilter(key: string): TsboxError {
  const names = Object.keys(FILTERS);
  const near = suggest(key, names);
  return new TsboxError('USAGE', `invalid filter '${key}'`, {
    hint: near === undefined ? `filters are: ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

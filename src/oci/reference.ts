import { TsboxError } from '../errors.ts';
import { digestProblem, isDigest } from './digest.ts';
import { quote } from './quote.ts';

/**
 * The name of an image, normalised as docker does: `alpine` is docker.io/library/alpine:latest. The grammar is the one in
 * the distribution project's `reference` package.
 */
export interface Reference {
  /** Host and optional port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** `library/alpine`. */
  readonly path: string;
  /** Absent only where a digest is given. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const HUB = 'docker.io';
const LIBRARY = 'library/';
const MAX_NAME = 255;
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/** Throws BAD_REFERENCE with what is wrong. A tag of `latest` is filled in when there is neither tag nor digest. */
export function parseReference(text: string): Reference {
  const fail = (problem: string): never => badReference(text, problem);
  if (text === '') fail('it is empty');
  if (/^[0-9a-f]{64}$/.test(text)) fail('64 hexadecimal digits are an image id, not a name');
  const { name, tag, digest } = split(text);
  if (digest !== undefined && !isDigest(digest)) fail(digestProblem(digest));
  if (tag !== undefined && !TAG.test(tag)) fail(tagProblem(tag));
  const { domain, path } = splitDomain(name);
  if (!DOMAIN.test(domain)) fail(`${quote(domain)} is not a registry host`);
  const problem = pathProblem(path) ?? lengthProblem(domain, path);
  if (problem !== undefined) fail(problem);
  return {
    domain,
    path,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  };
}

function badReference(text: string, problem: string): never {
  throw new TsboxError('BAD_REFERENCE', `invalid image reference ${quote(text, 200)}: ${problem}`, {
    hint: 'write it as [host[:port]/]name[:tag][@sha256:…], for example alpine:3.20',
  });
}

function split(text: string): {
  name: string;
  tag: string | undefined;
  digest: string | undefined;
} {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  // A colon before a slash belongs to the port.
  if (colon < 0 || named.indexOf('/', colon) >= 0) return { name: named, tag: undefined, digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

/** The first component is a host when it could not be a component of a name on docker.io. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = looksLikeHost(first);
  const domain = !isHost || first === 'index.docker.io' ? HUB : first;
  const path = isHost ? name.slice(slash + 1) : name;
  return {
    domain,
    path: domain === HUB && !path.includes('/') ? LIBRARY + path : path,
  };
}

const looksLikeHost = (first: string): boolean => /[.:A-Z]/.test(first) || first === 'localhost';

function tagProblem(tag: string): string {
  if (tag === '') return 'the tag after ":" is empty';
  if (tag.length > 128) return 'the tag is longer than 128 characters';
  return `${quote(tag)} is not a tag (letters, digits, "_", "." and "-", not beginning with "." or "-")`;
}

function pathProblem(path: string): string | undefined {
  const bad = path.split('/').find(part => !COMPONENT.test(part));
  if (bad === undefined) return undefined;
  if (bad === '' || path === LIBRARY) return 'a part of the name is empty';
  if (bad.toLowerCase() !== bad && COMPONENT.test(bad.toLowerCase())) return 'the name must be lower case';
  return `${quote(bad)} is not a part of a name (lower-case letters and digits, separated by ".", "_", "__" or "-")`;
}

function lengthProblem(domain: string, path: string): string | undefined {
  return domain.length + 1 + path.length > MAX_NAME
    ? `the name is longer than ${MAX_NAME} characters`
    : undefined;
}

/** `docker.io/library/alpine`. */
export function repositoryOf(ref: Reference): string {
  return `${ref.domain}/${ref.path}`;
}

/** Canonical form: `docker.io/library/alpine:latest`, `ghcr.io/a/b@sha256:…`. parseReference gives the same value back. */
export function formatReference(ref: Reference): string {
  return repositoryOf(ref) + suffix(ref);
}

/** Docker's display form of the repository: `alpine`, `ghcr.io/a/b`. */
export function familiarName(ref: Reference): string {
  if (ref.domain !== HUB) return repositoryOf(ref);
  // `docker.io/quay.io/x` is not quay.io's x, and must not look as if it were.
  if (looksLikeHost(ref.path.split('/', 1)[0] ?? '')) return repositoryOf(ref);
  const rest = ref.path.startsWith(LIBRARY) ? ref.path.slice(LIBRARY.length) : ref.path;
  // `library/a/b` keeps its prefix: `a/b` would be read back as another repository.
  return rest.includes('/') ? ref.path : rest;
}

/** Docker's display form: `alpine:latest`. */
export function familiarReference(ref: Reference): string {
  return familiarName(ref) + suffix(ref);
}

function suffix(ref: Reference): string {
  const tag = ref.tag === undefined ? '' : `:${ref.tag}`;
  return ref.digest === undefined ? tag : `${tag}@${ref.digest}`;
}

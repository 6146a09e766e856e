import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasErrno, messageOf, TsboxError } from '../errors.ts';
import { absoluteEnvironment } from '../host/paths.ts';
import { parseManifest } from '../oci/manifest.ts';
import { choosePlatform, hostPlatform, parsePlatform } from '../oci/platform.ts';
import { formatReference, type Reference, repositoryOf } from '../oci/reference.ts';
import {
  ACCEPT_ANYTHING,
  parsePolicy,
  type Requirement,
  requirementsFor,
  type SignaturePolicy,
} from '../oci/signature-policy.ts';
import type { RegistryClient } from '../registry/client.ts';
import { getManifest } from '../registry/manifests.ts';
import { readFile } from '../util/files.ts';
import { isSignedBy, type SignatureQuestion } from './signature-verify.ts';

export interface SignatureOptions {
  /** Accepting anything is not enough: a signature must have been verified. */
  readonly required: boolean;
  /** Another file than the usual ones. */
  readonly policyFile: string | undefined;
}

/**
 * The policy file: the one that is named, else the first of the user's own (`tsbox`, then the one of other container tools) and the
 * machine's. Absent: everything is accepted, as these tools have it. Throws USAGE.
 */
export async function loadPolicy(named: string | undefined): Promise<SignaturePolicy> {
  const config = absoluteEnvironment('XDG_CONFIG_HOME') ?? join(homedir(), '.config');
  const usual = ['tsbox/policy.json', 'containers/policy.json'].map(name => join(config, name));
  for (const file of named === undefined ? [...usual, '/etc/containers/policy.json'] : [named]) {
    const bytes = await readPolicy(file, named !== undefined);
    if (bytes) return parsePolicy(bytes, file);
  }
  return ACCEPT_ANYTHING;
}

async function readPolicy(file: string, must: boolean): Promise<Uint8Array | undefined> {
  try {
    return Buffer.from(await readFile(file, 'utf8'));
  } catch (cause) {
    if (!must && hasErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new TsboxError('USAGE', `signature policy ${file}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Decides by the policy before anything of the image is stored. Undefined: accepted without a signature. Otherwise the digest of what is
 * signed: the caller must pull just that. Throws SIGNATURE.
 */
export async function checkSignatures(
  client: RegistryClient,
  ref: Reference,
  platform: string | undefined,
  options: SignatureOptions,
): Promise<string | undefined> {
  const policy = await loadPolicy(options.policyFile);
  const name = repositoryOf(ref);
  const suffix = ref.digest === undefined ? `:${ref.tag ?? 'latest'}` : `@${ref.digest}`;
  const found = requirementsFor(policy, 'docker', name, suffix);
  refuse(ref, found, options);
  if (found.every(one => one.type === 'accept')) return undefined;
  const { top, digests } = await digestsOf(client, ref, platform);
  const question = { client, digests, wanted: { name, suffix } };
  for (const one of found) await verify(ref, one, question);
  return top;
}

function refuse(ref: Reference, found: readonly Requirement[], { required }: SignatureOptions): void {
  const text = formatReference(ref);
  if (found.some(one => one.type === 'reject')) throw refused(`${text}: the signature policy rejects it`);
  const beyond = found.find(one => one.type === 'unsupported');
  if (beyond?.type === 'unsupported')
    throw refused(`${text}: the signature policy asks for ${beyond.name}, which tsbox cannot verify`);
  if (required && found.every(one => one.type === 'accept'))
    throw refused(`${text}: a signature is required, and the signature policy names no key for it`);
}

async function verify(ref: Reference, one: Requirement, question: SignatureQuestion): Promise<void> {
  if (one.type !== 'sigstore') return;
  const problem = await isSignedBy(one, question);
  if (problem !== undefined) throw refused(`${formatReference(ref)}: ${problem}`);
}

const refused = (message: string): TsboxError =>
  new TsboxError('SIGNATURE', message, {
    hint: 'docs/signatures.md: policy.json says who must have signed what; nothing of the image has been stored',
  });

/** What the name leads to, and, if that is a list, what it means on this machine: a signature of either is good for both. */
async function digestsOf(client: RegistryClient, ref: Reference, platform: string | undefined) {
  const top = await getManifest(client, ref.digest ?? ref.tag ?? 'latest');
  const document = parseManifest(top.bytes, top.mediaType);
  if (document.kind !== 'index') return { top: top.digest, digests: [top.digest] };
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const chosen = choosePlatform(document, wanted, formatReference(ref));
  return { top: top.digest, digests: [top.digest, chosen.digest] };
}

/** An archive has no signature that could be verified: the policy must accept anything, and nothing more be `required`. Throws SIGNATURE. */
export async function checkArchivePolicy(required: boolean): Promise<void> {
  if (required) throw refused('a signature is required (images.require_signature), and an archive has none');
  const policy = await loadPolicy(undefined);
  const transports = ['docker-archive', 'oci-archive'];
  const found = transports.flatMap(transport => requirementsFor(policy, transport, '', ''));
  if (found.every(one => one.type === 'accept')) return;
  throw refused('the signature policy does not accept archives');
}

import { messageOf, TsboxError } from '../errors.ts';
import { isDigest, sha256 } from '../oci/digest.ts';
import { asObject, asString, parseObject } from '../oci/guard.ts';
import { identityMatches, type Key, type Requirement } from '../oci/signature-policy.ts';
import type { RegistryClient } from '../registry/client.ts';
import { downloadBlob } from '../registry/download.ts';
import { getManifest } from '../registry/manifests.ts';
import { builtin } from '../util/builtin.ts';
import { readFile } from '../util/files.ts';

export interface SignatureQuestion {
  readonly client: RegistryClient;
  /** Any of them being signed is enough. */
  readonly digests: readonly string[];
  readonly wanted: { readonly name: string; readonly suffix: string };
}

type Sigstore = Extract<Requirement, { type: 'sigstore' }>;

/** cosign's: an image whose layers are what was signed, each with its signature as an annotation. */
const PAYLOAD_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE_NOTE = 'dev.cosignproject.cosign/signature';
const PAYLOAD_KIND = 'cosign container image signature';
const MAX_PAYLOAD = 64 << 10;
const MAX_SIGNATURES = 64;

interface Attached {
  readonly payload: Buffer;
  readonly signature: Buffer;
}

/** Undefined: yes. Otherwise why not, as a clause. What a hostile registry sends is no reason but "not signed". */
export async function isSignedBy(one: Sigstore, question: SignatureQuestion): Promise<string | undefined> {
  const keys = await Promise.all(one.keys.map(publicKey));
  let problem = 'it is not signed';
  for (const digest of question.digests) {
    for (const attached of await signaturesOf(question.client, digest)) {
      const found = problemOf(attached, digest, keys, one, question);
      if (found === undefined) return undefined;
      problem = found;
    }
  }
  return problem;
}

function problemOf(
  { payload, signature }: Attached,
  digest: string,
  keys: readonly import('node:crypto').KeyObject[],
  { identity }: Sigstore,
  { wanted }: SignatureQuestion,
): string | undefined {
  const { verify } = builtin('node:crypto');
  const good = keys.some(key =>
    verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', payload, key, signature),
  );
  if (!good) return 'its signature was not made with a key of the policy';
  // Only now is the text that of the holder of the key.
  const { image, name } = readPayload(payload);
  if (image !== digest) return `its signature is for ${image}`;
  return identityMatches(identity, name, wanted)
    ? undefined
    : `it was signed under the name ${JSON.stringify(name)}`;
}

function readPayload(payload: Buffer): { image: string; name: string } {
  const critical = asObject(parseObject(payload, 'signature', MAX_PAYLOAD).critical, 'critical');
  if (critical.type !== PAYLOAD_KIND)
    throw new TsboxError('SIGNATURE', 'the signature is for something else than an image');
  const image = asObject(critical.image, 'critical.image');
  const identity = asObject(critical.identity, 'critical.identity');
  return {
    image: asString(image['docker-manifest-digest'], 'critical.image.docker-manifest-digest'),
    name: asString(identity['docker-reference'], 'critical.identity.docker-reference'),
  };
}

/** The signatures that lie beside an image, under the tag that cosign makes of its digest. */
async function signaturesOf(client: RegistryClient, digest: string): Promise<Attached[]> {
  const tag = `${digest.replace(':', '-')}.sig`;
  const bytes = await getManifest(client, tag).then(
    found => found.bytes,
    (error: unknown) => {
      if (error instanceof TsboxError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    },
  );
  if (!bytes) return [];
  const { layers } = parseObject(bytes, 'signature', 4 << 20);
  const list = Array.isArray(layers) ? layers.slice(0, MAX_SIGNATURES) : [];
  const found = await Promise.all(list.map(layer => attachedTo(client, layer)));
  return found.filter(one => one !== undefined);
}

async function attachedTo(client: RegistryClient, layer: unknown): Promise<Attached | undefined> {
  const { mediaType, digest, size, annotations } = asObject(layer, 'layer');
  const note = annotations === undefined ? undefined : asObject(annotations, 'annotations')[SIGNATURE_NOTE];
  const usable = mediaType === PAYLOAD_TYPE && isDigest(digest) && typeof note === 'string';
  if (!usable || typeof size !== 'number' || !(size >= 0 && size <= MAX_PAYLOAD)) return undefined;
  const payload = await download(client, { digest, size });
  return { payload, signature: Buffer.from(note, 'base64') };
}

async function download(client: RegistryClient, blob: { digest: string; size: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = {
    offset: 0,
    write(chunk: Buffer): Promise<void> {
      chunks.push(Buffer.from(chunk));
      sink.offset += chunk.length;
      return Promise.resolve();
    },
  };
  await downloadBlob(client, blob, sink);
  const payload = Buffer.concat(chunks);
  if (sha256(payload) === blob.digest) return payload;
  throw new TsboxError('DIGEST', `the signature's text is not ${blob.digest}`);
}

async function publicKey(key: Key) {
  const name = 'path' in key ? key.path : 'keyData';
  try {
    const pem = 'path' in key ? await readFile(key.path, 'utf8') : Buffer.from(key.data);
    return builtin('node:crypto').createPublicKey(pem);
  } catch (cause) {
    throw new TsboxError(
      'USAGE',
      `signature policy: the public key ${name} cannot be used: ${messageOf(cause)}`,
      {
        cause,
        hint: 'a public key in PEM, as `cosign generate-key-pair` writes to cosign.pub',
      },
    );
  }
}

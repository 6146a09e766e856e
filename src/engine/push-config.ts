import { hasBlob, mountBlob, uploadBlob } from '../registry/upload.ts';
import type { PushContext } from './push-layer.ts';

/** The configuration of an image that is pushed. */
export interface PushedConfig {
  readonly digest: string;
  readonly bytes: Buffer;
  /** Repositories of the registry that may have it. */
  readonly mountFrom: readonly string[];
}

/** Brings it to the registry, unless it has it. Throws as pushLayer. */
export async function pushConfig(context: PushContext, config: PushedConfig): Promise<void> {
  const { client, chunkSize } = context;
  const { digest, bytes, mountFrom } = config;
  if ((await mountBlob(client, digest, mountFrom)) !== undefined) return;
  if (await hasBlob(client, digest)) return;
  const known = { digest, size: bytes.length };
  const open = async function* () {
    yield bytes;
  };
  await uploadBlob(client, { known, open, describe: () => known }, { chunkSize });
}

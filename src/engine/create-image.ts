import type { RunConfig } from '../oci/config.ts';
import type { Engine } from './context.ts';
import type { CreateOptions } from './types.ts';

/** The image of a container as `create` needs it. */
export interface BaseImage {
  readonly reference: string;
  /** `sha256:…` of the config, or `host`. */
  readonly id: string;
  readonly layers: readonly string[];
  readonly config: RunConfig;
  readonly platform: string;
}

/** Finds the image, pulling it if the policy says so; `host` is built in. */
export async function findImage(engine: Engine, options: CreateOptions): Promise<BaseImage> {
  if (options.image === 'host') return hostImage();
  const record = await lookup(engine, options);
  return {
    reference: options.image,
    id: record.id,
    layers: record.layers,
    config: record.config.config,
    platform: `${record.config.os}/${record.config.architecture}`,
  };
}

async function lookup(engine: Engine, options: CreateOptions) {
  const { ImageStore } = await import('../store/images.ts');
  // An image that is here needs no registry code at all: this is the hot path of `run`.
  if ((options.pull ?? 'missing') === 'missing' && !options.platform && !options.requireSignature) {
    const found = await new ImageStore(engine.paths.images, engine.paths.tmp).resolve(options.image);
    if (found) return found;
  }
  const { ensureImage } = await import('./pull.ts');
  return ensureImage(engine, options.image, {
    policy: options.pull ?? 'missing',
    ...(options.platform && { platform: options.platform }),
    ...(options.requireSignature && { requireSignature: true }),
    ...(options.signaturePolicy && { signaturePolicy: options.signaturePolicy }),
  });
}

function hostImage(): BaseImage {
  return {
    reference: 'host',
    id: 'host',
    layers: [],
    config: { Cmd: ['sh'] },
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}

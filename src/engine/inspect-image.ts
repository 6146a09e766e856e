import { familiarReference, parseReference } from '../oci/reference.ts';
import type { ImageRecord } from '../store/images.ts';
import type { Engine } from './context.ts';
import { findImage } from './find-image.ts';

/** docker's inspect object of an image. Throws NOT_FOUND, BAD_REFERENCE. */
export async function inspectImage(engine: Engine, reference: string): Promise<Record<string, unknown>> {
  const image = await findImage(engine, reference);
  const { config } = image;
  const familiar = (name: string): string => familiarReference(parseReference(name));
  return {
    Id: image.id,
    RepoTags: image.names.map(familiar),
    RepoDigests: image.digests.map(familiar),
    Parent: '',
    Comment: config.history.at(-1)?.comment ?? '',
    Created: image.created,
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: runConfig(image),
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    Size: image.size,
    VirtualSize: image.size,
    RootFS: { Type: 'layers', Layers: image.layers },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
    Descriptor: { mediaType: image.mediaType, digest: image.manifestDigest },
  };
}

/** Docker shows every field, those that the image leaves out with the zero value of its language. */
function runConfig({ config: { config } }: ImageRecord): Record<string, unknown> {
  return {
    Hostname: '',
    Domainname: '',
    User: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: '',
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
    ...config,
  };
}

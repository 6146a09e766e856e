import { TsboxError } from '../errors.ts';
import type { RunConfig } from '../oci/config.ts';
import type { ContainerRecord } from '../store/container-record.ts';

/**
 * An image that was committed from a container of `host` has what the container changed, and nothing of the machine: that would be gigabytes of it, and an
 * image that brought the machine's view along wherever it is run could be made by anybody. The standard's label says what it lies over.
 */
const BASE = 'org.opencontainers.image.base.name';
const HOST = 'host';

export const markHostChanges = (config: RunConfig): RunConfig => ({
  ...config,
  Labels: { ...config.Labels, [BASE]: HOST },
});

/** The error with what there is to do, if such an image has no program of that name. */
export function explainHostChanges(error: unknown, { labels, image }: ContainerRecord): unknown {
  if (!(error instanceof TsboxError) || error.code !== 'COMMAND_NOT_FOUND' || labels[BASE] !== HOST)
    return error;
  if (image.id === HOST) return error;
  return new TsboxError(error.code, `${error.message}: the image has only what a container of host changed`, {
    exitCode: error.exitCode,
    hint: `lay it over an image that has programs: FROM debian, COPY --from=${image.reference} / /`,
    cause: error,
  });
}

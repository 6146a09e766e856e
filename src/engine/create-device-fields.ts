import type { DeviceRecord, MountRecord } from '../store/container-record.ts';
import type { Engine } from './context.ts';
import { parseDevice } from './create-devices.ts';
import type { CreateOptions } from './types.ts';

export interface DeviceFields {
  readonly record: { readonly devices: readonly DeviceRecord[]; readonly groupAdd?: readonly string[] };
  readonly mounts: readonly MountRecord[];
  readonly env: readonly string[];
}

/** `vendor.com/class=name` of the Container Device Interface. */
const CDI_NAME = /^[A-Za-z][A-Za-z0-9_.-]*\/[A-Za-z0-9][A-Za-z0-9_.-]*=.+$/;

/** --device and --gpus. Throws USAGE, HOST. */
export async function deviceFields(engine: Engine, options: CreateOptions): Promise<DeviceFields> {
  const words = options.devices ?? [];
  const names = words.filter(word => CDI_NAME.test(word));
  const context = { groupsKept: options.groupAdd?.includes('keep-groups') ?? false };
  const plain = words.filter(word => !CDI_NAME.test(word)).flatMap(word => parseDevice(word, context));
  if (names.length === 0 && options.gpus === undefined)
    return { record: { devices: plain }, mounts: [], env: [] };
  const { cdiEdits, gpuNames } = await import('./create-cdi.ts');
  const edits = cdiEdits([...names, ...gpuNames(options.gpus)]);
  for (const warning of edits.warnings) engine.reporter.warn(warning);
  const found = edits.devices.flatMap(word => parseDevice(word, context));
  const groups = [...(options.groupAdd ?? []), ...edits.groups];
  return {
    record: { devices: [...plain, ...found], ...(groups.length > 0 && { groupAdd: groups }) },
    mounts: edits.mounts,
    env: edits.env,
  };
}

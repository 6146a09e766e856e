import { TsboxError } from '../errors.ts';
import type { MountRecord } from '../store/container-record.ts';
import { type CdiEdit, type CdiSpec, readCdiSpecs } from './create-cdi-files.ts';
import { isPropagation } from './mount-values.ts';

/** What CDI devices add to a container. */
export interface CdiEdits {
  /** As --device takes them. */
  readonly devices: readonly string[];
  readonly mounts: readonly MountRecord[];
  /** NAME=value. */
  readonly env: readonly string[];
  /** Group ids. */
  readonly groups: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Looks names `vendor.com/class=name` up in the machine's CDI files (github.com/cncf-tags/container-device-interface, SPEC.md). Hooks
 * are programs of the host that work on the container's files: they are never run (CVE-2025-23266). Throws HOST.
 */
export function cdiEdits(names: readonly string[]): CdiEdits {
  const specs = readCdiSpecs();
  // What a file says for all its devices counts once, and before them.
  const chosen = names.map(name => findDevice(specs, name));
  const common = [...new Set(chosen.map(({ spec }) => spec))].map(spec => spec.edits);
  const edits = [...common, ...chosen.map(({ edit }) => edit)];
  const hooks = edits.reduce((count, edit) => count + edit.hooks, 0);
  return {
    devices: [...new Set(edits.flatMap(edit => edit.devices))],
    mounts: edits.flatMap(edit => edit.mounts).map(mountRecord),
    env: edits.flatMap(edit => edit.env),
    groups: [...new Set(edits.flatMap(edit => edit.groups))],
    warnings: hooks === 0 ? [] : [hookWarning(names, hooks)],
  };
}

const hookWarning = (names: readonly string[], hooks: number): string =>
  `${names.join(', ')}: ${hooks} hooks of the CDI file are not run; libraries may need LD_LIBRARY_PATH inside`;

function findDevice(specs: readonly CdiSpec[], name: string): { spec: CdiSpec; edit: CdiEdit } {
  const [kind = '', device = ''] = name.split(/=(.*)/s);
  // A file of a later directory comes first: it replaces what an earlier one says.
  for (const spec of specs) {
    const edit = spec.kind === kind ? spec.devices.get(device) : undefined;
    if (edit) return { spec, edit };
  }
  const known = specs.flatMap(s => [...s.devices.keys()].map(d => `${s.kind}=${d}`));
  throw new TsboxError('HOST', `no CDI device ${name}`, {
    hint:
      known.length > 0
        ? `known: ${known.slice(0, 8).join(', ')}`
        : 'there are no CDI files in /etc/cdi or /var/run/cdi; for NVIDIA: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
  });
}

function mountRecord({ hostPath, containerPath, options }: CdiEdit['mounts'][number]): MountRecord {
  const kept = options.filter(o => isPropagation(o) || ['nosuid', 'nodev', 'noexec'].includes(o));
  return {
    type: 'bind',
    source: hostPath,
    target: containerPath,
    readOnly: options.includes('ro'),
    options: kept.filter(o => !o.endsWith('private')),
    anonymous: false,
  };
}

const GPU = 'nvidia.com/gpu';

/** docker's --gpus as CDI names: `all`, a number, `device=0,1`, `count=2`. Throws USAGE. */
export function gpuNames(gpus: string | undefined): string[] {
  if (gpus === undefined) return [];
  const text = gpus.replace(/^"(.*)"$/, '$1').replace(/^count=/, '');
  if (text === 'all' || text === '-1') return [`${GPU}=all`];
  if (/^[1-9]\d{0,2}$/.test(text)) return Array.from({ length: Number(text) }, (_, i) => `${GPU}=${i}`);
  const [, list] = /^device=(.+)$/.exec(text) ?? [];
  if (list === undefined)
    throw new TsboxError('USAGE', `--gpus ${JSON.stringify(gpus)} is not understood`, {
      hint: '--gpus all, --gpus 2, --gpus device=0,1; drivers and capabilities are those of the CDI file',
    });
  return list.split(',').map(name => `${GPU}=${name}`);
}

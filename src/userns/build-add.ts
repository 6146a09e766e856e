import { readSync } from 'node:fs';
import { LayerApplier } from '../layer/apply.ts';
import { LayerAdder } from '../layer/build-adder.ts';
import { ArchiveFile } from '../layer/build-archive.ts';
import { LowerTree } from '../layer/build-lower.ts';
import { resolveDestination } from '../layer/build-place.ts';
import type { AddBegun, AddTask, KeptLayer } from '../layer/build-tasks.ts';
import { TarReader } from '../layer/tar-reader.ts';
import type { TaskReply } from '../layer/tasks.ts';
import { enterBoth } from './commit.ts';
import { ownershipOf } from './ownership.ts';

const ARCHIVE = 1;
const DATA = 4;
const PIECE = 256 * 1024;

/** The task `build-add`. */
export function add(task: AddTask, reply: (message: TaskReply) => void): void {
  const ownership = ownershipOf(task.mode);
  enterBoth('.');
  const lower = new LowerTree(task.lowers, ownership);
  const begun: AddBegun = resolveDestination(lower, task.destination);
  reply({ ok: begun });
  const applier = new LayerApplier('', ownership);
  const archive = new ArchiveFile(ARCHIVE);
  try {
    const adder = new LayerAdder(lower, applier, archive, task);
    const reader = new TarReader(adder);
    readData(piece => reader.push(piece));
    reader.finish();
    applier.finish();
    const { entries, size } = adder;
    const kept: KeptLayer = { entries, size, ...archive.finish() };
    reply({ ok: kept });
  } finally {
    applier.close();
  }
}

function readData(use: (piece: Buffer) => void): void {
  const buffer = Buffer.allocUnsafeSlow(PIECE);
  for (let count = readSync(DATA, buffer); count > 0; count = readSync(DATA, buffer))
    use(buffer.subarray(0, count));
}

import { readSync } from 'node:fs';
import { writeWhole } from '../layer/build-archive.ts';
import { digestOf } from '../layer/build-digest.ts';
import { LowerTree } from '../layer/build-lower.ts';
import { membersOf, packMembers } from '../layer/build-members.ts';
import { selectFiles } from '../layer/build-select.ts';
import type { SourceFound, SourceGo, SourceTask } from '../layer/build-tasks.ts';
import type { TaskReply } from '../layer/tasks.ts';
import { enterRootFd } from '../sys/chroot.ts';
import { ownershipOf } from './ownership.ts';

const DATA = 4;

/** The task `build-source`. */
export function source(task: SourceTask, reply: (message: TaskReply) => void): void {
  const ownership = ownershipOf(task.mode);
  enterRootFd(0);
  const choice = selectFiles(new LowerTree(task.lowers, ownership), task.selection);
  const found: SourceFound = { digest: digestOf(choice), sources: choice.sources };
  reply({ ok: found });
  const go = readLine();
  if (go === undefined) return;
  const members = membersOf(choice, JSON.parse(go) as SourceGo);
  for (const piece of packMembers(members, false)) writeWhole(DATA, piece);
  reply({ ok: true });
}

/** Undefined when whoever would have asked is gone, or has no need. */
function readLine(): string | undefined {
  let text = '';
  const buffer = Buffer.alloc(64 * 1024);
  for (let count = readSync(DATA, buffer); count > 0; count = readSync(DATA, buffer)) {
    text += buffer.toString('utf8', 0, count);
    if (text.endsWith('\n')) return text;
  }
  return undefined;
}

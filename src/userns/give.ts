import { giveTree, translateTree } from '../layer/give.ts';
import type { GiveTask, TranslateTask } from '../layer/tasks.ts';
import { enterRootFd } from '../sys/chroot.ts';

/** The directory on descriptor 0 is the root from here on: what anybody exchanges in it meanwhile leads nowhere else. */
const DIRECTORY = 0;

export function give({ uid, gid, path }: GiveTask): number {
  enterRootFd(DIRECTORY);
  return giveTree('/', uid, gid, path);
}

export function translate({ uid, gid }: TranslateTask): number {
  enterRootFd(DIRECTORY);
  return translateTree('/', uid, gid);
}

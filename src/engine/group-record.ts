import { removeGroup } from '../cgroup/tree.ts';
import type { Engine } from './context.ts';
import {
  draftGroupFile,
  type GroupFile,
  parseGroupFile,
  publishGroupFile,
  removeGroupFile,
} from './group-file.ts';

/** The group of one start, which is not the container's before the start has its lock: of several at once, the others' groups go with them. */
export class GroupRecord {
  readonly #engine: Engine;
  readonly #group: GroupFile;
  #draft: string | undefined;

  constructor(engine: Engine, group: GroupFile) {
    this.#engine = engine;
    this.#group = group;
    this.#draft = draftGroupFile(engine, group);
  }

  /** The lock is ours. A group of the last run, whose supervisor was killed, has nobody else who knows it. */
  publish(): void {
    if (this.#draft === undefined) return;
    const before = parseGroupFile(this.#engine, this.#group.id)?.path;
    publishGroupFile(this.#engine, this.#group, this.#draft);
    this.#draft = undefined;
    if (before !== undefined && before !== this.#group.path) removeGroup(before);
  }

  /** The start has come to nothing. What is still populated is left to a sweep. */
  discard(): void {
    const { path } = this.#group;
    if (this.#draft === undefined || (path !== undefined && !removeGroup(path))) return;
    removeGroupFile(this.#engine, this.#draft);
    this.#draft = undefined;
  }
}

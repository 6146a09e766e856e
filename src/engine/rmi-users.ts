import { containerState, listContainerRecords } from '../store/containers.ts';
import type { Engine } from './context.ts';

/** A container that was made from an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

const ENDED = ['created', 'exited'];

/** The ones that run first: about them nothing can be done. */
export async function usersOfImage({ paths }: Engine, imageId: string): Promise<ImageUser[]> {
  const records = (await listContainerRecords(paths)).filter(record => record.image.id === imageId);
  const users = await Promise.all(
    records.map(async record => {
      const { status } = await containerState(paths, record);
      return { id: record.id, running: !ENDED.includes(status) };
    }),
  );
  return users.sort((a, b) => Number(b.running) - Number(a.running));
}

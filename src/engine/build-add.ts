import type { AddInstruction } from '../build/instructions.ts';
import { bytesOf } from './build-layer.ts';
import { type Pick, pickFromContext } from './build-pick.ts';
import type { BuildSession } from './build-session.ts';

/** The sources of an ADD: files of the context as COPY takes them, archives unpacked, downloads, repositories. */
export async function pickAdded(session: BuildSession, instruction: AddInstruction): Promise<Pick[]> {
  const { sources, exclude, parents } = instruction;
  if (sources.length === 0) return [];
  const selection = { sources: sources.map(bytesOf), exclude: exclude.map(bytesOf), parents };
  return [pickFromContext(await session.context(), selection)];
}

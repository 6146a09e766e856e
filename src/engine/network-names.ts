import type { Engine } from './context.ts';

export async function answerNames(_engine: Engine, _descriptor: number): Promise<void> {}

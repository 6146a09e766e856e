import { type HelpText, type Operands, Verb } from '../command.ts';

/** Hidden: answers questions for names that come from networks. */
export class Names extends Verb {
  static readonly help: HelpText = { operands: '', summary: 'Answer questions for names' };
  static readonly operands: Operands = { min: 0, max: 0 };

  override async execute(): Promise<number> {
    await (await import('../../index.ts')).Tsbox.answerNames(0);
    return 0;
  }
}

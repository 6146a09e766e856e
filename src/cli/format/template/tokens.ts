import type { Token } from './lex.ts';
import type { Command, Operand, Pipeline } from './tree.ts';
import { templateError } from './values.ts';

const CONSTANTS = new Map([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

/** Recursive descent over the words of one action. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expectEnd(): void {
    const token = this.#peek();
    if (token) throw templateError(`unexpected ${JSON.stringify(token.text)}`);
  }

  pipeline(): Pipeline {
    const { variables, declares } = this.#declaration();
    const commands: Command[] = [this.#command()];
    while (this.#accept('|')) commands.push(this.#command());
    return { variables, declares, commands };
  }

  /** `$x :=`, `$x =`, `$i, $x :=`; steps back when there is none. */
  #declaration(): { variables: string[]; declares: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    while (this.#peek()?.type === 'variable') {
      variables.push(this.#next().text.slice(1));
      if (!this.#accept(',')) break;
    }
    if (variables.length > 0 && this.#accept(':=')) return { variables, declares: true };
    if (variables.length > 0 && this.#accept('=')) return { variables, declares: false };
    this.#at = start;
    return { variables: [], declares: false };
  }

  #command(): Command {
    const first = this.#operand();
    const rest: Operand[] = [];
    while (this.#startsOperand()) rest.push(this.#operand());
    return [first, ...rest];
  }

  #startsOperand(): boolean {
    const token = this.#peek();
    if (!token) return false;
    return token.type !== 'punctuation' || token.text === '(' || token.text === '.';
  }

  /** A term and the fields that follow it without a space. */
  #operand(): Operand {
    let base = this.#term();
    const names: string[] = [];
    for (let t = this.#peek(); t?.type === 'field' && !t.spaced; t = this.#peek()) {
      names.push(this.#next().text.slice(1));
    }
    if (names.length === 0) return base;
    if (base.type === 'fields') {
      names.unshift(...base.names);
      base = base.base;
    }
    return { type: 'fields', base, names };
  }

  #term(): Operand {
    const token = this.#next();
    switch (token.type) {
      case 'field':
        return { type: 'fields', base: { type: 'dot' }, names: [token.text.slice(1)] };
      case 'variable':
        return { type: 'variable', name: token.text.slice(1) };
      case 'string':
        return { type: 'literal', value: token.text };
      case 'number':
        return { type: 'literal', value: Number(token.text) };
      case 'name':
        return nameOperand(token.text);
      case 'punctuation':
        return this.#punctuation(token.text);
    }
  }

  #punctuation(text: string): Operand {
    if (text === '.') return { type: 'dot' };
    if (text !== '(') throw templateError(`unexpected ${JSON.stringify(text)}`);
    const pipeline = this.pipeline();
    if (!this.#accept(')')) throw templateError('unclosed left paren');
    return { type: 'pipeline', pipeline };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (!token) throw templateError('missing value for command');
    return token;
  }

  #accept(punctuation: string): boolean {
    const token = this.#peek();
    if (token?.type !== 'punctuation' || token.text !== punctuation) return false;
    this.#at++;
    return true;
  }
}

function nameOperand(name: string): Operand {
  const value = CONSTANTS.get(name);
  return value === undefined ? { type: 'function', name } : { type: 'literal', value };
}

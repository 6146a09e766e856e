import { printable } from '../printable.ts';

/** Colours, cursor movements and titles: they have no meaning in a log that is shown line by line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const SEQUENCE = /\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[@-Z\\^_=>])/g;

/** Bytes that a command writes, in any pieces → its lines, safe for a terminal. A line that is overwritten (`\r`) is shown as it ends. */
export class LogLines {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';

  push(data: Uint8Array): string[] {
    this.#rest += this.#decoder.decode(data, { stream: true });
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    // A bar that is drawn again and again without a newline must not fill the memory.
    const last = this.#rest.lastIndexOf('\r', this.#rest.length - 2);
    if (last > 0) this.#rest = this.#rest.slice(last);
    return lines.map(cleaned);
  }

  /** What has no newline yet. */
  rest(): string[] {
    const line = cleaned(this.#rest + this.#decoder.decode());
    this.#rest = '';
    return line === '' ? [] : [line];
  }
}

function cleaned(line: string): string {
  const plain = line.replace(SEQUENCE, '').replace(/\r+$/, '');
  return printable(plain.slice(plain.lastIndexOf('\r') + 1)).replaceAll('\t', '        ');
}

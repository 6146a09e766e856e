/**
 * The part of YAML 1.2 that programs write when they store plain data: block mappings and sequences, scalars plain and quoted, flow
 * collections that are JSON, comments. Anchors, tags, block scalars and several documents are errors, never read as something else.
 */
export type Yaml = null | boolean | number | string | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** Throws Error with the number of the line that is not understood. */
export function parseYaml(text: string): Yaml {
  const reader = new Reader(text);
  const value = reader.block(0);
  reader.end();
  return value;
}

class Reader {
  readonly #lines: Line[];

  constructor(text: string) {
    const lines = text.split(/\r?\n/).map((line, i) => toLine(line, i + 1));
    const used = lines.filter(line => line.text !== '');
    this.#lines = used[0]?.text === '---' ? used.slice(1) : used;
    this.#lines.reverse();
  }

  /** What stands at `indent` or deeper; null when nothing does. */
  block(indent: number): Yaml {
    const line = this.#next();
    if (!line || line.indent < indent) return null;
    if (isItem(line)) return this.#sequence(line.indent);
    return isEntry(line) ? this.#mapping(line.indent) : scalar(this.#take(line));
  }

  end(): void {
    const line = this.#next();
    if (line) throw wrong(line);
  }

  #sequence(indent: number): Yaml[] {
    const items: Yaml[] = [];
    for (let line = this.#next(); line?.indent === indent && isItem(line); line = this.#next()) {
      const [dash = ''] = /^- */.exec(this.#take(line).text) ?? [];
      const text = line.text.slice(dash.length);
      // The item's own first line stands where its text begins.
      if (text !== '') this.#lines.push({ ...line, indent: indent + dash.length, text });
      items.push(this.block(indent + 1));
    }
    return items;
  }

  #mapping(indent: number): { [key: string]: Yaml } {
    const map: { [key: string]: Yaml } = Object.create(null);
    for (let line = this.#next(); line?.indent === indent && !isItem(line); line = this.#next()) {
      const [, key = '', rest = ''] = ENTRY.exec(this.#take(line).text) ?? [];
      const name = String(scalar({ ...line, text: key }));
      if (key === '' || name in map) throw wrong(line);
      map[name] = rest === '' ? this.#below(indent) : scalar({ ...line, text: rest });
    }
    return map;
  }

  /** A sequence may stand as far to the left as its key. */
  #below(indent: number): Yaml {
    const next = this.#next();
    return this.block(next?.indent === indent && isItem(next) ? indent : indent + 1);
  }

  #next(): Line | undefined {
    return this.#lines.at(-1);
  }

  #take(line: Line): Line {
    this.#lines.pop();
    return line;
  }
}

const ENTRY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#&*!|>%@`{}[\],?-][^#]*?):(?:\s+(.*))?$/;

const isItem = ({ text }: Line): boolean => text === '-' || text.startsWith('- ');
const isEntry = ({ text }: Line): boolean => ENTRY.test(text);

function toLine(raw: string, number: number): Line {
  const text = withoutComment(raw).trimEnd();
  const indent = text.length - text.trimStart().length;
  if (text.slice(0, indent).includes('\t')) throw new Error(`line ${number}: a tab`);
  return { number, indent, text: text.slice(indent) };
}

/** A `#` begins a comment after white space and outside quotes. */
function withoutComment(line: string): string {
  const [kept = ''] = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?<!\s)#|[^#\s]|\s(?!#))*/.exec(line) ?? [];
  return line.startsWith('#') ? '' : kept;
}

const WORDS: Readonly<Record<string, Yaml>> = { '': null, '~': null, null: null, true: true, false: false };

function scalar(line: Line): Yaml {
  const { text } = line;
  if (/^["[{]/.test(text)) return json(line);
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw wrong(line);
    return text.slice(1, -1).replaceAll("''", "'");
  }
  if (Object.hasOwn(WORDS, text)) return WORDS[text] ?? null;
  if (/^[&*!|>%@`]/.test(text)) throw wrong(line);
  return /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : text;
}

function json(line: Line): Yaml {
  try {
    return JSON.parse(line.text) as Yaml;
  } catch {
    throw wrong(line);
  }
}

const wrong = (line: Line): Error =>
  new Error(`line ${line.number}: ${JSON.stringify(line.text)} is not understood`);

export interface FunctionSize {
  readonly name: string;
  /** Line number of its head, from 1. */
  readonly line: number;
  readonly lines: number;
}

const CONTROL = /^\s*(\}\s*)?(if|else|for|while|do|switch|case|try|catch|finally|return|with)\b/;
const TS_HEAD =
  /(\bfunction\b.*\{$)|(=>\s*\{$)|(^\s+(?:[\w]+\s)*[#*]?[\w$[\].]+(?:<.*>)?\(.*\)?.*\{$)|(\)(?::.*)?\s\{$)/;

/**
 * Functions of a formatted TypeScript file. The formatter indents a function's closing brace like its head, so lines are
 * enough: no parser is needed.
 */
export function typescriptFunctions(text: string): FunctionSize[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (!TS_HEAD.test(line)) return [];
    const head = headOf(lines, i);
    const first = lines[head] ?? '';
    if (CONTROL.test(first) || /^\s*(export )?(abstract )?(class|interface|type|enum)\b/.test(first))
      return [];
    const end = closing(lines, i, indentOf(first));
    return end === undefined ? [] : [{ name: first.trim(), line: head + 1, lines: end - head + 1 }];
  });
}

const indentOf = (line: string): string => /^\s*/.exec(line)?.[0] ?? '';

/** A signature over several lines ends in `): T {`; its head is the line above with the same indentation. */
function headOf(lines: readonly string[], i: number): number {
  const line = lines[i] ?? '';
  if (!/^\s*\)/.test(line)) return i;
  for (let k = i - 1; k >= 0; k--) {
    if (lines[k]?.trim() && indentOf(lines[k] ?? '') === indentOf(line)) return k;
  }
  return i;
}

function closing(lines: readonly string[], from: number, indent: string): number | undefined {
  for (let k = from + 1; k < lines.length; k++) {
    const line = lines[k] ?? '';
    if (line.startsWith(`${indent}}`)) return k;
    if (line.trim() && indentOf(line).length < indent.length) return undefined;
  }
  return undefined;
}

/** Functions of a C file whose bodies open and close in the first column or at the end of the head's line. */
export function cFunctions(text: string): FunctionSize[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const opens = line === '{' || /^[a-zA-Z_].*\)\s*\{$/.test(line) || /^\s.*\)\s*\{$/.test(line);
    if (!opens || CONTROL.test(line)) return [];
    const head = cHead(lines, i);
    if (head === undefined) return [];
    const end = lines.indexOf('}', i);
    return end < 0 ? [] : [{ name: (lines[head] ?? '').trim(), line: head + 1, lines: end - head + 1 }];
  });
}

/** The line in the first column that begins the function's signature; undefined when the brace opens something else. */
function cHead(lines: readonly string[], i: number): number | undefined {
  for (let k = i; k >= 0 && k > i - 6; k--) {
    const line = lines[k] ?? '';
    if (/^[a-zA-Z_]/.test(line))
      return /\(/.test(line) && !/^(struct|enum|union|typedef)\b[^(]*$/.test(line) ? k : undefined;
    if (k < i && /[;}]\s*$/.test(line)) return undefined;
  }
  return undefined;
}

/** The middle value; 0 for nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

import type { Directives } from './instructions.ts';
import type { SourceText } from './lex-source.ts';
import type { Finding } from './messages.ts';

type Name = keyof Directives;
const NAMES: readonly string[] = ['syntax', 'escape', 'check'] satisfies Name[];
const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;

/** The `# name=value` lines at the head of a file; the first line that is something else ends them (docker's reference: Parser directives). */
export function parseDirectives(source: SourceText, report: (finding: Finding) => void): Directives {
  const found = new Map<string, string>();
  let at = source.text.startsWith('\ufeff') ? 1 : 0;
  if (source.text.startsWith('#!', at)) at = lineEnd(source.text, at);
  while (at < source.text.length) {
    const end = lineEnd(source.text, at);
    const line = source.text.slice(at, end).replace(/\r?\n$/, '');
    const [, written = '', value = ''] = DIRECTIVE.exec(line) ?? [];
    const name = written.toLowerCase();
    if (!NAMES.includes(name)) break;
    const range = source.range(at, at + line.length);
    if (found.has(name)) report({ message: `${name} is given twice`, suggestion: undefined, range });
    else if (name === 'escape' && value !== '\\' && value !== '`')
      report({ message: 'escape is \\ or `', suggestion: undefined, range });
    else found.set(name, value);
    at = end;
  }
  const [syntax, check] = [found.get('syntax'), found.get('check')];
  return {
    escape: found.get('escape') === '`' ? '`' : '\\',
    ...(syntax !== undefined && { syntax }),
    ...(check !== undefined && { check }),
  };
}

function lineEnd(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  return newline < 0 ? text.length : newline + 1;
}

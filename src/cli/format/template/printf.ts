import { kind, quote, show, type Value } from './values.ts';

const VERB = /%(?<flags>[-+# 0]*)(?<width>\d+)?(?:\.(?<precision>\d*))?(?<verb>[a-zA-Z%])|%$/g;

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** fmt.Sprintf for the verbs that a template can need. Wrong ones come out as Go shows them. */
export function printf(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replace(VERB, (_whole, ...match: unknown[]) => {
    const groups = match.at(-1) as Record<string, string | undefined>;
    const spec = toSpec(groups);
    if (spec.verb === '%') return '%';
    if (spec.verb === '') return '%!(NOVERB)';
    if (next >= args.length) return `%!${spec.verb}(MISSING)`;
    return padded(verb(spec, args[next++]), spec);
  });
  const extra = args.slice(next).map(value => `${kind(value)}=${show(value)}`);
  return extra.length > 0 ? `${text}%!(EXTRA ${extra.join(', ')})` : text;
}

const toSpec = (groups: Record<string, string | undefined>): Spec => ({
  flags: groups.flags ?? '',
  width: Number(groups.width ?? 0),
  precision: groups.precision === undefined ? undefined : Number(groups.precision),
  verb: groups.verb ?? '',
});

function padded(text: string, { flags, width, verb: letter }: Spec): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || !/[dxXobeEfgG]/.test(letter)) return text.padStart(width);
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

const signed = (text: string, value: number, flags: string): string =>
  flags.includes('+') && value >= 0 ? `+${text}` : text;

function verb(spec: Spec, value: Value): string {
  const wrong = `%!${spec.verb}(${kind(value)}=${show(value)})`;
  if (spec.verb === 'v') return show(value);
  if (spec.verb === 'T') return kind(value);
  if (spec.verb === 't') return typeof value === 'boolean' ? String(value) : wrong;
  if (typeof value === 'number') return numeric(spec, value) ?? wrong;
  return textual(spec, value) ?? wrong;
}

function textual({ verb: letter, precision, flags }: Spec, value: Value): string | undefined {
  const text = show(value);
  const cut = precision === undefined ? text : [...text].slice(0, precision).join('');
  if (letter === 's') return typeof value === 'boolean' ? undefined : cut;
  if (typeof value !== 'string') return undefined;
  if (letter === 'q') return flags.includes('#') && !text.includes('`') ? `\`${cut}\`` : quote(cut);
  if (letter === 'x') return Buffer.from(cut).toString('hex');
  return letter === 'X' ? Buffer.from(cut).toString('hex').toUpperCase() : undefined;
}

function numeric({ verb: letter, precision, flags }: Spec, value: number): string | undefined {
  const bases: Record<string, number> = { d: 10, x: 16, X: 16, o: 8, b: 2 };
  const base = bases[letter];
  if (base !== undefined && Number.isInteger(value)) {
    const digits = value.toString(base);
    return signed(letter === 'X' ? digits.toUpperCase() : digits, value, flags);
  }
  if (letter === 'c' || letter === 'q') {
    const char = String.fromCodePoint(value);
    return letter === 'c' ? char : `'${char}'`;
  }
  if (letter === 'f' || letter === 'F') return signed(value.toFixed(precision ?? 6), value, flags);
  if (letter === 'e') return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
  if (letter === 'g')
    return precision === undefined ? String(value) : String(Number(value.toPrecision(precision)));
  return undefined;
}

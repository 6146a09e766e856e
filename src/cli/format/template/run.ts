import type { Command, Node, Operand, Pipeline } from './tree.ts';
import {
  type Fn,
  isList,
  isMap,
  kind,
  show,
  sortedKeys,
  templateError,
  truth,
  type Value,
} from './values.ts';

export type Functions = Readonly<Record<string, Fn>>;

/** Thrown through the bodies of a range. */
class Leave {
  readonly word: 'break' | 'continue';
  constructor(word: 'break' | 'continue') {
    this.word = word;
  }
}

/** Walks a tree with a dot, a scope of variables and a set of functions, and collects the text. */
export class Run {
  readonly #functions: Functions;
  #out = '';
  /** Innermost scope last; `$` is the root. */
  readonly #scopes: Map<string, Value>[] = [];

  constructor(functions: Functions) {
    this.#functions = functions;
  }

  render(nodes: readonly Node[], root: Value): string {
    this.#out = '';
    this.#scopes.push(new Map([['', root]]));
    this.#walk(nodes, root);
    return this.#out;
  }

  #walk(nodes: readonly Node[], dot: Value): void {
    for (const node of nodes) this.#node(node, dot);
  }

  #node(node: Node, dot: Value): void {
    if (node.type === 'text') this.#out += node.text;
    else if (node.type === 'print') this.#print(node.pipeline, dot);
    else if (node.type === 'range') this.#scoped(() => this.#range(node, dot));
    else if (node.type === 'if' || node.type === 'with') this.#scoped(() => this.#branch(node, dot));
    else throw new Leave(node.type);
  }

  #print(pipeline: Pipeline, dot: Value): void {
    const value = this.#pipeline(pipeline, dot);
    if (pipeline.variables.length === 0) this.#out += show(value);
  }

  #branch(node: Extract<Node, { type: 'if' | 'with' }>, dot: Value): void {
    const value = this.#pipeline(node.pipeline, dot);
    if (truth(value)) this.#walk(node.body, node.type === 'with' ? value : dot);
    else this.#walk(node.other, dot);
  }

  #range(node: Extract<Node, { type: 'range' }>, dot: Value): void {
    const value = this.#evaluate(node.pipeline.commands, dot);
    const items = entries(value);
    if (items.length === 0) this.#walk(node.other, dot);
    for (const [key, item] of items) {
      if (this.#scoped(() => this.#iteration(node, key, item)) === 'break') break;
    }
  }

  #iteration(node: Extract<Node, { type: 'range' }>, key: Value, item: Value): 'break' | 'continue' {
    const [first, second] = node.pipeline.variables;
    if (second !== undefined) this.#set(second, item, true);
    if (first !== undefined) this.#set(first, second === undefined ? item : key, true);
    try {
      this.#walk(node.body, item);
    } catch (leave) {
      if (!(leave instanceof Leave)) throw leave;
      return leave.word;
    }
    return 'continue';
  }

  #scoped<T>(work: () => T): T {
    const depth = this.#scopes.push(new Map());
    try {
      return work();
    } finally {
      this.#scopes.length = depth - 1;
    }
  }

  #pipeline(pipeline: Pipeline, dot: Value): Value {
    const value = this.#evaluate(pipeline.commands, dot);
    for (const name of pipeline.variables) this.#set(name, value, pipeline.declares);
    return value;
  }

  #evaluate(commands: readonly Command[], dot: Value): Value {
    let piped: Value[] = [];
    for (const command of commands) piped = [this.#command(command, dot, piped)];
    return piped[0];
  }

  #command([first, ...rest]: Command, dot: Value, piped: Value[]): Value {
    if (first.type === 'function' && (first.name === 'and' || first.name === 'or')) {
      return this.#lazy(first.name, rest, dot, piped);
    }
    const args = [...rest.map(operand => this.#operand(operand, dot)), ...piped];
    if (first.type === 'function') return this.#call(first.name, args);
    const value = this.#operand(first, dot);
    if (typeof value === 'function') return value(...args);
    if (args.length > 0) throw templateError(`can't give argument to non-function ${describe(first)}`);
    return value;
  }

  /** `and` and `or` stop at the operand that decides. */
  #lazy(name: 'and' | 'or', rest: readonly Operand[], dot: Value, piped: Value[]): Value {
    let value: Value;
    for (const operand of rest) {
      value = this.#operand(operand, dot);
      if (truth(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #call(name: string, args: Value[]): Value {
    const fn = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (!fn) throw templateError(`function "${name}" not defined`);
    return fn(...args);
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.type) {
      case 'literal':
        return operand.value;
      case 'dot':
        return dot;
      case 'variable':
        return this.#variable(operand.name);
      case 'function':
        return this.#call(operand.name, []);
      case 'pipeline':
        return this.#pipeline(operand.pipeline, dot);
      case 'fields':
        return operand.names.reduce(field, this.#operand(operand.base, dot));
    }
  }

  #variable(name: string): Value {
    for (const scope of this.#scopes.toReversed()) if (scope.has(name)) return scope.get(name);
    throw templateError(`undefined variable "$${name}"`);
  }

  #set(name: string, value: Value, declares: boolean): void {
    const scope = declares ? this.#scopes.at(-1) : this.#scopes.findLast(each => each.has(name));
    if (!scope) throw templateError(`undefined variable "$${name}"`);
    scope.set(name, value);
  }
}

/** Key (or index) and value of everything that range walks. */
function entries(value: Value): [Value, Value][] {
  if (isList(value)) return value.map((item, i) => [i, item]);
  if (isMap(value)) return sortedKeys(value).map(key => [key, value[key]]);
  if (typeof value === 'number') return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i]);
  if (value === null || value === undefined) return [];
  throw templateError(`range can't iterate over ${show(value)}`);
}

/**
 * A field of a map. docker's objects are structs, where a wrong name is an error, and maps (labels, ports), where it is
 * no value: a struct's names all begin with a capital letter.
 */
function field(value: Value, name: string): Value {
  if (value === null || value === undefined) return undefined;
  if (!isMap(value)) throw templateError(`can't evaluate field ${name} in type ${kind(value)}`);
  if (Object.hasOwn(value, name)) return value[name];
  const keys = Object.keys(value);
  if (keys.length > 0 && keys.every(key => /^[A-Z]/.test(key)) && /^[A-Z]/.test(name)) {
    throw templateError(`no field ${name}; there are ${keys.sort().join(', ')}`);
  }
  return undefined;
}

const describe = (operand: Operand): string =>
  operand.type === 'fields' ? `.${operand.names.join('.')}` : operand.type;

import { join } from 'node:path';
import {
  API,
  type Checker,
  ModifierFlags,
  type Project,
  type Symbol as TypeSymbol,
} from 'typescript/unstable/sync';
import { PROJECT } from './source.ts';

/** Something that programs see: an export, or a member of one. */
export interface PublicName {
  /** `Tsbox`, `Tsbox.run`, `Tsbox.open (static)`. */
  readonly name: string;
  /** Its doc comment; empty when there is none. */
  readonly doc: string;
  /** The export it belongs to; its own name for an export. */
  readonly owner: string;
  readonly member?: string;
  readonly isMethod: boolean;
}

/** Everything that src/index.ts exports, with the members of classes, interfaces and objects that are declared here. */
export function publicNames(): PublicName[] {
  const api = new API({ cwd: PROJECT });
  try {
    const snapshot = api.updateSnapshot({ openProject: join(PROJECT, 'src/tsconfig.json') });
    const [project] = snapshot.getProjects();
    if (!project) throw new Error('src/tsconfig.json is no project');
    return namesOf(project);
  } finally {
    api.close();
  }
}

function namesOf(project: Project): PublicName[] {
  const file = project.program.getSourceFile(join(PROJECT, 'src/index.ts'));
  const module = file && project.checker.getSymbolAtLocation(file);
  if (!module) throw new Error('src/index.ts has no symbol');
  return project.checker.getExportsOfModule(module).flatMap(each => exported(project, each));
}

function exported(project: Project, given: TypeSymbol): PublicName[] {
  const { checker } = project;
  const symbol = isAlias(given) ? checker.getAliasedSymbol(given) : given;
  const owner = given.name;
  const doc = symbol.getDocumentationComment(checker);
  const own = { name: owner, doc, owner, isMethod: false };
  const members = [
    ...membersOf(checker, symbol).map(each => ({ each, suffix: '' })),
    ...staticsOf(symbol).map(each => ({ each, suffix: ' (static)' })),
  ].filter(({ each }) => isPublic(project, each));
  return [
    own,
    ...members.map(({ each, suffix }) => ({
      name: `${owner}.${each.name}${suffix}`,
      doc: each.getDocumentationComment(checker),
      owner,
      member: each.name,
      isMethod: (each.flags & METHOD) !== 0,
    })),
  ];
}

const METHOD = 1 << 13;
const CLASS_OR_INTERFACE = (1 << 5) | (1 << 6);
const CLASS = 1 << 5;
const ALIAS = 1 << 21;

const isAlias = (symbol: TypeSymbol): boolean => (symbol.flags & ALIAS) !== 0;

/** Of unions none: their parts are exports of their own. */
function membersOf(checker: Checker, symbol: TypeSymbol): readonly TypeSymbol[] {
  if ((symbol.flags & CLASS_OR_INTERFACE) !== 0)
    return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
  const type = checker.getTypeOfSymbol(symbol);
  return type && symbol.valueDeclaration ? checker.getPropertiesOfType(type) : [];
}

const staticsOf = (symbol: TypeSymbol): readonly TypeSymbol[] =>
  (symbol.flags & CLASS) === 0
    ? []
    : [...symbol.getExports().values()].filter(each => each.name !== 'prototype');

/** Declared in this project, and neither private nor protected. */
function isPublic(project: Project, symbol: TypeSymbol): boolean {
  if (symbol.name.startsWith('#') || symbol.name.startsWith('__')) return false;
  const [declaration] = symbol.declarations;
  const node = declaration?.resolve(project);
  if (!node) return false;
  if (!node.getSourceFile().fileName.startsWith(join(PROJECT, 'src/'))) return false;
  const flags = 'modifierFlags' in node ? Number(node.modifierFlags) : 0;
  return (flags & (ModifierFlags.Private | ModifierFlags.Protected)) === 0;
}

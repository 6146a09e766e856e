import type { SearchResult } from '../../index.ts';
import type { ListShape, Row } from './list.ts';

/** docker's fields of `search --format`. */
export const SEARCH_SHAPE: ListShape = {
  headings: {
    Name: 'NAME',
    Description: 'DESCRIPTION',
    StarCount: 'STARS',
    IsOfficial: 'OFFICIAL',
    IsAutomated: 'AUTOMATED',
  },
  columns: ['Name', 'Description', 'StarCount', 'IsOfficial'],
};

const WIDTH = 45;

/** As in docker, a switch is `[OK]` or nothing for people, and a word in JSON. */
export function searchRow(found: SearchResult, options: { noTrunc: boolean; json: boolean }): Row {
  const mark = (value: boolean): string => (options.json ? String(value) : value ? '[OK]' : '');
  const text = found.description.replace(/\s+/g, ' ').trim();
  return {
    Name: found.name,
    Description: options.noTrunc ? text : shortened(text),
    StarCount: String(found.stars),
    IsOfficial: mark(found.official),
    IsAutomated: mark(found.automated),
  };
}

function shortened(text: string): string {
  const letters = [...text];
  return letters.length > WIDTH ? `${letters.slice(0, WIDTH - 1).join('')}…` : text;
}

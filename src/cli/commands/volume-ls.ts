import { TsboxError } from '../../errors.ts';
import type { VolumeSummary } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { parseFilters } from '../format/filter.ts';
import { printList } from '../format/list.ts';
import { VOLUME_SHAPE, volumeRow } from '../format/volumes.ts';
import { flag, list, text } from '../options.ts';

/** One value of a filter against one volume; docker's keys but `dangling`. */
const FILTERS: Readonly<Record<string, (volume: VolumeSummary, value: string) => boolean>> = {
  name: (volume, value) => volume.name.includes(value),
  driver: (_, value) => value === 'local',
  label: (volume, value) => hasLabel(volume, value),
};

export class VolumeLs extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'List volumes',
    examples: [['Names for a script', 'tsbox volume ls -q']],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  filter = list('-f,--filter', 'KEY=VALUE', 'Only those that match: name, label, driver');
  format = text('--format', 'FORMAT', "'table', 'json', or a Go template such as '{{.Name}}'");
  quiet = flag('-q,--quiet', 'Only names');

  override async execute(): Promise<number> {
    const matches = this.#matcher();
    const tsbox = await this.open();
    const volumes = (await tsbox.volumes()).filter(matches);
    const format = this.quiet && this.format === undefined ? '{{.Name}}' : this.format;
    await printList(this.context, VOLUME_SHAPE, volumes.map(volumeRow), format);
    return 0;
  }

  #matcher(): (volume: VolumeSummary) => boolean {
    const filters = Object.entries(parseFilters(this.filter));
    const bad = filters.find(([key]) => !Object.hasOwn(FILTERS, key));
    if (bad) {
      const hint = `the keys are ${Object.keys(FILTERS).join(', ')}`;
      throw new TsboxError('USAGE', `invalid filter '${bad[0]}'`, { hint });
    }
    return volume => filters.every(([key, values]) => values.some(value => FILTERS[key]?.(volume, value)));
  }
}

function hasLabel({ labels }: VolumeSummary, value: string): boolean {
  const equals = value.indexOf('=');
  if (equals < 0) return Object.hasOwn(labels, value);
  return labels[value.slice(0, equals)] === value.slice(equals + 1);
}

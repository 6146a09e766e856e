import type { EventRecord, EventsOptions } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { eventLine, eventObject } from '../format/events.ts';
import { parseFilters } from '../format/filter.ts';
import { parseTime } from '../format/time.ts';
import { list, text } from '../options.ts';
import { printable, printableJson } from '../printable.ts';
import { defined } from '../values.ts';

export class Events extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Show what happens to containers, images and volumes',
    examples: [
      ['The last hour', 'tsbox events --since 1h --until 0s'],
      [
        'Ends of one container, with their status, until Ctrl-C',
        "tsbox events --filter container=web --filter event=die --format '{{.Actor.Attributes.exitCode}}'",
        { keys: '\x03', status: 130 },
      ],
    ],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  filter = list('-f,--filter', 'KEY=VALUE', 'Only those that match: container, event, image, label, type …');
  format = text('--format', 'FORMAT', "'json' or a Go template such as '{{.Action}}'");
  since = text('--since', 'TIME', 'Begin with what happened then: 10m, 2024-05-01T10:00:00Z, 1714557600');
  until = text('--until', 'TIME', 'End there; in the past: what has happened');

  override async execute(): Promise<number> {
    const options = this.#options();
    const show = await this.#shower();
    const tsbox = await this.open();
    for await (const event of tsbox.events(options)) this.print(show(event));
    return 0;
  }

  async #shower(): Promise<(event: EventRecord) => string> {
    const { format } = this;
    if (format === undefined || format === '') return eventLine;
    if (format === 'json') return event => printableJson(eventObject(event));
    const { compileTemplate } = await import('../format/template/index.ts');
    const template = compileTemplate(format);
    return event => printable(template(eventObject(event)));
  }

  #options(): EventsOptions {
    const now = this.context.now();
    const filters = parseFilters(this.filter);
    return defined<EventsOptions>({
      since: this.since === undefined ? undefined : parseTime('--since', this.since, now),
      until: this.until === undefined ? undefined : parseTime('--until', this.until, now),
      filters: Object.keys(filters).length > 0 ? filters : undefined,
    });
  }
}

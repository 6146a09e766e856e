import { TsboxError } from '../../errors.ts';
import type { Filters, Pruned } from '../../index.ts';
import { type HelpText, type Operands, Verb } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Api } from '../context.ts';
import { parseFilters } from '../format/filter.ts';
import { prunedImages, prunedText, reclaimedText } from '../format/prune.ts';
import { flag, list } from '../options.ts';

export class SystemPrune extends Verb {
  static readonly help: HelpText = {
    operands: '[OPTIONS]',
    summary: 'Remove containers that do not run, and networks, images and build cache that nobody uses',
    examples: [['All that nothing needs that runs', 'tsbox system prune -a', { keys: 'y\r' }]],
  };
  static readonly operands: Operands = { min: 0, max: 0 };

  all = flag('-a,--all', 'Also images with a name, if no container was made from them');
  filter = list('--filter', 'KEY=VALUE', 'Only those that match: until, label, label!');
  force = flag('-f,--force', 'Do not ask');
  volumes = flag('--volumes', 'Also anonymous volumes that no container mounts');

  override async execute(): Promise<number> {
    const filters = parseFilters(this.filter);
    if (this.volumes && filters.until) {
      throw new TsboxError('USAGE', 'the "until" filter is not supported with "--volumes"');
    }
    if (!this.force && !(await confirm(this.context, this.#question()))) return 0;
    await this.#prune(await this.open(), filters);
    return 0;
  }

  async #prune(tsbox: Api, filters: Filters): Promise<void> {
    const { out } = this.context;
    const containers = await tsbox.pruneContainers({ filters });
    out.write(prunedText('Deleted Containers:', containers.deleted));
    const networks = await tsbox.pruneNetworks({ filters });
    out.write(prunedText('Deleted Networks:', networks.deleted));
    const volumes = this.volumes ? await tsbox.pruneVolumes({ filters }) : undefined;
    out.write(prunedText('Deleted Volumes:', volumes?.deleted ?? []));
    const images = await tsbox.pruneImages({ all: this.all, filters });
    out.write(prunedText('Deleted Images:', prunedImages(images)));
    const builds = await this.#pruneBuilds(tsbox, filters);
    out.write(prunedText('Deleted build cache objects:', builds?.deleted ?? []));
    const parts = [containers, volumes, images, builds];
    out.write(reclaimedText(parts.reduce((sum, part) => sum + (part?.reclaimed ?? 0), 0)));
  }

  /** What a build has cached has no labels. */
  async #pruneBuilds(tsbox: Api, filters: Filters): Promise<Pruned | undefined> {
    const { until, ...labels } = filters;
    if (Object.keys(labels).length > 0) return undefined;
    return tsbox.pruneBuilds({ all: this.all, filters: until ? { until } : {} });
  }

  #question(): string {
    const images = this.all
      ? 'all images without at least one container associated to them'
      : 'all dangling images';
    const volumes = this.volumes ? ['all anonymous volumes not used by at least one container'] : [];
    const networks = 'all networks not used by at least one container';
    const items = ['all stopped containers', networks, ...volumes, images, 'unused build cache']
      .map(item => `  - ${item}\n`)
      .join('');
    const filters = this.filter.map(item => `  - ${item.replace('=', '==')}\n`).join('');
    const filtered = filters === '' ? '' : `\n  Items to be pruned will be filtered with:\n${filters}`;
    return `WARNING! This will remove:\n${items}${filtered}\nAre you sure you want to continue?`;
  }
}

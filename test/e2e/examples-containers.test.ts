// run as: ranges
import { exampleTests, ofContainers } from '../support/examples.ts';

exampleTests('examples of containers', ofContainers);

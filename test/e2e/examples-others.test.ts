// run as: ranges
import { exampleTests, ofContainers } from '../support/examples.ts';

exampleTests('examples of images and the rest', verb => !ofContainers(verb));

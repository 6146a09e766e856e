/**
 * The parts of clipanion that are used: command classes, options and what binds words to them. They are taken
 * one by one because the package's front door also loads its `Cli`, which opens process.stdin when it is loaded: that
 * makes a pipe on descriptor 0 non-blocking under the container that inherits it, and costs milliseconds at every start.
 */
export { Command, type Usage } from 'clipanion/lib/advanced/Command.js';
export * as Option from 'clipanion/lib/advanced/options/index.js';
export { CommandBuilder, NoLimits, type RunState } from 'clipanion/lib/core.js';

/**
 * Node answers SIGUSR1 with its debugger on a port of 127.0.0.1, where every user of the machine may then run code as us; batch systems send that
 * signal to all of a job before it ends. With a listener it means nothing, as to docker's client. Until this runs, Node has its way.
 */
export function refuseDebugger(): void {
  process.on('SIGUSR1', () => {});
}

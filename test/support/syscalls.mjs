// Makes system calls and prints how each ended, as JSON. Run as a program, inside whatever is to be tested:
// argv[2] is [[number, argument …] …]; strings are passed as C strings. An answer is the errno, or -1 for success.
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const call = types => libc.func(`long syscall(long, ${types.join(', ')})`);

const results = JSON.parse(process.argv[2]).map(([number, ...args]) => {
  const all = [...args, ...Array(6 - args.length).fill(0)];
  const types = all.map(a => (typeof a === 'string' ? 'const char *' : 'long'));
  const result = call(types)(number, ...all);
  return Number(result) === -1 ? koffi.errno() : -1;
});
process.stdout.write(JSON.stringify({ uid: process.getuid(), results }));

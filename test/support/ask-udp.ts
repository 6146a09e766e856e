import { createSocket } from 'node:dgram';
import { eventually } from './within.ts';

/** Sends a text to a port of the loopback until an answer comes, for so long. */
export async function askUdp(to: number, text: string, milliseconds = 8000): Promise<string> {
  const socket = createSocket('udp4');
  let answer: string | undefined;
  socket.on('message', data => {
    answer = data.toString();
  });
  try {
    return await eventually(milliseconds, 'an answer', () => {
      if (answer === undefined) socket.send(text, to, '127.0.0.1');
      return answer;
    });
  } finally {
    socket.close();
  }
}

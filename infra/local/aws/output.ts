import { insideHandler } from './functions.ts';

/**
 * Sends what handlers write to standard output to `log`, a line at a time, as Lambda sends it to CloudWatch Logs.
 * Everything else still reaches the terminal. Gives what undoes it.
 */
export function divertHandlerOutput(log: (line: string) => void): () => void {
  const undo = [process.stdout, process.stderr].map((stream) => {
    const original = stream.write.bind(stream);
    const write: typeof stream.write = (
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | ((error?: Error | null) => void),
      done?: (error?: Error | null) => void,
    ): boolean => {
      if (insideHandler.getStore() === undefined) {
        return typeof encoding === 'function' ? original(chunk, encoding) : original(chunk, encoding, done);
      }
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      for (const line of text.split('\n')) if (line.trim() !== '') log(line);
      const callback = typeof encoding === 'function' ? encoding : done;
      if (callback !== undefined) process.nextTick(callback);
      return true;
    };
    stream.write = write;
    return () => {
      stream.write = original;
    };
  });
  return () => {
    for (const restore of undo) restore();
  };
}

import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** A zip of files by path. The same content always makes the same bytes, so that a deployment without changes is none. */
export async function zip(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const file = new ZipFile();
  for (const [name, content] of files) {
    file.addBuffer(Buffer.from(content), name, {
      // Any fixed day, in local time as the zip format's own field is.
      mtime: new Date(2000, 0, 1),
      mode: 0o100644,
      forceDosTimestamp: true,
    });
  }
  file.end();
  return buffer(file.outputStream);
}

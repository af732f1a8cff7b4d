import http from 'node:http';
import type { TestContext } from 'node:test';
import { close, listen } from '../../../infra/local/listen.ts';
import { isObject, type Json, type JsonObject } from '../../../infra/local/kubernetes/json.ts';

export interface Received {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: JsonObject;
}

/** What to answer: a status, an object with 200, or nothing at all (the connection is cut). */
export type Reply = number | JsonObject | 'cut';

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
}

async function readJson(request: http.IncomingMessage): Promise<JsonObject> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const value: Json = JSON.parse(text);
  return isObject(value) ? value : {};
}

/** An HTTP server that notes what is posted to it and answers as told; stopped after the test. */
export async function receiver(
  t: TestContext,
  reply: (received: Received, count: number) => Reply | Promise<Reply>,
): Promise<Receiver> {
  const received: Received[] = [];
  const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const item = {
      url: request.url ?? '',
      authorization: request.headers.authorization,
      body: await readJson(request),
    };
    received.push(item);
    const what = await reply(item, received.length);
    if (what === 'cut') request.socket.destroy();
    else if (typeof what === 'number') response.writeHead(what).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(what));
  };
  const server = http.createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const port = await listen(server);
  t.after(() => close(server));
  return { url: `http://127.0.0.1:${port}/hook`, received };
}

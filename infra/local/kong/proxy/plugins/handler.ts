import type { Exchange, Reply } from '../exchange.ts';
import type { Headers } from '../headers.ts';
import type { Row } from '../rows.ts';

/** Status and fields of the answer on its way to the client; plugins change the fields. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Headers;
}

/** A plugin's phases. `config` is Kong's stored configuration, defaults included. */
export interface PluginHandler {
  /** Kong runs plugins from the highest priority to the lowest. */
  readonly priority: number;
  /** Before the upstream is asked; a reply ends the request. */
  access?(config: Row, exchange: Exchange): Reply | undefined | Promise<Reply | undefined>;
  header?(config: Row, exchange: Exchange, head: ResponseHead): void;
  /** Undefined lets the body stream; otherwise it is buffered and given to the returned function. */
  body?(config: Row, exchange: Exchange, head: ResponseHead): ((body: Buffer) => Buffer) | undefined;
}

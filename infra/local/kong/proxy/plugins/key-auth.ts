import { errorReply } from '../exchange.ts';
import type { Exchange, Reply } from '../exchange.ts';
import type { Consumer } from '../configuration.ts';
import { flag, text, texts } from '../rows.ts';
import type { Row } from '../rows.ts';
import type { PluginHandler } from './handler.ts';

function setConsumer(exchange: Exchange, consumer: Consumer, credential: string | undefined): void {
  exchange.consumer = consumer;
  exchange.credential = credential;
  const fields = {
    'x-consumer-id': consumer.id,
    'x-consumer-custom-id': consumer.customId,
    'x-consumer-username': consumer.username,
    'x-credential-identifier': credential,
    'x-anonymous-consumer': credential === undefined ? 'true' : undefined,
  };
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) exchange.upstream.headers.delete(name);
    else exchange.upstream.headers.set(name, [value]);
  }
}

function hide(exchange: Exchange, name: string): void {
  exchange.upstream.headers.delete(name.toLowerCase());
  const query = new URLSearchParams(exchange.upstream.query ?? '');
  if (!query.has(name)) return;
  query.delete(name);
  exchange.upstream.query = query.size === 0 ? undefined : query.toString();
}

/** All values given under the first configured name that was sent at all. */
function keysSent(config: Row, exchange: Exchange): { name: string; values: readonly string[] } | undefined {
  const query = new URLSearchParams(exchange.request.query ?? '');
  for (const name of texts(config, 'key_names')) {
    const inHeader =
      flag(config, 'key_in_header') !== false ? (exchange.request.headers.get(name.toLowerCase()) ?? []) : [];
    if (inHeader.length > 0) return { name, values: inHeader };
    const inQuery = flag(config, 'key_in_query') !== false ? query.getAll(name) : [];
    if (inQuery.length > 0) return { name, values: inQuery };
  }
  return undefined;
}

function authenticate(config: Row, exchange: Exchange): Reply | undefined {
  const realm = text(config, 'realm');
  const challenge = { 'www-authenticate': realm === undefined ? 'Key' : `Key realm="${realm}"` };
  const sent = keysSent(config, exchange);
  const key = sent?.values[0];
  if (sent === undefined || key === undefined || key === '') {
    return errorReply(401, 'No API key found in request', exchange.id, challenge);
  }
  if (sent.values.length > 1) return errorReply(401, 'Duplicate API key found', exchange.id, challenge);
  if (flag(config, 'hide_credentials') === true) hide(exchange, sent.name);
  const { keyauthCredentials, consumers } = exchange.state.configuration;
  const credential = keyauthCredentials.get(key);
  const expired = credential?.expiresAt !== undefined && credential.expiresAt <= Date.now();
  const consumer = credential === undefined || expired ? undefined : consumers.get(credential.consumer);
  if (credential === undefined || consumer === undefined) {
    return errorReply(401, 'Unauthorized', exchange.id, challenge);
  }
  setConsumer(exchange, consumer, credential.id);
  return undefined;
}

function anonymousConsumer(config: Row, exchange: Exchange): Consumer | undefined {
  const anonymous = text(config, 'anonymous');
  if (anonymous === undefined) return undefined;
  const { consumers } = exchange.state.configuration;
  return consumers.get(anonymous) ?? [...consumers.values()].find((consumer) => consumer.username === anonymous);
}

/** Authenticates by an API key in a header or the query. Keys in the body are not looked for. */
export const keyAuth: PluginHandler = {
  priority: 1250,
  access(config, exchange) {
    if (flag(config, 'run_on_preflight') === false && exchange.request.method === 'OPTIONS') return undefined;
    if (text(config, 'anonymous') !== undefined && exchange.credential !== undefined) return undefined;
    const refused = authenticate(config, exchange);
    const anonymous = refused === undefined ? undefined : anonymousConsumer(config, exchange);
    if (anonymous === undefined) return refused;
    setConsumer(exchange, anonymous, undefined);
    return undefined;
  },
};

import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { isRecord } from '../../shared/json.ts';
import { type SeenRequest, type TestAnswer, startServer } from './http-server.ts';

/** What EventBridge does with one call: take it, or refuse entries (by index) or the whole call. */
export type BusRule = (call: number, entries: number) => 'take' | { readonly refuse: readonly number[] } | TestAnswer;

export interface TestBus {
  readonly client: EventBridgeClient;
  readonly url: string;
  /** Entries of each call, in order. */
  readonly calls: readonly (readonly Record<string, unknown>[])[];
  /** Entries that were taken, their details parsed. */
  readonly taken: readonly { readonly type: unknown; readonly detail: unknown; readonly bus: unknown }[];
  stop(): Promise<void>;
}

function entriesOf(request: SeenRequest): Record<string, unknown>[] {
  const body: unknown = JSON.parse(request.body);
  const entries: unknown = isRecord(body) ? body['Entries'] : undefined;
  return Array.isArray(entries) ? entries.filter(isRecord).map((entry) => ({ ...entry })) : [];
}

/** An HTTP endpoint that speaks PutEvents as EventBridge does, and a client of it. */
export async function startBus(rule: BusRule = () => 'take'): Promise<TestBus> {
  const calls: Record<string, unknown>[][] = [];
  const taken: { type: unknown; detail: unknown; bus: unknown }[] = [];
  const server = await startServer((request) => {
    if (request.headers['x-amz-target'] !== 'AWSEvents.PutEvents')
      return { status: 400, body: { __type: 'UnknownOperation' } };
    const entries = entriesOf(request);
    calls.push(entries);
    const decision = rule(calls.length, entries.length);
    if (decision !== 'take' && (decision === 'cut' || !('refuse' in decision))) return decision;
    const refused = decision === 'take' ? [] : decision.refuse;
    const results = entries.map((entry, index) => {
      if (refused.includes(index)) return { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' };
      taken.push({
        type: entry['DetailType'],
        detail: JSON.parse(String(entry['Detail'])),
        bus: entry['EventBusName'],
      });
      return { EventId: `${calls.length}-${index}` };
    });
    return {
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: { FailedEntryCount: refused.length, Entries: results },
    };
  });
  const client = new EventBridgeClient({
    endpoint: server.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return {
    client,
    url: server.url,
    calls,
    taken,
    stop: async () => {
      client.destroy();
      await server.stop();
    },
  };
}

import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { keepConnected } from '../shared/access/connection.ts';
import { awsSecretReader, resolveSettings } from '../shared/access/settings.ts';
import { handler as onion } from '../shared/handler.ts';
import { publisher } from '../shared/publish.ts';
import { clusterOfLogs, logHints, parseLogsEvent } from '../shared/webhook/cloudwatch.ts';
import { webhookConfig, type WebhookConfig } from '../shared/webhook/config.ts';
import { passOn } from '../shared/webhook/pass.ts';
import { receive } from '../shared/webhook/receive.ts';
import { parseHttpEvent } from '../shared/webhook/request.ts';
import type { ClusterJudge } from '../shared/admission/judge.ts';

/** Settings and connections of this function instance. */
interface Connection {
  readonly config: WebhookConfig;
  readonly publisher: ReturnType<typeof publisher>;
  readonly close: () => Promise<void>;
}

let judging: Promise<ClusterJudge> | undefined;

/** What judges admission reviews is large, and many requests are hints alone: it is loaded at the first that needs it. */
async function judge(...write: Parameters<ClusterJudge>): ReturnType<ClusterJudge> {
  judging ??= import('../shared/admission/judge.ts').then(({ connectedJudge }) => connectedJudge(() => process.env));
  return (await judging)(...write);
}

const connection = keepConnected(
  () => process.env,
  async (settings): Promise<Connection> => {
    const config = webhookConfig(await resolveSettings(settings, awsSecretReader(settings)));
    // A sender waits for the answer: give up on a silent bus while it still does.
    const client = new EventBridgeClient({ requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000 } });
    return {
      config,
      publisher: publisher({ client, eventBusName: config.eventBusName }),
      close: async () => client.destroy(),
    };
  },
);

/** POST /webhook and /webhook/{token}: cluster change webhooks. */
export const handler = onion(
  'webhook',
  async (request, { logger, remainingMs }) => {
    const { config, publisher: bus } = await connection();
    const { response, ...received } = await receive(request, config, bus, { judge, remainingMs });
    logger.info('received', { ...received });
    return response;
  },
  { kind: 'http', parse: parseHttpEvent },
);

/** EKS audit logs, from a CloudWatch Logs subscription. */
export const logs = onion(
  'webhookLogs',
  async (batch, { logger }) => {
    const { config, publisher: bus } = await connection();
    const { name: cluster, ownUsers, kinds } = clusterOfLogs(batch, config.clusters);
    const passed = await passOn(logHints(batch, { cluster, ownUsers, kinds }), bus);
    logger.info('received', { sender: 'logs', cluster, ...passed });
    return passed;
  },
  { kind: 'logs', parse: parseLogsEvent },
);

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { asList, asObject, isObject } from '../../../infra/local/aws/json.ts';
import type { JsonObject } from '../../../infra/local/aws/json.ts';
import { readServerless } from '../../../infra/local/aws/variables.ts';
import { intervalMs, wiringOf } from '../../../infra/local/aws/wiring.ts';
import { bundle } from '../../../infra/package/bundle.ts';
import { zip } from '../../../infra/package/zip.ts';
import { indexMeasurements, measurements } from '../../../shared/convergence/metrics.ts';
import { CLUSTER_CHANGE, CONVERGENCE_PENDING, EVENT_SOURCE, RECONCILE_REQUESTED } from '../../../shared/events.ts';
import { NOTHING_RECORDED, statusOf } from '../../../shared/page/status.ts';

const root = join(import.meta.dirname, '../../..');
const settings = {
  KONG_ADMIN_URL: 'https://kong-admin.test:8444',
  VPC_SUBNET_IDS: 'subnet-1,subnet-2',
  VPC_SECURITY_GROUP_IDS: 'sg-1',
  AUDIT_LOG_GROUP: '/aws/eks/test/cluster',
  WEBHOOK_DOMAIN: 'hooks.test',
  WEBHOOK_TRUSTSTORE_URI: 's3://trust.test/ca.pem',
};
let output: string;
let resources: JsonObject;
let text: string;

before(async () => {
  output = await mkdtemp(join(tmpdir(), 'package-test-'));
  await pack(join(output, 'package'));
  text = await readFile(join(output, 'package', 'cloudformation-template-update-stack.json'), 'utf8');
  resources = asObject(asObject(JSON.parse(text), 'template')['Resources'], 'Resources');
});

after(() => rm(output, { recursive: true, force: true }));

/** Packages without an account: nothing of the caller's environment but the paths, and secrets that must not matter. */
async function pack(directory: string): Promise<void> {
  const cli = join(root, 'node_modules/serverless/bin/serverless.js');
  const env = {
    ...settings,
    PATH: process.env['PATH'],
    HOME: output,
    TZ: 'UTC',
    KONG_DATABASE_URL: 'postgres://kong:top-secret@db.test/kong',
    WEBHOOK_TOKENS: 'top-secret',
  };
  await promisify(execFile)(process.execPath, [cli, 'package', '--package', directory], { cwd: root, env });
}

function properties(id: string, type: string): JsonObject {
  const resource = asObject(resources[id], id);
  assert.equal(resource['Type'], type);
  return asObject(resource['Properties'], id);
}

function ofType(type: string): JsonObject[] {
  return Object.values(resources)
    .filter((resource) => isObject(resource) && resource['Type'] === type)
    .map((resource) => asObject(asObject(resource, type)['Properties'], type));
}

const arn = (id: string): JsonObject => ({ 'Fn::GetAtt': [id, 'Arn'] });

test('the rule takes cluster changes from the bus to the queue, with a dead letter queue', () => {
  const rule = properties('ClusterChangeRule', 'AWS::Events::Rule');
  assert.deepEqual(rule['EventBusName'], { Ref: 'ChangeBus' });
  assert.deepEqual(rule['EventPattern'], { source: [EVENT_SOURCE], 'detail-type': [CLUSTER_CHANGE] });
  const [target, ...others] = asList(rule['Targets'], 'Targets').map((item) => asObject(item, 'target'));
  assert.deepEqual(others, []);
  assert.deepEqual(target?.['Arn'], arn('SyncQueue'));
  assert.deepEqual(target?.['DeadLetterConfig'], { Arn: arn('RuleDeadLetterQueue') });
});

test('a request for a reconcile invokes it, once, and only its rule may', () => {
  const rule = properties('ReconcileRequestRule', 'AWS::Events::Rule');
  assert.deepEqual(rule['EventBusName'], { Ref: 'ChangeBus' });
  assert.deepEqual(rule['EventPattern'], { source: [EVENT_SOURCE], 'detail-type': [RECONCILE_REQUESTED] });
  const [target, ...others] = asList(rule['Targets'], 'Targets').map((item) => asObject(item, 'target'));
  assert.deepEqual(others, []);
  assert.deepEqual(target?.['Arn'], arn('ReconcileLambdaFunction'));
  assert.deepEqual(target?.['DeadLetterConfig'], { Arn: arn('RuleDeadLetterQueue') });
  assert.ok(Number(asObject(target?.['RetryPolicy'], 'RetryPolicy')['MaximumRetryAttempts']) > 0);
  assert.deepEqual(properties('ReconcileRequestPermission', 'AWS::Lambda::Permission'), {
    Action: 'lambda:InvokeFunction',
    FunctionName: arn('ReconcileLambdaFunction'),
    Principal: 'events.amazonaws.com',
    SourceArn: arn('ReconcileRequestRule'),
  });
  const asynchronous = ofType('AWS::Lambda::EventInvokeConfig').find(
    ({ FunctionName }) => isObject(FunctionName) && FunctionName['Ref'] === 'ReconcileLambdaFunction',
  );
  assert.equal(asynchronous?.['MaximumRetryAttempts'], 0);
});

test('EventBridge may send to the queues, by the rules that name them, and nobody else', () => {
  const policies = ofType('AWS::SQS::QueuePolicy');
  assert.deepEqual(
    policies.map((policy) => policy['Queues']),
    ['RuleDeadLetterQueue', 'SyncQueue', 'CheckSoonQueue', 'CheckLaterQueue'].map((id) => [{ Ref: id }]),
  );
  const allowed = [
    [arn('ClusterChangeRule'), arn('ReconcileRequestRule')],
    arn('ClusterChangeRule'),
    [arn('ConfigurationAppliedRule'), arn('CheckSoonRule')],
    arn('CheckLaterRule'),
  ];
  for (const [place, policy] of policies.entries()) {
    const [statement, ...others] = asList(asObject(policy['PolicyDocument'], 'document')['Statement'], 'Statement');
    assert.deepEqual(others, []);
    const { Effect, Principal, Action, Condition } = asObject(statement, 'Statement');
    assert.deepEqual([Effect, Principal, Action], ['Allow', { Service: 'events.amazonaws.com' }, 'sqs:SendMessage']);
    assert.deepEqual(Condition, { ArnEquals: { 'aws:SourceArn': allowed[place] } });
  }
});

test('the queue has a dead letter queue and leaves sync six times its timeout', () => {
  const queue = properties('SyncQueue', 'AWS::SQS::Queue');
  assert.deepEqual(queue['RedrivePolicy'], { deadLetterTargetArn: arn('SyncDeadLetterQueue'), maxReceiveCount: 5 });
  const { Timeout } = properties('SyncLambdaFunction', 'AWS::Lambda::Function');
  const [mapping] = ofType('AWS::Lambda::EventSourceMapping');
  const window = Number(mapping?.['MaximumBatchingWindowInSeconds']);
  assert.ok(Number(queue['VisibilityTimeout']) >= 6 * Number(Timeout) + window);
  assert.equal(properties('SyncDeadLetterQueue', 'AWS::SQS::Queue')['RedrivePolicy'], undefined);
});

test('sync gets batches, reports single failures, and runs twice at most', () => {
  const [mapping] = ofType('AWS::Lambda::EventSourceMapping');
  assert.deepEqual(mapping, {
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 1,
    EventSourceArn: arn('SyncQueue'),
    FunctionName: arn('SyncLambdaFunction'),
    Enabled: true,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 2 },
  });
});

test('a write and a check that found something applying lead to a check after a delay, which nothing repeats', () => {
  const rules = [
    ['ConfigurationAppliedRule', { 'detail-type': ['ConfigurationApplied'] }, 'CheckSoonQueue'],
    ['CheckSoonRule', { 'detail-type': [CONVERGENCE_PENDING], detail: { pause: ['short'] } }, 'CheckSoonQueue'],
    ['CheckLaterRule', { 'detail-type': [CONVERGENCE_PENDING], detail: { pause: ['long'] } }, 'CheckLaterQueue'],
  ] as const;
  for (const [id, pattern, queue] of rules) {
    const rule = properties(id, 'AWS::Events::Rule');
    assert.deepEqual(rule['EventBusName'], { Ref: 'ChangeBus' });
    assert.deepEqual(rule['EventPattern'], { source: [EVENT_SOURCE], ...pattern });
    const [target, ...others] = asList(rule['Targets'], 'Targets').map((item) => asObject(item, 'target'));
    assert.deepEqual([target?.['Arn'], others], [arn(queue), []]);
  }
  const { Timeout } = properties('ConvergeLambdaFunction', 'AWS::Lambda::Function');
  const delays = ['CheckSoonQueue', 'CheckLaterQueue'].map((id) => {
    const queue = properties(id, 'AWS::SQS::Queue');
    assert.ok(Number(queue['VisibilityTimeout']) >= 6 * Number(Timeout));
    assert.equal(queue['MessageRetentionPeriod'], 60);
    return queue['DelaySeconds'];
  });
  assert.deepEqual(delays, [1, 5]);
  const mappings = ofType('AWS::Lambda::EventSourceMapping').filter(
    ({ FunctionName }) => JSON.stringify(FunctionName) === JSON.stringify(arn('ConvergeLambdaFunction')),
  );
  assert.deepEqual(
    mappings.map(({ EventSourceArn }) => EventSourceArn),
    [arn('CheckSoonQueue'), arn('CheckLaterQueue')],
  );
});

test('reconcile runs every 5 minutes, one at a time, and converge every minute, with room for its queues', () => {
  for (const [name, rate, atOnce] of [
    ['Reconcile', 'rate(5 minutes)', 1],
    ['Converge', 'rate(1 minute)', 5],
  ] as const) {
    const rule = properties(`${name}EventsRuleSchedule1`, 'AWS::Events::Rule');
    assert.deepEqual([rule['ScheduleExpression'], rule['State']], [rate, 'ENABLED']);
    const { ReservedConcurrentExecutions } = properties(`${name}LambdaFunction`, 'AWS::Lambda::Function');
    assert.equal(ReservedConcurrentExecutions, atOnce);
    const permission = properties(`${name}LambdaPermissionEventsRuleSchedule1`, 'AWS::Lambda::Permission');
    assert.equal(permission['Principal'], 'events.amazonaws.com');
  }
});

test('webhook and status have their routes and answer before API Gateway gives up', () => {
  const keys = ofType('AWS::ApiGatewayV2::Route').map((route) => route['RouteKey']);
  const status = ['GET /status', 'GET /status/{token}', 'GET /status.json', 'GET /metrics'];
  assert.deepEqual(keys, ['POST /webhook', 'POST /webhook/{token}', ...status]);
  for (const name of ['Webhook', 'Status']) {
    assert.ok(Number(properties(`${name}LambdaFunction`, 'AWS::Lambda::Function')['Timeout']) < 30);
  }
});

test('the API has limits of its own, no access log that could hold a token, and no second door beside mutual TLS', () => {
  const stage = properties('HttpApiStage', 'AWS::ApiGatewayV2::Stage');
  assert.deepEqual(stage['DefaultRouteSettings'], { ThrottlingRateLimit: 200, ThrottlingBurstLimit: 500 });
  assert.ok(!('AccessLogSettings' in stage));
  const api = properties('HttpApi', 'AWS::ApiGatewayV2::Api');
  assert.deepEqual(api['DisableExecuteApiEndpoint'], { 'Fn::If': ['HasTruststore', true, { Ref: 'AWS::NoValue' }] });
  const domain = properties('WebhookDomain', 'AWS::ApiGatewayV2::DomainName');
  assert.deepEqual(domain['MutualTlsAuthentication'], {
    'Fn::If': ['HasTruststore', { TruststoreUri: settings.WEBHOOK_TRUSTSTORE_URI }, { Ref: 'AWS::NoValue' }],
  });
});

test('all functions run on Node 24 on arm64 with a role, a log group that ends, and their own handler', () => {
  const functions = ofType('AWS::Lambda::Function');
  const about = functions.map(({ Handler, Role, Runtime, Architectures }) => [Handler, Role, Runtime, Architectures]);
  const expected = [
    ['functions/webhook.handler', 'ReviewRole'],
    ['functions/webhook.logs', 'WebhookRole'],
    ['functions/sync.handler', 'SyncRole'],
    ['functions/reconcile.handler', 'ScheduledRole'],
    ['functions/converge.handler', 'ConvergeRole'],
    ['functions/status.handler', 'StatusRole'],
  ] as const;
  assert.deepEqual(
    about,
    expected.map(([handler, role]) => [handler, arn(role), 'nodejs24.x', ['arm64']]),
  );
  for (const group of ofType('AWS::Logs::LogGroup')) assert.equal(group['RetentionInDays'], 14);
});

test('roles hold what their functions need and no more', () => {
  const allowed = Object.entries(resources)
    .filter(([, resource]) => isObject(resource) && resource['Type'] === 'AWS::IAM::Role')
    .map(([id, resource]) => {
      const policies = asList(asObject(asObject(resource, id)['Properties'], id)['Policies'], id);
      const statements = policies.flatMap((policy) =>
        asList(asObject(asObject(policy, id)['PolicyDocument'], id)['Statement'], id),
      );
      return [id, statements.flatMap((statement) => asObject(statement, id)['Action'])];
    });
  const consume = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  const secrets = ['secretsmanager:GetSecretValue', 'ssm:GetParameter'];
  const base = ['events:PutEvents', ...secrets, 'logs:CreateLogStream', 'logs:PutLogEvents'];
  assert.deepEqual(Object.fromEntries(allowed), {
    WebhookRole: base,
    ReviewRole: base,
    SyncRole: [...base, ...consume],
    ScheduledRole: base,
    // Nothing but its log: the page can change nothing.
    StatusRole: [...secrets, 'logs:CreateLogStream', 'logs:PutLogEvents'],
    ConvergeRole: [...base, ...consume],
  });
  assert.doesNotMatch(text, /"Resource":\s*"\*"/);
});

test('both dead letter queues have an alarm', () => {
  const watched = ofType('AWS::CloudWatch::Alarm')
    .filter((alarm) => alarm['MetricName'] === 'ApproximateNumberOfMessagesVisible')
    .map((alarm) => asObject(asList(alarm['Dimensions'], 'Dimensions')[0], 'Dimension')['Value']);
  const names = ['SyncDeadLetterQueue', 'RuleDeadLetterQueue'].map((id) => ({ 'Fn::GetAtt': [id, 'QueueName'] }));
  assert.deepEqual(watched, names);
});

test('every kind of trouble that converge measures has one alarm, on a metric that exists', () => {
  const own = ofType('AWS::CloudWatch::Alarm').filter((alarm) => alarm['Namespace'] === 'KongIngressFunctions');
  const measured = [
    ...measurements({
      topology: 'unknown',
      verdicts: [],
      newest: undefined,
      converged: [],
      proven: undefined,
      warnings: [],
    }),
    ...indexMeasurements(statusOf(NOTHING_RECORDED)),
  ].map(({ name }) => name);
  const watched = own.map((alarm) => String(alarm['MetricName']));
  assert.deepEqual(watched.toSorted(), [...new Set(watched)].toSorted());
  for (const name of watched) assert.ok(measured.includes(name), name);
  const fine = ['DataPlanesConverged', 'DataPlanesApplying', 'RevisionsConverged', 'Findings'];
  assert.deepEqual(
    measured.filter((name) => !watched.includes(name)),
    fine,
  );
  for (const alarm of own) {
    assert.deepEqual(alarm['Dimensions'], [{ Name: 'service', Value: 'kong-ingress-functions' }]);
  }
});

test('functions get references to secrets, whose values are in no template and come from no shell', () => {
  assert.ok(!text.includes('top-secret'));
  assert.ok(!text.includes('{{resolve:'));
  const { Environment } = properties('SyncLambdaFunction', 'AWS::Lambda::Function');
  const variables = asObject(asObject(Environment, 'Environment')['Variables'], 'Variables');
  assert.equal(variables['KONG_DATABASE_URL'], 'secretsmanager:kong-ingress-functions#KONG_DATABASE_URL');
  assert.equal(variables['KUBERNETES_TOKEN'], 'secretsmanager:kong-ingress-functions#KUBERNETES_TOKEN');
  assert.equal(variables['KONG_ADMIN_URL'], settings.KONG_ADMIN_URL);
});

test('the webhook has what judging takes only where it judges', async () => {
  const own = properties('WebhookLambdaFunction', 'AWS::Lambda::Function');
  const variables = asObject(asObject(own['Environment'], 'Environment')['Variables'], 'Variables');
  assert.ok('WEBHOOK_TOKENS' in variables);
  for (const name of ['KONG_ADMIN_TOKEN', 'KONG_DATABASE_URL', 'KUBERNETES_TOKEN'])
    assert.ok(!(name in variables), name);
  for (const mode of ['open', 'closed']) {
    const service = await readServerless(join(root, 'serverless.yml'), { ...settings, ADMISSION: mode });
    const functions = asObject(service['functions'], 'functions');
    const judging = asObject(asObject(functions['webhook'], 'webhook')['environment'], 'environment');
    assert.deepEqual([judging['ADMISSION'], judging['KONG_ADMIN_URL']], [mode, settings.KONG_ADMIN_URL]);
    assert.ok('WEBHOOK_TOKENS' in judging && 'KUBERNETES_TOKEN' in judging);
    const logs = asObject(asObject(functions['webhookLogs'], 'webhookLogs')['environment'], 'environment');
    assert.ok(!('KUBERNETES_TOKEN' in logs));
  }
});

test('the local stack reads the same resources as CloudFormation gets', async () => {
  const service = await readServerless(join(root, 'serverless.yml'), settings);
  for (const part of asList(service['resources'], 'resources')) {
    const own = asObject(asObject(part, 'part')['Resources'] ?? {}, 'Resources');
    for (const [id, resource] of Object.entries(own)) assert.deepEqual(resources[id], resource, id);
  }
});

test('the local stack runs the functions with the same limits as Lambda does', async () => {
  const wiring = wiringOf(await readServerless(join(root, 'serverless.yml'), settings));
  const local = wiring.functions.map(({ handler, timeoutMs, memoryMb, reservedConcurrency }) => ({
    Handler: handler,
    Timeout: timeoutMs / 1000,
    MemorySize: memoryMb,
    ReservedConcurrentExecutions: reservedConcurrency,
  }));
  const deployed = ofType('AWS::Lambda::Function').map(
    ({ Handler, Timeout, MemorySize, ReservedConcurrentExecutions }) => ({
      Handler,
      Timeout,
      MemorySize,
      ReservedConcurrentExecutions,
    }),
  );
  assert.deepEqual(local, deployed);
  assert.deepEqual(
    wiring.functions.flatMap(({ queues }) => queues).map(({ queue, ...rest }) => ({ ...rest, queue: arn(queue) })),
    ofType('AWS::Lambda::EventSourceMapping').map((mapping) => ({
      queue: mapping['EventSourceArn'],
      batchSize: mapping['BatchSize'],
      windowMs: Number(mapping['MaximumBatchingWindowInSeconds'] ?? 0) * 1000,
      concurrency: asObject(mapping['ScalingConfig'], 'ScalingConfig')['MaximumConcurrency'],
      partialFailures: mapping['FunctionResponseTypes'] !== undefined,
    })),
  );
  assert.deepEqual(
    wiring.queues.map(({ id, delayMs, retentionMs, visibilityMs }) => [id, delayMs, retentionMs, visibilityMs]),
    wiring.queues.map(({ id }) => {
      const { DelaySeconds, MessageRetentionPeriod, VisibilityTimeout } = properties(id, 'AWS::SQS::Queue');
      const seconds = [DelaySeconds ?? 0, MessageRetentionPeriod, VisibilityTimeout ?? 30].map(Number);
      return [id, ...seconds.map((value) => value * 1000)];
    }),
  );
  const routes = wiring.functions.flatMap((wired) => wired.routes.map(({ method, path }) => `${method} ${path}`));
  assert.deepEqual(
    routes,
    ofType('AWS::ApiGatewayV2::Route').map((route) => route['RouteKey']),
  );
  const rates = ofType('AWS::Events::Rule').flatMap(({ ScheduleExpression: rate }) =>
    typeof rate === 'string' ? [rate] : [],
  );
  assert.deepEqual(
    wiring.functions.flatMap(({ schedules }) => schedules),
    rates.map(intervalMs),
  );
});

test('every setting that the functions read can be given to them', async () => {
  const read = new Set<string>();
  for await (const file of glob('shared/**/config.ts', { cwd: root })) {
    const source = await readFile(join(root, file), 'utf8');
    for (const [, name] of source.matchAll(/(?:\(env, '|\benv\.)([A-Z][A-Z0-9_]+)/g)) read.add(name ?? '');
  }
  const given = new Set(
    ofType('AWS::Lambda::Function').flatMap(({ Environment }) =>
      Object.keys(asObject(asObject(Environment, 'Environment')['Variables'], 'Variables')),
    ),
  );
  // A client certificate is a thing of kubeconfig files, as EKS takes tokens only; the last two are for pods.
  const local = new Set([
    'KUBERNETES_CLIENT_CERTIFICATE',
    'KUBERNETES_CLIENT_KEY',
    'KUBERNETES_SERVICE_HOST',
    'KUBERNETES_SERVICE_PORT',
  ]);
  assert.ok(read.has('WEBHOOK_TOKENS') && read.has('KONG_CONTROL_PLANES'));
  assert.deepEqual(new Set([...read].filter((name) => !given.has(name))), local);
});

test('each handler file is one zip, and packing it again elsewhere makes the same bytes', async (context) => {
  const zone = process.env['TZ'];
  context.after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  process.env['TZ'] = 'Asia/Tokyo';
  const names = ['converge', 'reconcile', 'status', 'sync', 'webhook'];
  const files = await readdir(join(output, 'package'));
  assert.deepEqual(
    files.filter((file) => file.endsWith('.zip')),
    names.map((name) => `functions-${name}.zip`),
  );
  for (const name of names) {
    const { files: code } = await bundle(join(root, 'functions', `${name}.ts`));
    const packed = await readFile(join(output, 'package', `functions-${name}.zip`));
    const placed = new Map([...code].map(([file, content]) => [`functions/${file}`, content]));
    assert.ok(packed.equals(await zip(placed)), name);
  }
});

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
import { CLUSTER_CHANGE, EVENT_SOURCE, RECONCILE_REQUESTED } from '../../../shared/events.ts';

const root = join(import.meta.dirname, '../../..');
const settings = {
  KONG_ADMIN_URL: 'https://kong-admin.test:8444',
  VPC_SUBNET_IDS: 'subnet-1,subnet-2',
  VPC_SECURITY_GROUP_IDS: 'sg-1',
  AUDIT_LOG_GROUP: '/aws/eks/test/cluster',
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

test('EventBridge may send to both queues, and nobody else', () => {
  const policies = ofType('AWS::SQS::QueuePolicy');
  assert.deepEqual(
    policies.map((policy) => policy['Queues']),
    [[{ Ref: 'RuleDeadLetterQueue' }], [{ Ref: 'SyncQueue' }]],
  );
  const allowed = [[arn('ClusterChangeRule'), arn('ReconcileRequestRule')], arn('ClusterChangeRule')];
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
  const [mapping, ...others] = ofType('AWS::Lambda::EventSourceMapping');
  assert.deepEqual(others, []);
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

test('reconcile runs every 5 minutes and converge every minute, one at a time', () => {
  for (const [name, rate] of [
    ['Reconcile', 'rate(5 minutes)'],
    ['Converge', 'rate(1 minute)'],
  ] as const) {
    const rule = properties(`${name}EventsRuleSchedule1`, 'AWS::Events::Rule');
    assert.deepEqual([rule['ScheduleExpression'], rule['State']], [rate, 'ENABLED']);
    assert.equal(properties(`${name}LambdaFunction`, 'AWS::Lambda::Function')['ReservedConcurrentExecutions'], 1);
    const permission = properties(`${name}LambdaPermissionEventsRuleSchedule1`, 'AWS::Lambda::Permission');
    assert.equal(permission['Principal'], 'events.amazonaws.com');
  }
});

test('the webhook has two routes and answers before API Gateway gives up', () => {
  const keys = ofType('AWS::ApiGatewayV2::Route').map((route) => route['RouteKey']);
  assert.deepEqual(keys, ['POST /webhook', 'POST /webhook/{token}']);
  assert.ok(Number(properties('WebhookLambdaFunction', 'AWS::Lambda::Function')['Timeout']) < 30);
});

test('all functions run on Node 24 on arm64 with a role, a log group that ends, and their own handler', () => {
  const functions = ofType('AWS::Lambda::Function');
  const about = functions.map(({ Handler, Role, Runtime, Architectures }) => [Handler, Role, Runtime, Architectures]);
  const expected = [
    ['functions/webhook.handler', 'WebhookRole'],
    ['functions/webhook.logs', 'WebhookRole'],
    ['functions/sync.handler', 'SyncRole'],
    ['functions/reconcile.handler', 'ScheduledRole'],
    ['functions/converge.handler', 'ScheduledRole'],
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
  const base = ['events:PutEvents', 'logs:CreateLogStream', 'logs:PutLogEvents'];
  assert.deepEqual(Object.fromEntries(allowed), {
    WebhookRole: base,
    SyncRole: [...base, 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    ScheduledRole: base,
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

test('secrets come from Secrets Manager at deployment and never from the packaging shell', () => {
  assert.ok(!text.includes('top-secret'));
  const { Environment } = properties('SyncLambdaFunction', 'AWS::Lambda::Function');
  const variables = asObject(asObject(Environment, 'Environment')['Variables'], 'Variables');
  assert.equal(
    variables['KONG_DATABASE_URL'],
    '{{resolve:secretsmanager:kong-ingress-functions:SecretString:KONG_DATABASE_URL}}',
  );
  assert.equal(variables['KONG_ADMIN_URL'], settings.KONG_ADMIN_URL);
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
  const [mapping] = ofType('AWS::Lambda::EventSourceMapping');
  assert.deepEqual(
    wiring.functions.flatMap(({ queues }) => queues),
    [
      {
        queue: 'SyncQueue',
        batchSize: mapping?.['BatchSize'],
        windowMs: Number(mapping?.['MaximumBatchingWindowInSeconds']) * 1000,
        concurrency: asObject(mapping?.['ScalingConfig'], 'ScalingConfig')['MaximumConcurrency'],
        partialFailures: true,
      },
    ],
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
  // A client certificate is a thing of kubeconfig files; EKS takes tokens only.
  const local = new Set(['KUBERNETES_CLIENT_CERTIFICATE', 'KUBERNETES_CLIENT_KEY']);
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
  const names = ['converge', 'reconcile', 'sync', 'webhook'];
  const files = await readdir(join(output, 'package'));
  assert.deepEqual(
    files.filter((file) => file.endsWith('.zip')),
    names.map((name) => `functions-${name}.zip`),
  );
  for (const name of names) {
    const { code } = await bundle(join(root, 'functions', `${name}.ts`));
    const packed = await readFile(join(output, 'package', `functions-${name}.zip`));
    assert.ok(packed.equals(await zip(`functions/${name}.mjs`, code)), name);
  }
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readServerless } from '../../../infra/local/aws/variables.ts';
import { intervalMs, wiringOf } from '../../../infra/local/aws/wiring.ts';

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wiring-test-'));
});

after(() => rm(directory, { recursive: true, force: true }));

async function read(text: string, environment: Record<string, string> = {}): Promise<Record<string, unknown>> {
  await writeFile(join(directory, 'serverless.yml'), text);
  await writeFile(join(directory, 'part.yml'), "deep:\n  value: ${env:INNER, 'in'}\nlist: [1, '${self:service}']\n");
  return { ...(await readServerless(join(directory, 'serverless.yml'), environment)) };
}

const HEAD = 'service: svc\ncustom: {a: "${env:A, \'x\'}"}\nprovider: {name: aws, stage: "${opt:stage, \'dev\'}"}\n';

for (const { name, value, environment, expected } of [
  { name: 'an environment variable', value: "${env:A, 'x'}", environment: { A: 'set' }, expected: 'set' },
  { name: 'a fallback', value: "${env:A, 'x'}", environment: {}, expected: 'x' },
  { name: 'an empty fallback', value: "${env:A, ''}", environment: {}, expected: '' },
  { name: 'a fallback with a comma', value: "${env:A, 'x,y'}", environment: {}, expected: 'x,y' },
  { name: 'a second variable', value: '${env:A, env:B}', environment: { B: 'b' }, expected: 'b' },
  { name: 'several in one text', value: '${self:service}-${sls:stage}-z', environment: {}, expected: 'svc-dev-z' },
  { name: 'custom', value: '${self:custom.a}', environment: { A: 'set' }, expected: 'set' },
  {
    name: 'a file',
    value: '${file(part.yml)}',
    environment: {},
    expected: { deep: { value: 'in' }, list: [1, 'svc'] },
  },
  { name: 'a key of a file', value: '${file(part.yml):deep.value}', environment: { INNER: 'i' }, expected: 'i' },
  { name: "CloudFormation's own", value: 'a:${AWS::Region}:b', environment: {}, expected: 'a:${AWS::Region}:b' },
] as const) {
  test(`${name} is resolved`, async () => {
    const service = await read(`${HEAD}functions:\n  x: ${JSON.stringify(value)}\n`, environment);
    assert.deepEqual(service['functions'], { x: expected });
  });
}

for (const value of ['${env:MISSING}', '${ssm:/a}', '${self:nothing}', '${file(part.yml):none}']) {
  test(`${value} has no value and is an error`, async () => {
    await assert.rejects(read(`${HEAD}functions:\n  x: ${JSON.stringify(value)}\n`), {
      code: 'LOCAL_CLOUD_UNSUPPORTED',
    });
  });
}

test('rates are intervals', () => {
  assert.deepEqual(
    ['rate(1 minute)', 'rate(5 minutes)', 'rate(2 hours)', 'rate(1 day)'].map(intervalMs),
    [60_000, 300_000, 7_200_000, 86_400_000],
  );
  assert.throws(() => intervalMs('cron(0 * * * ? *)'), { code: 'LOCAL_CLOUD_UNSUPPORTED' });
});

const RULE = {
  Type: 'AWS::Events::Rule',
  Properties: {
    EventBusName: { Ref: 'B' },
    EventPattern: { source: ['a'] },
    Targets: [{ Id: 'f', Arn: { 'Fn::GetAtt': ['FuncLambdaFunction', 'Arn'] } }],
  },
};
const BUS = { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } };

test('a rule may have a function as its target', () => {
  const functions = { func: { handler: 'a.b', maximumRetryAttempts: 0 } };
  const { rules } = wiringOf({ provider: {}, functions, resources: { Resources: { R: RULE, B: BUS } } });
  assert.deepEqual(rules[0]?.targets, [{ to: { kind: 'function', name: 'func' }, retries: 185 }]);
});

const QUEUE = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q' } };

for (const { name, functions, resources } of [
  { name: 'an event that is not known', functions: { f: { handler: 'a.b', events: [{ s3: 'x' }] } }, resources: {} },
  { name: 'a function without a handler', functions: { f: {} }, resources: {} },
  {
    name: 'a queue that is not there',
    functions: { f: { handler: 'a.b', events: [{ sqs: { arn: { 'Fn::GetAtt': ['Q', 'Arn'] } } }] } },
    resources: {},
  },
  {
    name: 'a rule on a bus that is not there',
    functions: {},
    resources: { R: { Type: 'AWS::Events::Rule', Properties: { EventBusName: { Ref: 'B' }, Targets: [] } } },
  },
  {
    name: 'a rule that invokes a function which Lambda would run again',
    functions: { func: { handler: 'a.b' } },
    resources: { R: RULE, B: BUS },
  },
  {
    name: 'a rule that invokes a function which is not there',
    functions: {},
    resources: { R: RULE, B: BUS },
  },
  {
    name: 'a dead letter queue that is not a queue',
    functions: {},
    resources: {
      Q: { ...QUEUE, Properties: { QueueName: 'q', RedrivePolicy: { deadLetterTargetArn: 'x', maxReceiveCount: 1 } } },
    },
  },
]) {
  test(`${name} is an error`, () => {
    const service = { provider: {}, functions, resources: { Resources: resources } };
    assert.throws(() => wiringOf(service), { code: 'LOCAL_CLOUD_UNSUPPORTED' });
  });
}

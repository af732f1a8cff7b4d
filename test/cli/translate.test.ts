import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { run } from '../../shared/cli/translate.ts';
import { AppError } from '../../shared/errors.ts';

const CLI = path.join(import.meta.dirname, '../../functions/cli.ts');
let folder = '';

const INGRESS = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  ingressClassName: kong
  rules:
  - http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: echo, port: { number: 80 } } } }] }
`;
const SERVICE = `
apiVersion: v1
kind: Service
metadata: { name: echo }
spec: { ports: [{ port: 80 }] }
`;

/** Lists of nine aliases each of the one before: a few hundred bytes, billions of values. */
const BOMB = Array.from({ length: 11 }, (_, level) => {
  const item = level === 0 ? 'x' : `*l${level - 1}`;
  return `l${level}: &l${level} [${Array.from({ length: 9 }, () => item).join()}]`;
}).join('\n');

before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'translate-'));
  mkdirSync(path.join(folder, 'both'));
  writeFileSync(path.join(folder, 'both', 'ingress.yaml'), INGRESS);
  writeFileSync(
    path.join(folder, 'both', 'service.json'),
    JSON.stringify({ kind: 'List', apiVersion: 'v1', items: [parse(SERVICE)] }),
  );
  writeFileSync(path.join(folder, 'ingress.yaml'), INGRESS);
  writeFileSync(path.join(folder, 'broken.yaml'), 'a: [');
  writeFileSync(path.join(folder, 'nameless.yaml'), 'apiVersion: v1\nkind: Service\nmetadata: {}\n');
});

after(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function translate(args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, 'translate', ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

test('a folder of YAML and JSON becomes a declarative document', async () => {
  const { code, stdout, stderr } = await translate(['-f', path.join(folder, 'both')]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const document: unknown = parse(stdout);
  assert.deepEqual(Object.keys(document ?? {}), ['_format_version', 'services', 'upstreams']);
  assert.match(stdout, /^_format_version: "3\.0"\n/);
  assert.match(stdout, /name: default\.web\.echo\.\.80/);
});

test('findings go to standard error, and an error among them to the exit code', async () => {
  const { code, stdout, stderr } = await translate(['-f', path.join(folder, 'ingress.yaml')]);
  assert.equal(code, 2);
  assert.match(stderr, /^error ServiceNotFound Ingress default\/web: /m);
  assert.match(stdout, /k8s-name:UNKNOWN/);
});

test('standard input, JSON and one entity a line', async () => {
  const json = await translate(['-f', '-', '--output', 'json'], `${INGRESS}---${SERVICE}`);
  assert.equal(json.code, 0);
  assert.match(json.stdout, /^\{\n {2}"_format_version": "3\.0"/);
  const lines = await translate(['-f', '-', '--output', 'entities'], `${INGRESS}---${SERVICE}`);
  const types = lines.stdout
    .trim()
    .split('\n')
    .map((line) => /"type":"(\w+)"/.exec(line)?.[1]);
  assert.deepEqual(new Set(types), new Set(['routes', 'services', 'upstreams']));
});

test('router flavour, class and feature gates count', async () => {
  const flavoured = await translate(['-f', path.join(folder, 'both'), '--router-flavor', 'expressions']);
  assert.match(flavoured.stdout, /expression: http\.path \^= "\/"/);
  const other = await translate(['-f', path.join(folder, 'both'), '--ingress-class', 'other']);
  assert.equal(other.stdout, '_format_version: "3.0"\n');
  const gates = await translate(['-f', path.join(folder, 'both'), '--feature-gates', 'RewriteURIs=maybe']);
  assert.equal(gates.code, 1);
  assert.match(gates.stderr, /^ARGUMENTS_INVALID --feature-gates /);
});

test('what is no manifest is named', async () => {
  const broken = await translate(['-f', path.join(folder, 'broken.yaml')]);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^MANIFEST_INVALID .*broken\.yaml is no YAML/);
  const exploded = await translate(['-f', '-'], BOMB);
  assert.equal(exploded.code, 1);
  assert.match(exploded.stderr, /^MANIFEST_INVALID standard input is no YAML that can be read/);
  const nameless = await translate(['-f', path.join(folder, 'nameless.yaml')]);
  assert.equal(nameless.code, 2);
  assert.match(nameless.stderr, /error InvalidObject .*a Service without usable metadata/);
  const missing = await translate(['-f', path.join(folder, 'gone.yaml')]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /gone\.yaml does not exist/);
  const none = await translate([]);
  assert.equal(none.code, 1);
});

const BAD_FLAGS: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [[], /-f is missing/],
  [['--output', 'xml'], /--output must be/],
  [['--router-flavor', 'modern'], /--router-flavor must be/],
  [['--kong-version', 'latest'], /--kong-version must be like/],
  [['--unknown'], /--unknown/],
];

for (const [args, message] of BAD_FLAGS) {
  test(`wrong arguments are named, with the usage: ${args.join(' ')}`, async () => {
    const file = args.length === 0 ? [] : ['-f', folder];
    await assert.rejects(run([...file, ...args]), (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'ARGUMENTS_INVALID');
      assert.match(error.message, message);
      assert.match(error.message, /usage: kong-ingress translate -f FILE\|DIR\|-/);
      return true;
    });
  });
}

test('the version and edition of Kong decide what it is given', async () => {
  const license =
    'apiVersion: configuration.konghq.com/v1alpha1\nkind: KongLicense\nmetadata: { name: l }\nrawLicenseString: x';
  const version = '3.9.1.2-enterprise-edition';
  const enterprise = await translate(['-f', '-', '--kong-version', version, '--feature-gates', 'X=true'], license);
  assert.match(enterprise.stdout, /^licenses:/m);
  assert.equal(enterprise.stderr, 'note feature gate X decides nothing here\n');
  const community = await translate(['-f', '-', '--kong-version', '3.9.1'], license);
  assert.equal(community.stdout, '_format_version: "3.0"\n');
});

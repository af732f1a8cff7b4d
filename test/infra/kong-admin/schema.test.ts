import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRegistry } from '../../../infra/local/kong/admin/entities/index.ts';
import { pluginSchema } from '../../../infra/local/kong/admin/entities/plugins.ts';
import { targetAddress } from '../../../infra/local/kong/admin/entities/upstreams.ts';
import { isObject } from '../../../infra/local/kong/admin/json.ts';
import type { Json, JsonObject } from '../../../infra/local/kong/admin/json.ts';
import { PLUGINS } from '../../../infra/local/kong/admin/plugins/index.ts';
import { expandShorthands, fill, showShorthands } from '../../../infra/local/kong/admin/schema/fill.ts';
import { luaPattern } from '../../../infra/local/kong/admin/schema/pattern.ts';
import { renderSchema } from '../../../infra/local/kong/admin/schema/render.ts';
import { validateRecord } from '../../../infra/local/kong/admin/schema/validate.ts';
import { regexError } from '../../../infra/local/kong/admin/schema/validators.ts';

const AUTOS = { now: 1_800_000_000.25, uuid: () => '6f9619ff-8b86-4011-b42d-00cf4fc964ff', secret: () => 'made' };

test('Lua patterns', () => {
  const cases: readonly (readonly [pattern: string, takes: readonly string[], refuses: readonly string[]])[] = [
    ['^%u+$', ['GET'], ['get', 'G1', '']],
    ['^%*%.', ['*.a'], ['a.*', '*a']],
    ['%.%*$', ['a.*'], ['*.a', 'a*']],
    ['^[^*]*%*?[^*]*$', ['a', '*.a', 'a.*'], ['*.a.*']],
    ['^[a-z][a-z%d-]-[a-z%d]+$', ['ab', 'a-1', 'my-env-2'], ['1a', 'a-', 'A1', 'a']],
    ['^[0-9]+-[0-9]+$', ['200-299'], ['200', '200-']],
    ['^[^*&%%\\`]+$', ['/tmp/a.log'], ['a*b', 'a%b', 'a`b', 'a\\b']],
    ['^[^:]+:.*$', ['a:b', 'a:'], [':b', 'a']],
    ['//', ['a//b'], ['a/b']],
  ];
  for (const [pattern, takes, refuses] of cases) {
    for (const value of takes) assert.ok(luaPattern(pattern).test(value), `${pattern} takes ${value}`);
    for (const value of refuses) assert.ok(!luaPattern(pattern).test(value), `${pattern} refuses ${value}`);
  }
});

test('regular expressions of PCRE that JavaScript writes in another way', () => {
  for (const source of ['/a(b|c)', '/(?<id>\\d+)$', '/(?P<id>x)', '(?i)/a', '/a++b'])
    assert.equal(regexError(source), undefined, source);
  for (const source of ['/a(b', '/[a', '/a{2,1}']) assert.notEqual(regexError(source), undefined, source);
});

test('targets in their normal form', () => {
  const cases: readonly (readonly [target: string, normal: string | undefined])[] = [
    ['10.0.0.1', '10.0.0.1:8000'],
    ['10.0.0.1:80', '10.0.0.1:80'],
    ['shop.default.svc:80', 'shop.default.svc:80'],
    ['[::1]:80', '[0000:0000:0000:0000:0000:0000:0000:0001]:80'],
    ['::1', '[0000:0000:0000:0000:0000:0000:0000:0001]:8000'],
    ['a b', undefined],
    ['', undefined],
    ['a:b', undefined],
    ['a:70000', undefined],
  ];
  for (const [target, normal] of cases) {
    assert.equal(targetAddress(target), normal, target);
    if (normal !== undefined) assert.equal(targetAddress(normal), normal);
  }
});

/** What a client makes of `GET /schemas/…`: a field's default, nulls, and records by their fields. */
function defaults(fields: Json | undefined): JsonObject {
  const list = Array.isArray(fields) ? fields : [];
  return Object.fromEntries(
    list
      .flatMap((entry: Json) => (isObject(entry) ? Object.entries(entry) : []))
      .map(([name, field]) => [name, defaultOf(field)]),
  );
}

function defaultOf(field: Json): Json {
  if (!isObject(field)) return null;
  const { type, required, fields, elements, default: value = null } = field;
  if (isObject(elements) && elements['type'] === 'record' && Array.isArray(value)) {
    return value.map((item: Json) => (isObject(item) ? merge(defaults(elements['fields']), item) : item));
  }
  if (type !== 'record' || fields === undefined || (required !== true && value === null)) return value;
  return merge(defaults(fields), isObject(value) ? value : {});
}

function merge(base: JsonObject, over: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries({ ...base, ...over }).map(([name, value]) => {
      const before = base[name];
      return [name, isObject(before) && isObject(value) ? merge(before, value) : value];
    }),
  );
}

test('defaults can be derived from the published schemas', () => {
  const { definitions } = createRegistry({ routerFlavor: 'traditional_compatible' });
  for (const definition of definitions) {
    const published = defaults(renderSchema(definition)['fields']);
    const filled = fill(definition, {}, AUTOS);
    for (const [name, field] of Object.entries(definition.fields)) {
      if (field.auto !== true) assert.deepEqual(filled[name], published[name], `${definition.name}.${name}`);
    }
  }
  for (const name of Object.keys(PLUGINS)) {
    const schema = pluginSchema(name);
    assert.ok(schema);
    const { provision_key: _made, ...config } = object(fill(schema, {}, AUTOS)['config']);
    const { provision_key: _none, ...published } = object(defaults(renderSchema(schema)['fields'])['config']);
    assert.deepEqual(config, published, name);
  }
});

function object(value: Json | undefined): JsonObject {
  assert.ok(isObject(value));
  return value;
}

test('a session secret is made, and the same in the schema', () => {
  const { secret } = object(fill(PLUGINS['session'] ?? { fields: {}, entity_checks: [] }, {}, AUTOS)['config']);
  assert.ok(typeof secret === 'string');
  assert.match(secret, /^[\w-]{44}$/);
});

const service = fc.record(
  {
    host: fc.domain(),
    port: fc.integer({ min: -10, max: 70_000 }),
    retries: fc.oneof(fc.integer(), fc.constant(null)),
    path: fc.string(),
    protocol: fc.constantFrom('http', 'https', 'tcp', 'gopher'),
    tags: fc.array(fc.string()),
  },
  { requiredKeys: [] },
);

test('filling is idempotent and never removes what was sent', () => {
  const definition = createRegistry({ routerFlavor: 'traditional' }).get('services');
  assert.ok(definition);
  fc.assert(
    fc.property(service, (sent: JsonObject) => {
      const filled = fill(definition, sent, AUTOS);
      assert.deepEqual(fill(definition, filled, AUTOS), filled);
      assert.deepEqual(Object.keys(filled).toSorted(), Object.keys(definition.fields).toSorted());
      for (const [name, value] of Object.entries(sent)) if (name !== 'tags') assert.equal(filled[name], value);
    }),
  );
});

test('validation names only fields that are there, or the whole', () => {
  const definition = createRegistry({ routerFlavor: 'traditional' }).get('services');
  assert.ok(definition);
  fc.assert(
    fc.property(service, (sent: JsonObject) => {
      const errors = validateRecord(definition, fill(definition, sent, AUTOS)) ?? {};
      const known = new Set([...Object.keys(definition.fields), '@entity']);
      assert.ok(Object.keys(errors).every((name) => known.has(name)));
      assert.equal(
        'port' in errors,
        sent['port'] !== undefined && (Number(sent['port']) < 0 || Number(sent['port']) > 65_535),
      );
    }),
  );
});

test('old names in a configuration: understood, and shown where Kong shows them', () => {
  const schema = PLUGINS['rate-limiting'];
  const shorthands = schema?.fields['config']?.shorthand_fields;
  const { data } = expandShorthands(shorthands, { redis_host: 'r', redis: { port: 7 } });
  assert.deepEqual(data, { redis: { host: 'r', port: 7 } });
  const complete = object(fill(schema ?? { fields: {}, entity_checks: [] }, { config: data }, AUTOS)['config']);
  const shown = showShorthands(shorthands, complete);
  assert.partialDeepStrictEqual(shown, { redis_host: 'r', redis_port: 7, redis_password: null });
  assert.deepEqual(expandShorthands(shorthands, shown).data, complete);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { runSlice } from '../../shared/slice.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { ingress } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';
import { secret } from './cases.ts';
import { judgeReview, manifest, type Manifest, OURS, reviewOf, store, stored, toolsFor } from './support.ts';

const withIngresses = usePlanes();

function withPlane(work: (plane: ControlPlane) => Promise<void>): Promise<void> {
  return withIngresses(0, work);
}

/** Stores objects and writes them to Kong, so that the index knows them. */
async function synced(plane: ControlPlane, ...objects: readonly Manifest[]): Promise<void> {
  await runSlice({ changes: objects.map((object) => plane.cluster.put(object)) }, plane.dependencies);
}

const consumer = (name: string, fields: object): Manifest => manifest('KongConsumer', name, fields, OURS);
const vault = (name: string, prefix: string): Manifest =>
  manifest('KongVault', name, { spec: { backend: 'env', prefix } }, OURS);
const stream = { spec: { rules: [{ port: 9000, backend: { serviceName: 'echo', servicePort: 80 } }] } };
const plugin = (name: string, type: string, fields: object = {}): Manifest =>
  manifest('KongPlugin', name, { plugin: type, ...fields });
const limits = (name: string, minute: unknown, fields: object = {}): Manifest =>
  plugin(name, 'rate-limiting', { config: { minute, policy: 'local' }, ...fields });

test('what is unique in Kong belongs to one object', (t) =>
  withPlane(async (plane) => {
    await synced(
      plane,
      secret('key', { key: 'the-key' }, 'key-auth'),
      secret('login', { username: 'ann', password: 'p' }, 'basic-auth'),
      consumer('ann', { username: 'ann', custom_id: '7', credentials: ['key', 'login'] }),
      vault('one', 'shared'),
      manifest(
        'KongClusterPlugin',
        'global',
        { plugin: 'cors', instance_name: 'mine' },
        { ...OURS, labels: { global: 'true' } },
      ),
    );
    store(plane, secret('same', { key: 'the-key' }, 'key-auth'), secret('other', { key: 'another' }, 'key-auth'));
    const global = { ...OURS, labels: { global: 'true' } };
    const cases: readonly [title: string, object: Manifest, says: RegExp | undefined][] = [
      ['a username', consumer('bob', { username: 'ann' }), /consumers\/ann belongs to KongConsumer default\/ann/],
      ['a custom_id', consumer('bob', { username: 'bob', custom_id: '7' }), /belongs to KongConsumer default\/ann/],
      ['both of its own', consumer('bob', { username: 'bob', custom_id: '8' }), undefined],
      [
        "a credential's key",
        consumer('bob', { username: 'bob', credentials: ['same'] }),
        /the key of a credential \(keyauth_credentials\) belongs to KongConsumer default\/ann/,
      ],
      ['a key of its own', consumer('bob', { username: 'bob', credentials: ['other'] }), undefined],
      [
        'a Secret with the key of another one',
        secret('new', { key: 'the-key' }, 'key-auth'),
        /data\.key is that of another credential, of KongConsumer default\/ann/,
      ],
      ['a Secret with the username of another one', secret('new', { username: 'ann' }, 'basic-auth'), /data\.username/],
      ['a Secret with a key of its own', secret('new', { key: 'fresh' }, 'key-auth'), undefined],
      ['a vault prefix', vault('two', 'shared'), /vaults\/shared belongs to KongVault one/],
      ['a vault prefix of its own', vault('two', 'own'), undefined],
      [
        'an instance name',
        manifest(
          'KongClusterPlugin',
          'more',
          { plugin: 'acl', config: { allow: ['a'] }, instance_name: 'mine' },
          global,
        ),
        /belongs to KongClusterPlugin global/,
      ],
      [
        'an instance name of its own',
        manifest(
          'KongClusterPlugin',
          'more',
          { plugin: 'acl', config: { allow: ['a'] }, instance_name: 'own' },
          global,
        ),
        undefined,
      ],
    ];
    for (const [title, object, says] of cases) {
      await t.test(title, async () => {
        const verdict = await judgeReview(reviewOf(object), toolsFor(plane));
        assert.equal(verdict.allowed, says === undefined, verdict.message);
        if (says !== undefined) assert.match(verdict.message, says);
        assert.doesNotMatch(JSON.stringify(verdict), /the-key/);
      });
    }
    await t.test('an object keeps what it has', async () => {
      const own = stored(plane, consumer('ann', {}));
      const verdict = await judgeReview(reviewOf({ ...own, custom_id: '9' }, own), toolsFor(plane));
      assert.deepEqual([verdict.allowed, verdict.message], [true, '']);
    });
  }));

test('a username of a consumer that somebody made in Kong is not taken over', () =>
  withPlane(async (plane) => {
    await plane.admin.put('consumers', '11111111-1111-4111-8111-111111111111', { username: 'ann' });
    const verdict = await judgeReview(reviewOf(consumer('ann', { username: 'ann' })), toolsFor(plane, {}, false));
    assert.match(verdict.message, /held in Kong by consumers 11111111.*, which does not carry the filter tag/);
  }));

test('plugins that are used together have different instance names', () =>
  withPlane(async (plane) => {
    await synced(
      plane,
      limits('limits', 5, { instance_name: 'mine' }),
      plugin('cors', 'cors'),
      { ...ingress('web', ['a.test / echo 80'], { annotations: { 'konghq.com/plugins': 'limits,cors' } }) },
      plugin('alone', 'cors'),
    );
    const named = (name: string): Manifest => plugin(name, 'cors', { instance_name: 'mine' });
    const met = await judgeReview(reviewOf(named('cors'), stored(plane, plugin('cors', 'cors'))), toolsFor(plane));
    assert.match(met.message, /instance_name is that of KongPlugin default\/limits, which is used with it/);
    const apart = await judgeReview(reviewOf(named('alone'), stored(plane, plugin('alone', 'cors'))), toolsFor(plane));
    assert.equal(apart.allowed, true);
  }));

test('a Secret must not spoil the plugins that read it, and nothing that it holds is in an answer', () =>
  withPlane(async (plane) => {
    const from = { configFrom: { secretKeyRef: { name: 'settings', key: 'config' } } };
    await synced(
      plane,
      secret('settings', { config: '{"minute":5,"policy":"local"}' }),
      plugin('limits', 'rate-limiting', from),
      { ...ingress('web', ['a.test / echo 80'], { annotations: { 'konghq.com/plugins': 'limits' } }) },
    );
    const before = stored(plane, secret('settings', {}));
    const changed = (config: string): object => reviewOf(secret('settings', { config }), before);
    const tools = toolsFor(plane);
    assert.equal((await judgeReview(changed('{"minute":6,"policy":"local"}'), tools)).allowed, true);
    const broken = await judgeReview(changed('top-secret'), tools);
    assert.match(broken.message, /KongPlugin default\/limits: configFrom\.secretKeyRef names a value that is no JSON/);
    const refused = await judgeReview(changed('{"policy":"top-secret","minute":5}'), tools);
    assert.match(
      refused.message,
      /KongPlugin default\/limits: Kong would refuse its plugins: schema violation \(config\.policy\)/,
    );
    for (const { answer } of [broken, refused]) assert.doesNotMatch(JSON.stringify(answer), /top-secret/);
  }));

test('what was wrong already may be changed, as long as nothing new is wrong', () =>
  withPlane(async (plane) => {
    const before: Manifest = { ...ingress('web', ['a.*.test / echo 80']) };
    store(plane, before);
    const tools = toolsFor(plane, {}, false);
    const more: Manifest = { ...ingress('web', ['a.*.test / echo 80', 'b.test / echo 80']) };
    const allowed = await judgeReview(reviewOf(more, before), tools);
    assert.equal(allowed.allowed, true, allowed.message);
    assert.match(allowed.warnings.join(), /host "a\.\*\.test" is no host name/);
    const worse: Manifest = { ...ingress('web', ['a.*.test / echo 80', 'b.*.test / echo 80']) };
    const refused = await judgeReview(reviewOf(worse, before), tools);
    assert.match(refused.message, /host "b\.\*\.test"/);
    assert.doesNotMatch(refused.message, /host "a\.\*\.test"/);
  }));

test('what is only not there yet is a warning, and deprecated things are', (t) =>
  withPlane(async (plane) => {
    const cases: readonly [title: string, object: Manifest, warning: RegExp][] = [
      ['a Service', { ...ingress('web', ['a.test / gone 80']) }, /ServiceNotFound|does not exist.*Create the Service/],
      ['a Secret', { ...ingress('web', ['a.test / echo 80'], { tlsSecret: 'gone' }) }, /Create the Secret/],
      [
        'a plugin',
        { ...ingress('web', ['a.test / echo 80'], { annotations: { 'konghq.com/plugins': 'gone' } }) },
        /Create the plugin/,
      ],
      [
        'another annotation',
        { ...ingress('web', ['a.test / echo 80'], { annotations: { 'konghq.com/strip-path': 'x' } }) },
        /konghq\.com\/strip-path/,
      ],
      ['KongIngress', manifest('KongIngress', 'old', { proxy: {} }), /KongUpstreamPolicy.*proxy has no effect/],
      ['TCPIngress', manifest('TCPIngress', 'old', stream, OURS), /a TCPRoute or TLSRoute replaces it/],
      ['UDPIngress', manifest('UDPIngress', 'old', stream, OURS), /a UDPRoute replaces it/],
      ['KongLicense', manifest('KongLicense', 'one', { rawLicenseString: 'x' }), /licences need Kong Enterprise/],
      [
        'konghq.com/override',
        manifest(
          'Service',
          'old',
          { spec: { ports: [{ port: 80 }] } },
          { annotations: { 'konghq.com/override': 'x' } },
        ),
        /konghq\.com\/upstream-policy replaces it/,
      ],
    ];
    for (const [title, object, warning] of cases) {
      await t.test(title, async () => {
        const verdict = await judgeReview(reviewOf(object), toolsFor(plane, {}, false));
        assert.equal(verdict.allowed, true, verdict.message);
        assert.match(verdict.warnings.join(' '), warning);
        for (const one of verdict.warnings) assert.ok(one.length <= 256);
      });
    }
  }));

test("objects of other classes and controllers are nobody's business here", () =>
  withPlane(async (plane) => {
    const tools = toolsFor(plane, {}, false);
    const others: readonly Manifest[] = [
      { ...ingress('web', ['a.*.test / echo 80'], { className: 'nginx' }) },
      manifest('KongConsumer', 'x', {}, { annotations: { 'kubernetes.io/ingress.class': 'other' } }),
      manifest(
        'KongClusterPlugin',
        'x',
        { plugin: 'nope' },
        { annotations: { 'kubernetes.io/ingress.class': 'other' } },
      ),
      manifest('KongVault', 'x', { spec: { backend: 'hcv', prefix: 'p' } }),
      manifest('HTTPRoute', 'x', {
        spec: { parentRefs: [{ name: 'gone' }], rules: [{ filters: [{ type: 'RequestMirror' }] }] },
      }),
      manifest('KongCustomEntity', 'x', { spec: { type: 'services', controllerName: 'other' } }),
      secret('x', { a: 'b' }, 'konnect'),
    ];
    for (const object of others) {
      const { allowed, message } = await judgeReview(reviewOf(object), tools);
      assert.ok(allowed, message);
    }
  }));

test('what cannot be looked at is allowed with a warning, or refused where that is wanted', () =>
  withPlane(async (plane) => {
    plane.faults = () => ({ status: 500 });
    const good = reviewOf({ ...ingress('web', ['a.test / echo 80']) });
    const bad = reviewOf({ ...ingress('web', ['a.*.test / echo 80']) });
    const tools = {
      ...toolsFor(plane, {}, false),
      admin: { validate: () => Promise.reject(new AppError('KONG_UNREACHABLE', 'x')) },
    };
    const open = await judgeReview(good, tools, 'open');
    assert.equal(open.allowed, true);
    assert.match(open.warnings.join(), /not checked \(KONG_UNREACHABLE\)/);
    const closed = await judgeReview(good, tools, 'closed');
    assert.deepEqual([closed.allowed, closed.code], [false, 503]);
    assert.match(closed.message, /not checked \(KONG_UNREACHABLE\): .*Check KONG_ADMIN_URL/);
    for (const mode of ['open', 'closed'] as const) {
      const { code, message } = await judgeReview(bad, tools, mode);
      assert.equal(code, 400, 'what is wrong is wrong whoever answers');
      assert.match(message, /is no host name/);
    }
    plane.cluster.onRequest = () => {
      throw new AppError('KUBERNETES_UNAVAILABLE', 'GET /secret-path');
    };
    const blind = await judgeReview(bad, tools, 'open');
    assert.equal(blind.allowed, true);
    assert.match(blind.warnings.join(), /not checked \(KUBERNETES_UNAVAILABLE\)/);
    assert.doesNotMatch(JSON.stringify(blind.answer), /secret-path/);
    assert.equal((await judgeReview(bad, tools, 'closed')).code, 503);
  }));

test('each route is shown to Kong, whose words are in the refusal', () =>
  withPlane(async (plane) => {
    const shown: string[] = [];
    const violation = { message: 'schema violation (paths.1: no)', fields: 'schema violation (paths)' };
    const admin = {
      validate: async (type: string, { name }: { readonly name?: unknown }) => {
        shown.push(`${type} ${String(name)}`);
        return violation;
      },
    };
    const object: Manifest = { ...ingress('web', ['a.test /a echo 80', 'b.test / echo 80']) };
    const verdict = await judgeReview(reviewOf(object), { ...toolsFor(plane, {}, false), admin });
    assert.deepEqual(shown.toSorted(), ['routes default.web.echo.a.test.80', 'routes default.web.echo.b.test.80']);
    assert.match(
      verdict.message,
      /Kong would refuse the route default\.web\.echo\.a\.test\.80: schema violation \(paths\.1: no\)\. Correct the fields that Kong names/,
    );
    assert.deepEqual(verdict.reasons, ['SchemaViolation']);
  }));

test('a large Ingress costs a bounded number of requests, and they do not wait for one another', () =>
  withPlane(async (plane) => {
    const services = Array.from({ length: 150 }, (_, n) => `s${n}`);
    for (const name of services) store(plane, manifest('Service', name, { spec: { ports: [{ port: 80 }] } }));
    const object: Manifest = {
      ...ingress(
        'web',
        services.map((name, n) => `h${n}.test / ${name} 80`),
      ),
    };
    let [running, peak, asked] = [0, 0, 0];
    plane.cluster.onRequest = async () => {
      asked += 1;
      running += 1;
      peak = Math.max(peak, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    const sent = plane.admin.requests();
    const verdict = await judgeReview(reviewOf(object), toolsFor(plane, {}, false));
    assert.equal(verdict.allowed, true);
    assert.match(verdict.warnings.join(), /first 20 entities .* not about 130 more/);
    assert.ok(asked <= 160, `${asked} requests`);
    assert.ok(peak > 100, `${peak} at once`);
    assert.equal(plane.admin.requests() - sent, 20);
    const larger: Manifest = {
      ...ingress(
        'web',
        Array.from({ length: 250 }, (_, n) => `h${n}.test / s${n} 80`),
      ),
    };
    const much = await judgeReview(reviewOf(larger), toolsFor(plane, {}, false), 'closed');
    assert.match(much.message, /ADMISSION_TOO_LARGE/);
  }));

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RoutingRequest } from '../../../infra/local/kong/proxy/router.ts';
import type { Row } from '../../../infra/local/kong/proxy/rows.ts';
import { buildTraditionalRouter } from '../../../infra/local/kong/proxy/traditional-router.ts';
import { configuration, routes, routing } from './fixtures.ts';

interface Case {
  readonly title: string;
  readonly routes: readonly Row[];
  readonly request: RoutingRequest;
  /** Name of the route expected, `r<index>`; undefined for none. */
  readonly wins: string | undefined;
}

const CASES: readonly Case[] = [
  { title: 'a host', routes: [{ hosts: ['a.test'] }], request: routing('GET http://a.test/x'), wins: 'r0' },
  { title: 'another host', routes: [{ hosts: ['a.test'] }], request: routing('GET http://b.test/'), wins: undefined },
  { title: 'host case', routes: [{ hosts: ['A.Test'] }], request: routing('GET http://a.test/'), wins: 'r0' },
  { title: '*.host', routes: [{ hosts: ['*.test'] }], request: routing('GET http://a.b.test/'), wins: 'r0' },
  {
    title: '*.host needs a label',
    routes: [{ hosts: ['*.test'] }],
    request: routing('GET http://test/'),
    wins: undefined,
  },
  { title: 'host.*', routes: [{ hosts: ['a.*'] }], request: routing('GET http://a.org/'), wins: 'r0' },
  {
    title: 'host with port',
    routes: [{ hosts: ['a.test:8080'] }],
    request: routing('GET http://a.test:8080/'),
    wins: 'r0',
  },
  {
    title: 'host with other port',
    routes: [{ hosts: ['a.test:81'] }],
    request: routing('GET http://a.test/'),
    wins: undefined,
  },
  { title: 'path prefix', routes: [{ paths: ['/foo'] }], request: routing('GET http://a.test/foobar'), wins: 'r0' },
  {
    title: 'path not prefix',
    routes: [{ paths: ['/foo'] }],
    request: routing('GET http://a.test/bar/foo'),
    wins: undefined,
  },
  {
    title: 'path case counts',
    routes: [{ paths: ['/foo'] }],
    request: routing('GET http://a.test/FOO'),
    wins: undefined,
  },
  { title: 'regex path', routes: [{ paths: ['~/u/\\d+$'] }], request: routing('GET http://a.test/u/12'), wins: 'r0' },
  {
    title: 'regex path is anchored',
    routes: [{ paths: ['~/u/\\d+'] }],
    request: routing('GET http://a.test/x/u/12'),
    wins: undefined,
  },
  {
    title: 'regex alternatives are anchored',
    routes: [{ paths: ['~/a$|/b$'] }],
    request: routing('GET http://a.test/x/b'),
    wins: undefined,
  },
  {
    title: 'regex with inline flag',
    routes: [{ paths: ['~(?i)/foo$'] }],
    request: routing('GET http://a.test/FOO'),
    wins: 'r0',
  },
  {
    title: 'method',
    routes: [{ methods: ['POST'] }, { methods: ['GET'] }],
    request: routing('GET http://a.test/'),
    wins: 'r1',
  },
  {
    title: 'header',
    routes: [{ headers: { 'X-A': ['one', 'two'] } }],
    request: routing('GET http://a.test/', {}, { 'x-a': 'TWO' }),
    wins: 'r0',
  },
  {
    title: 'other header value',
    routes: [{ headers: { 'X-A': ['one'] } }],
    request: routing('GET http://a.test/', {}, { 'x-a': 'onex' }),
    wins: undefined,
  },
  {
    title: 'header regex',
    routes: [{ headers: { 'X-A': ['~*^v[0-9]$'] } }],
    request: routing('GET http://a.test/', {}, { 'x-a': 'V7' }),
    wins: 'r0',
  },
  {
    title: 'all headers are needed',
    routes: [{ headers: { a: ['1'], b: ['2'] } }],
    request: routing('GET http://a.test/', {}, { a: '1' }),
    wins: undefined,
  },
  { title: 'sni', routes: [{ snis: ['a.test'] }], request: routing('GET https://x/', { sni: 'a.test' }), wins: 'r0' },
  {
    title: 'sni with a final dot',
    routes: [{ snis: ['a.test.'] }],
    request: routing('GET https://x/', { sni: 'a.test' }),
    wins: 'r0',
  },
  {
    title: 'other sni',
    routes: [{ snis: ['a.test'] }],
    request: routing('GET https://x/', { sni: 'b.test' }),
    wins: undefined,
  },
  {
    title: 'sni does not count for http',
    routes: [{ snis: ['a.test'] }],
    request: routing('GET http://x/'),
    wins: 'r0',
  },
  {
    title: 'more categories win',
    routes: [{ paths: ['/a/very/long/path'] }, { hosts: ['a.test'], paths: ['/a'] }],
    request: routing('GET http://a.test/a/very/long/path'),
    wins: 'r1',
  },
  {
    title: 'a plain host wins over a wildcard',
    routes: [{ hosts: ['a.b.test'] }, { hosts: ['*.b.test'] }],
    request: routing('GET http://a.b.test/'),
    wins: 'r0',
  },
  {
    title: 'a wildcard with a longer path loses to a plain host',
    routes: [
      { hosts: ['*.test'], paths: ['/foo/bar'] },
      { hosts: ['a.test'], paths: ['/'] },
    ],
    request: routing('GET http://a.test/foo/bar'),
    wins: 'r1',
  },
  {
    title: 'more headers win',
    routes: [{ headers: { a: ['1'], b: ['2'] } }, { headers: { a: ['1'] } }],
    request: routing('GET http://a.test/', {}, { a: '1', b: '2' }),
    wins: 'r0',
  },
  {
    title: 'a regex path wins over a longer prefix',
    routes: [{ paths: ['/foo/bar/baz'] }, { paths: ['~/foo'] }],
    request: routing('GET http://a.test/foo/bar/baz'),
    wins: 'r1',
  },
  {
    title: 'regex_priority decides between regexes',
    routes: [
      { paths: ['~/f'], regex_priority: 5 },
      { paths: ['~/foo/bar'], regex_priority: 3 },
    ],
    request: routing('GET http://a.test/foo/bar'),
    wins: 'r0',
  },
  {
    title: 'regex_priority does not count for prefixes',
    routes: [{ paths: ['/foo'], regex_priority: 9 }, { paths: ['/foo/b'] }],
    request: routing('GET http://a.test/foo/bar'),
    wins: 'r1',
  },
  {
    title: 'the longer prefix wins',
    routes: [{ paths: ['/foo'] }, { paths: ['/foo/bar'] }, { paths: ['/'] }],
    request: routing('GET http://a.test/foo/bar'),
    wins: 'r1',
  },
  {
    title: 'each path of a route counts by its own length',
    routes: [{ paths: ['/a', '/foo/bar'] }, { paths: ['/foo'] }, { paths: ['/ab'] }],
    request: routing('GET http://a.test/ab'),
    wins: 'r2',
  },
  {
    title: 'between equals the greater id wins',
    routes: [{ paths: ['/a'] }, { paths: ['/a'] }],
    request: routing('GET http://a.test/a'),
    wins: 'r1',
  },
  {
    title: 'stream routes take no HTTP',
    routes: [{ protocols: ['tcp'], destinations: [{ port: 80 }] }],
    request: routing('GET http://a.test/'),
    wins: undefined,
  },
];

for (const { title, routes: rows, request, wins } of CASES) {
  test(`routing: ${title}`, () => {
    const router = buildTraditionalRouter(configuration({ routes: routes(...rows) }));
    assert.equal(router.select(request)?.route.name, wins);
  });
}

test('captures of a regular expression are given by number and by name', () => {
  const rows = routes({ paths: ['~/u/(?<user>\\w+)/(\\d+)'] });
  const match = buildTraditionalRouter(configuration({ routes: rows })).select(routing('GET http://a.test/u/bob/7/x'));
  assert.deepEqual(match?.captures, { 1: 'bob', 2: '7', user: 'bob' });
  assert.equal(match?.matchedPath, '/u/bob/7');
});

test('a route with a broken regular expression is skipped and reported, others stay', () => {
  const invalid: string[] = [];
  const rows = routes({ paths: ['~/('] }, { paths: ['/'] });
  const router = buildTraditionalRouter(configuration({ routes: rows }), (route) => invalid.push(route.id));
  assert.equal(router.select(routing('GET http://a.test/x'))?.route.name, 'r1');
  assert.deepEqual(invalid, [rows[0]?.['id']]);
});

test('the order in which routes are given never matters', () => {
  const hosts = fc.subarray(['a.test', 'b.test', '*.test', 'a.*']);
  const paths = fc.subarray(['/', '/a', '/a/b', '~/a', '~/b$']);
  const route = fc.record({ hosts, paths, methods: fc.subarray(['GET', 'POST']), regex_priority: fc.nat(3) });
  const request = fc
    .tuple(fc.constantFrom('a.test', 'b.test', 'c.test', 'a.org'), fc.constantFrom('/', '/a', '/a/b', '/b'))
    .map(([host, path]) => routing(`GET http://${host}${path}`));
  const given = fc.array(route, { maxLength: 6 }).map((rows) => routes(...rows));
  const orders = given.chain((rows) =>
    fc.tuple(fc.constant(rows), fc.shuffledSubarray([...rows], { minLength: rows.length })),
  );
  fc.assert(
    fc.property(orders, request, ([rows, mixed], asked) => {
      const select = (list: readonly Row[]): string | undefined =>
        buildTraditionalRouter(configuration({ routes: list })).select(asked)?.route.id;
      assert.equal(select(mixed), select(rows));
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapePath, normalizePath, upstreamPath } from '../../../infra/local/kong/proxy/path.ts';

const NORMAL: readonly (readonly [string, string])[] = [
  ['/', '/'],
  ['/a?b=c/d', '/a'],
  ['//a///b', '/a/b'],
  ['/a/./b/../c', '/a/c'],
  ['/a/..', '/'],
  ['/../../a', '/a'],
  ['/a/%2e%2E/b', '/b'],
  ['/%61%2fb', '/a%2Fb'],
  ['/gr%C3%BCn', '/grün'],
  ['/%ff', '/%FF'],
];

for (const [raw, normal] of NORMAL) {
  test(`normalised path of ${raw}`, () => assert.equal(normalizePath(raw), normal));
}

test('a path is escaped for the request line', () => assert.equal(escapePath('/grün b%2F'), '/gr%C3%BCn%20b%2F'));

/** Request path, matched prefix when it is stripped, service path, upstream path. */
const UPSTREAM: readonly (readonly [string, string | undefined, string | undefined, string])[] = [
  ['/foo/bar', '/foo', undefined, '/bar'],
  ['/foo', '/foo', undefined, '/'],
  ['/foo/', '/foo', undefined, '/'],
  ['/foobar', '/foo', undefined, '/bar'],
  ['/foo/bar', undefined, undefined, '/foo/bar'],
  ['/foo', '/foo', '/base', '/base'],
  ['/foo/', '/foo/', '/base', '/base/'],
  ['/foo/bar', '/foo', '/base', '/base/bar'],
  ['/foo/bar', '/foo/', '/base', '/base/bar'],
  ['/foo', '/foo', '/base/', '/base'],
  ['/foo/', '/foo/', '/base/', '/base/'],
  ['/foo/bar', '/foo', '/base/', '/base/bar'],
  ['/foo/bar', '/foo/', '/base/', '/base/bar'],
  ['/', undefined, '/base', '/base'],
  ['/foo', undefined, '/base', '/base/foo'],
  ['/foo', undefined, '/base/', '/base/foo'],
  ['/foo../x', '/foo', undefined, '/x'],
];

for (const [path, prefix, base, expected] of UPSTREAM) {
  test(`upstream path of ${path} without ${prefix} below ${base}`, () => {
    assert.equal(upstreamPath(path, prefix, base), expected);
  });
}

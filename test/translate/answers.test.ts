import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseManifests } from '../../shared/cli/files.ts';
import type { Lookup } from '../../shared/kubernetes/lookup.ts';
import { snapshotLookup } from '../../shared/kubernetes/snapshot.ts';
import { traced } from '../../shared/kubernetes/traced.ts';
import { isRoot, translateRoot } from '../../shared/translate/index.ts';
import { OPTIONS, goldenCases } from '../golden/cases.ts';

/** A lookup that promises every answer, as one that asks a cluster does, and counts how often it was waited for. */
function promised(lookup: Lookup): Lookup & { waits(): number } {
  let waits = 0;
  let round: Promise<void> | undefined;
  const later = async <T>(answer: () => T | Promise<T>): Promise<T> => {
    round ??= new Promise((resolve) => {
      setImmediate(() => {
        waits += 1;
        round = undefined;
        resolve();
      });
    });
    await round;
    return answer();
  };
  return {
    get: async (kind, namespace, name) => later(() => lookup.get(kind, namespace, name)),
    list: async (kind, query) => later(() => lookup.list(kind, query)),
    waits: () => waits,
  };
}

for (const { name, input, options } of goldenCases()) {
  test(`answers that are promised give what answers at hand give: ${name}`, async () => {
    const { objects } = parseManifests(readFileSync(input, 'utf8'), 'in.yaml', options.raw);
    const snapshot = snapshotLookup(objects);
    for (const root of objects.filter(isRoot)) {
      const [now, later] = [traced(snapshot), traced(promised(snapshot))];
      assert.deepEqual(await translateRoot(root, later, options), await translateRoot(root, now, options));
      assert.deepEqual(later.keys(), now.keys());
    }
  });
}

function pathTo(index: number): string {
  return `{ path: /${index}, pathType: Prefix, backend: { service: { name: echo-${index}, port: { number: 80 } } } }`;
}

function service(index: number): string {
  return `---\napiVersion: v1\nkind: Service\nmetadata: { name: echo-${index} }\nspec: { ports: [{ port: 80 }] }`;
}

/** An Ingress with so many paths, each to a Service of its own. */
function manifests(paths: number): string {
  const numbers = Array.from({ length: paths }, (_, index) => index);
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, annotations: { konghq.com/plugins: "a, b, c" } }
spec:
  ingressClassName: kong
  rules:
  - http: { paths: [${numbers.map(pathTo).join(', ')}] }
${numbers.map(service).join('\n')}
`;
}

function ingressTo(index: number): string {
  return `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web-${index}, annotations: { konghq.com/plugins: p } }
spec: { ingressClassName: kong, rules: [{ http: { paths: [${pathTo(index)}] } }] }
${service(index)}`;
}

/** As many Ingresses that name a plugin, and an entity for each route that it is bound to. */
function bound(ingresses: number): string {
  const numbers = Array.from({ length: ingresses }, (_, index) => index);
  return `
apiVersion: configuration.konghq.com/v1alpha1
kind: KongCustomEntity
metadata: { name: entity }
spec: { controllerName: kong, type: degraphql_routes, fields: {}, parentRef: { kind: KongPlugin, name: p } }
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: p }
plugin: degraphql
${numbers.map(ingressTo).join('\n')}
`;
}

const GROWING: readonly (readonly [title: string, manifests: (count: number) => string, type: string])[] = [
  ['paths of an Ingress', manifests, 'services'],
  ['Ingresses that a plugin is bound to', bound, 'degraphql_routes'],
];

for (const [title, make, type] of GROWING) {
  test(`what does not depend on each other is read together: ${title}`, async () => {
    const waits: number[] = [];
    for (const count of [2, 20]) {
      const { objects } = parseManifests(make(count), 'test', false);
      const lookup = promised(snapshotLookup(objects));
      const root = objects.find(isRoot);
      assert.ok(root !== undefined);
      const { proposals } = await translateRoot(root, lookup, OPTIONS);
      assert.equal(proposals.filter((proposal) => proposal.type === type).length, count);
      waits.push(lookup.waits());
    }
    assert.equal(waits[0], waits[1]);
  });
}

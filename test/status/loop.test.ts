import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../../infra/local/demo/meter.ts';
import { CLUSTER_CHANGE } from '../../shared/events.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { isRecord } from '../../shared/json.ts';
import { apply } from '../e2e/act.ts';
import { startLab, type Lab } from '../e2e/lab.ts';
import { foundation } from '../e2e/objects.ts';
import { consumer, ingress } from '../support/manifests.ts';
import { conditionsOf, entriesOf } from './lab.ts';

const DEADLINE_MS = 40_000;

const GATEWAY_API = 'gateway.networking.k8s.io/v1';

/** An object of the Gateway API. */
function gatewayObject(kind: string, metadata: KubernetesObject['metadata'], spec: object): KubernetesObject {
  const object = { apiVersion: GATEWAY_API, kind, metadata, spec };
  return object;
}

function objects(lab: Lab): readonly KubernetesObject[] {
  const unmanaged = { 'konghq.com/gatewayclass-unmanaged': 'true' };
  return [
    ...foundation(lab),
    ingress('web', ['web.test / echo 80']),
    consumer('ann'),
    gatewayObject(
      'GatewayClass',
      { name: 'kong', annotations: unmanaged },
      { controllerName: 'konghq.com/kic-gateway-controller' },
    ),
    gatewayObject(
      'Gateway',
      { name: 'edge', namespace: 'default' },
      {
        gatewayClassName: 'kong',
        listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }],
      },
    ),
    gatewayObject(
      'HTTPRoute',
      { name: 'route', namespace: 'default' },
      {
        parentRefs: [{ name: 'edge' }],
        rules: [{ backendRefs: [{ name: 'echo', port: 80 }] }],
      },
    ),
  ];
}

async function statusOf(
  lab: Lab,
  kind: 'HTTPRoute' | 'Gateway' | 'KongConsumer',
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  const object: object | undefined = await lab.kubernetes.get(kind, 'default', name);
  return object !== undefined && 'status' in object && isRecord(object.status) ? object.status : {};
}

function carried(lab: Lab): number {
  return lab.events.filter((event) => event['detail-type'] === CLUSTER_CHANGE).length;
}

test('the functions write statuses, first pending, then proven, and never hear of their own writes', async () => {
  const lab = await startLab();
  try {
    const all = objects(lab);
    await apply(lab, ...all);
    const [pending] = entriesOf(await statusOf(lab, 'HTTPRoute', 'route'), 'parents');
    assert.deepEqual(pending, ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs', 'Programmed=False/Pending']);
    await until('a status that is proven', DEADLINE_MS, async () => {
      await lab.stack.cloud.invoke('converge', {});
      const [entry = []] = entriesOf(await statusOf(lab, 'HTTPRoute', 'route'), 'parents');
      return entry.includes('Programmed=True/ConfiguredInGateway') ? true : undefined;
    });
    const route = JSON.stringify(await statusOf(lab, 'HTTPRoute', 'route'));
    assert.match(route, /All 2 live data planes run revision \d+.*Proof: (stored|serving), by \w+/);
    assert.deepEqual(conditionsOf(await statusOf(lab, 'Gateway', 'edge')), [
      'Accepted=True/Accepted',
      'Programmed=True/Programmed',
    ]);
    assert.deepEqual(conditionsOf(await statusOf(lab, 'KongConsumer', 'ann')), ['Programmed=True/Programmed']);
    await lab.stack.cloud.idle(5_000);
    assert.equal(carried(lab), all.length, 'a status that was written came back as a change');
    assert.ok(
      lab.log.every((record) => record['message'] !== 'not reported'),
      'something was not reported',
    );
  } finally {
    await lab.stop();
  }
});

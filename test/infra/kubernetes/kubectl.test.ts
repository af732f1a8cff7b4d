import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { finding } from '../../../shared/findings.ts';
import { eventObject, noticeOf } from '../../../shared/kubernetes/events.ts';
import { stand, temporaryDirectory } from './stand.ts';

const run = promisify(execFile);

function found(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const MANIFEST = `
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  ports:
    - name: http
      port: 80
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
spec:
  ingressClassName: kong
  rules:
    - host: shop.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port:
                  name: http
---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata:
  name: limits
  namespace: shop
plugin: rate-limiting
config:
  minute: 5
`;

test('kubectl works as on a real cluster', { skip: found() ? false : 'there is no kubectl on the PATH' }, async (t) => {
  const kubernetes = await stand(t, { tls: true });
  const home = await temporaryDirectory(t);
  const environment = { ...process.env, HOME: home, KUBECONFIG: kubernetes.kubeconfig };
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    (await run('kubectl', args, { env: environment })).stdout;
  const value = (kind: string, name: string, jsonpath: string): Promise<string> =>
    kubectl('get', kind, name, '-o', `jsonpath={${jsonpath}}`);
  const file = path.join(home, 'shop.yaml');
  await kubectl('config', 'set-context', '--current', '--namespace=shop');

  await t.test('apply creates, leaves alone and changes', async () => {
    await writeFile(file, MANIFEST);
    assert.match(
      await kubectl('apply', '-f', file),
      /namespace\/shop created\n.*service\/web created\n.*ingress\S* created\n.*kongplugin\S* created/s,
    );
    assert.match(await kubectl('apply', '-f', file), /web unchanged[^]*web unchanged[^]*limits unchanged/);
    await writeFile(file, MANIFEST.replace('shop.example', 'new.example').replace('minute: 5', 'minute: 6'));
    assert.match(await kubectl('apply', '-f', file), /ingress\S* configured[^]*kongplugin\S* configured/);
    assert.equal(await value('ingress', 'web', '.spec.rules[0].host'), 'new.example');
    assert.equal(await value('kongplugin', 'limits', '.config.minute'), '6');
  });

  await t.test('get prints columns, by short names too', async () => {
    assert.match(
      await kubectl('get', 'ing'),
      /NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\nweb +kong +new\.example +80 +\d+s/,
    );
    assert.match(await kubectl('get', 'svc,kp', '-o', 'wide'), /service\/web +ClusterIP[^]*limits +rate-limiting/);
    assert.match(await kubectl('get', 'namespaces'), /shop +Active/);
    assert.match(await kubectl('api-resources', '--api-group=gateway.networking.k8s.io'), /httproutes[^]*HTTPRoute/);
  });

  await t.test('label, annotate, patch, edit and describe', async () => {
    await kubectl('label', 'ingress', 'web', 'team=a');
    await kubectl('annotate', 'ingress', 'web', 'konghq.com/strip-path=true');
    assert.match(await kubectl('get', 'ing', '-l', 'team in (a,b)', '-o', 'name'), /web/);
    await kubectl('patch', 'service', 'web', '-p', '{"spec":{"ports":[{"port":81,"name":"more"}]}}');
    assert.equal(await value('service', 'web', '.spec.ports[*].port'), '81 80');
    const editor = { ...environment, KUBE_EDITOR: 'sed -i s/new.example/edited.example/' };
    await run('kubectl', ['edit', 'ingress', 'web'], { env: editor });
    assert.equal(await value('ingress', 'web', '.spec.rules[0].host'), 'edited.example');
    assert.match(await kubectl('describe', 'ingress', 'web'), /edited\.example[^]*strip-path: true/);
  });

  await t.test('describe shows the Events of events.k8s.io', async () => {
    const on = {
      cluster: 'x',
      group: 'networking.k8s.io',
      version: 'v1',
      kind: 'Ingress',
      namespace: 'shop',
      name: 'web',
    };
    const uid = await value('ingress', 'web', '.metadata.uid');
    const notice = noticeOf(finding(on, 'ServiceNotFound', 'backend Service shop/gone does not exist'));
    const event = path.join(home, 'event.json');
    await writeFile(event, JSON.stringify(eventObject(notice, { uid, generation: 1 }, Date.now())));
    await kubectl('create', '-f', event);
    assert.match(
      await kubectl('describe', 'ingress', 'web'),
      /Warning +KongConfigurationTranslationFailed +\S+ +\S+ +ServiceNotFound: backend Service shop\/gone does not exist\. Create the Service/,
    );
    assert.match(await kubectl('get', 'events'), /KongConfigurationTranslationFailed +ingress\/web +ServiceNotFound/);
  });

  await t.test('server-side apply, and create of what has no manifest', async () => {
    assert.match(await kubectl('apply', '--server-side', '--force-conflicts', '-f', file), /web serverside-applied/);
    assert.equal(await value('ingress', 'web', '.spec.rules[0].host'), 'new.example');
    await kubectl('create', 'secret', 'generic', 'key', '--from-literal=kongCredType=key-auth');
    assert.equal(await value('secret', 'key', '.data.kongCredType'), 'a2V5LWF1dGg=');
    await kubectl('create', 'service', 'clusterip', 'made', '--tcp=80:8080');
    assert.equal(await value('service', 'made', '.spec.ports[0].targetPort'), '8080');
    await kubectl('create', 'ingress', 'made', '--rule=made.example/*=made:80', '--class=kong');
    assert.equal(await value('ingress', 'made', '.spec.rules[0].http.paths[0].backend.service.port.number'), '80');
    await kubectl('create', 'configmap', 'made', '--from-literal=a=b');
    assert.equal(await value('configmap', 'made', '.data.a'), 'b');
    await kubectl('create', 'namespace', 'made');
    await kubectl('delete', 'namespace', 'made');
  });

  await t.test('what is wrong is refused', async () => {
    const typo = path.join(home, 'typo.yaml');
    await writeFile(typo, MANIFEST.replace('pathType: Prefix', 'pathType: Prefix\n            pahtType: Exact'));
    // kubectl before 1.25 cannot ask the server to refuse unknown fields; it shows the server's warning.
    const told = await run('kubectl', ['apply', '-f', typo], { env: environment }).then(
      ({ stderr }) => stderr,
      (error: unknown) => String(error),
    );
    assert.match(told, /unknown field "?\S*pahtType/);
    await writeFile(typo, MANIFEST.replace('pathType: Prefix', 'pathType: Sometimes'));
    await assert.rejects(kubectl('apply', '-f', typo), /Unsupported value: "Sometimes"/);
    await assert.rejects(kubectl('get', 'ingress', 'nothing'), /ingresses\.networking\.k8s\.io "nothing" not found/);
  });

  await t.test('delete waits until all is gone', async () => {
    assert.match(await kubectl('delete', '-f', file), /"web" deleted[^]*"limits" deleted/);
    assert.equal(await kubectl('get', 'ing,svc,kp,secrets', '-A', '-o', 'name'), '');
  });
});

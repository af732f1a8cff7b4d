import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { webhookConfig } from '../../../shared/webhook/config.ts';
import { type JsonRecord, isRecord } from '../../../shared/json.ts';
import { MANIFEST_BLOCKS, manifest, refreshedManifest } from '../../support/cluster-manifests.ts';
import { KINDS, apiVersionOf, isKind } from '../../../shared/kubernetes/kinds.ts';

const FOLDER = path.join(import.meta.dirname, '../../../infra/kubernetes');

function documents(file: string): JsonRecord[] {
  return parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')).map((document) => {
    assert.deepEqual(document.errors, []);
    const value: unknown = document.toJS();
    assert.ok(isRecord(value));
    return value;
  });
}

function only(file: string, kind: string | undefined): JsonRecord {
  const found = documents(file).filter((document) => document['kind'] === kind);
  assert.equal(found.length, 1, `${kind ?? 'the document'} in ${file}`);
  return found[0] ?? {};
}

function records(value: unknown): JsonRecord[] {
  assert.ok(Array.isArray(value));
  return value.filter(isRecord);
}

function texts(value: unknown): string[] {
  assert.ok(Array.isArray(value));
  return value.map(String);
}

const KIND_NAMES = Object.keys(KINDS).filter(isKind);
const RESOURCES = KIND_NAMES.map((kind) => `${KINDS[kind].group}/${KINDS[kind].plural}`).toSorted();

for (const file of Object.keys(MANIFEST_BLOCKS)) {
  test(`${file} is made from the kinds in the code (npm run golden rewrites it)`, () => {
    assert.equal(manifest(file), refreshedManifest(file));
  });
}

function roleRules(name: string): JsonRecord[] {
  const roles = documents('rbac.yml').filter((document) => document['kind'] === 'ClusterRole');
  const role = roles.find((document) => Object(document['metadata']).name === name);
  assert.equal(roles.length, 2);
  return records(role?.['rules']);
}

function granted(rules: readonly JsonRecord[]): string[] {
  return rules
    .flatMap((rule) =>
      texts(rule['apiGroups']).flatMap((group) => texts(rule['resources']).map((resource) => `${group}/${resource}`)),
    )
    .toSorted();
}

test('one role reads exactly the kinds that the code knows', () => {
  const rules = roleRules('kong-ingress-functions-read');
  assert.deepEqual(granted(rules), RESOURCES);
  for (const rule of rules) {
    assert.deepEqual(rule['verbs'], ['get', 'list', 'watch']);
    assert.deepEqual(Object.keys(rule).toSorted(), ['apiGroups', 'resources', 'verbs']);
  }
});

test('the other role writes statuses and Events, and nothing that configures anything', () => {
  for (const rule of roleRules('kong-ingress-functions-write')) {
    const events = granted([rule]).includes('events.k8s.io/events');
    assert.deepEqual(rule['verbs'], events ? ['create', 'patch'] : ['patch']);
    for (const resource of granted([rule])) {
      assert.match(resource, /\/status$|^events\.k8s\.io\/events$/);
      assert.ok(events || RESOURCES.includes(resource.replace('/status', '')), resource);
    }
  }
});

test('the ServiceAccount is the own user of the settings’ default, bound to the role', () => {
  const [account] = documents('rbac.yml').filter((document) => document['kind'] === 'ServiceAccount');
  const { name, namespace } = Object(account?.['metadata']);
  const settings = webhookConfig({ WEBHOOK_TOKENS: 't', EVENT_BUS_NAME: 'b' });
  assert.deepEqual(settings.clusters[0].ownUsers, [`system:serviceaccount:${namespace}:${name}`]);
  const bindings = documents('rbac.yml').filter((document) => document['kind'] === 'ClusterRoleBinding');
  const names = documents('rbac.yml')
    .filter((document) => document['kind'] === 'ClusterRole')
    .map((role) => Object(role['metadata']).name);
  for (const binding of bindings) {
    assert.deepEqual(records(binding['subjects'])[0], { kind: 'ServiceAccount', name, namespace });
  }
  assert.deepEqual(
    bindings.map((binding) => Object(binding['roleRef']).name),
    names,
  );
});

test('the admission webhooks see every write of those kinds, and can block none', () => {
  const webhooks = records(only('webhook.yml', 'ValidatingWebhookConfiguration')['webhooks']);
  const seen: string[] = [];
  for (const webhook of webhooks) {
    assert.equal(webhook['failurePolicy'], 'Ignore');
    assert.equal(webhook['sideEffects'], 'NoneOnDryRun');
    assert.deepEqual(webhook['admissionReviewVersions'], ['v1']);
    assert.ok(Number(webhook['timeoutSeconds']) <= 10);
    assert.match(String(Object(webhook['clientConfig']).url), /^https:\/\/[^/]+\/webhook\/TOKEN$/);
    for (const rule of records(webhook['rules'])) {
      assert.deepEqual(rule['operations'], ['CREATE', 'UPDATE', 'DELETE']);
      assert.deepEqual(rule['apiVersions'], ['*']);
      for (const group of texts(rule['apiGroups'])) {
        seen.push(...texts(rule['resources']).map((resource) => `${group}/${resource}`));
      }
    }
  }
  assert.deepEqual(seen.toSorted(), RESOURCES);
  const withContent = webhooks.filter((webhook) => JSON.stringify(webhook['rules']).includes('"secrets"'));
  assert.deepEqual(
    withContent.map((webhook) => records(webhook['rules']).flatMap((rule) => texts(rule['resources']))),
    [['configmaps', 'secrets']],
  );
});

test('the audit policy tells of the same writes, without the content of Secrets', () => {
  const rules = records(only('audit-policy.yml', 'Policy')['rules']);
  const told = rules.flatMap((rule) =>
    (rule['resources'] === undefined ? [] : records(rule['resources'])).flatMap((entry) =>
      texts(entry['resources']).map((resource) => ({
        level: rule['level'],
        resource: `${String(entry['group'])}/${resource}`,
      })),
    ),
  );
  assert.deepEqual(told.map(({ resource }) => resource).toSorted(), RESOURCES);
  for (const { level, resource } of told) {
    assert.equal(level, ['/secrets', '/configmaps'].includes(resource) ? 'Metadata' : 'RequestResponse', resource);
  }
  assert.deepEqual(rules.at(-1), { level: 'None' });
});

test('the Knative source sends the same kinds, names only', () => {
  const spec = only('knative.yml', 'ApiServerSource')['spec'];
  assert.ok(isRecord(spec));
  assert.equal(spec['mode'], 'Reference');
  const sent = records(spec['resources']).map((entry) => `${String(entry['apiVersion'])} ${String(entry['kind'])}`);
  const known = KIND_NAMES.map((kind) => {
    const { group, versions } = KINDS[kind];
    return `${apiVersionOf(group, versions[0])} ${kind}`;
  });
  assert.deepEqual(sent.toSorted(), known.toSorted());
});

test('the audit webhook’s kubeconfig names the webhook with a bearer token', () => {
  const config = only('audit-webhook.yml', 'Config');
  assert.match(JSON.stringify(config['clusters']), /"server":"https:\/\/[^"]+\/webhook"/);
  assert.match(JSON.stringify(config['users']), /"token":"TOKEN"/);
});

test('the watch runs without rights: not as root, on a read-only file system, with a role that only reads', () => {
  const binding = only('watch.yml', 'ClusterRoleBinding');
  assert.equal(Object(binding['roleRef']).name, 'kong-ingress-functions-read');
  const { spec } = Object(only('watch.yml', 'Deployment')['spec']).template;
  assert.equal(spec.securityContext.runAsNonRoot, true);
  const [container, ...others] = records(spec.containers);
  assert.deepEqual(others, []);
  assert.deepEqual(container?.['securityContext'], {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  const { containerPort } = records(container?.['ports'])[0] ?? {};
  assert.ok(texts(container?.['command']).includes(`$(POD_IP):${String(containerPort)}`));
  assert.deepEqual(
    [Object(container?.['livenessProbe']).httpGet.path, Object(container?.['readinessProbe']).httpGet.path],
    ['/livez', '/readyz'],
  );
});

test('the stack for a further EKS cluster’s audit log subscribes as the deployment does to the first one', () => {
  const own = only('eks-audit-logs.yml', undefined);
  const [deployed] = parseAllDocuments(readFileSync(path.join(FOLDER, '../audit.yml'), 'utf8')).map((document) =>
    Object(document.toJS()),
  );
  const filter = Object(own['Resources']).AuditLogSubscription.Properties.FilterPattern;
  assert.equal(filter, deployed.Resources.AuditLogSubscription.Properties.FilterPattern);
  assert.match(filter, /ResponseComplete/);
  assert.equal(Object(own['Resources']).AuditLogPermission.Properties.Principal, 'logs.amazonaws.com');
});

import type { KongLicense, KongVault } from '../kubernetes/kong-resources.ts';
import { isForOthers } from './consumer-identity.ts';
import { type Context, objectTags } from './context.ts';
import { entityId, licenseId } from './identity.ts';
import { hasOurClass } from './ingress-class.ts';

/** KongVault → vault; the oldest of a prefix has it (KIC 2.14). */
export function translateVault(context: Context, vault: KongVault): void {
  const { spec } = vault;
  if (spec === undefined || isForOthers(spec) || !hasOurClass(context, vault)) return;
  if (context.options.kongEdition === 'community' && spec.backend !== 'env') {
    context.report(vault, 'UnsupportedByKong', `spec.backend is ${spec.backend}, which needs Kong Enterprise`);
    return;
  }
  context.propose({
    slot: `vaults/${spec.prefix}`,
    type: 'vaults',
    id: entityId('vaults', spec.prefix, context.options.workspace),
    body: { name: spec.backend, prefix: spec.prefix, description: spec.description, config: spec.config },
    tags: objectTags(context, vault),
    refs: {},
    exclusive: true,
  });
}

/** KongLicense → licence; the newest that is enabled has it, then the smallest name (KIC 2.19). Licences have no tags. */
export function translateLicense(context: Context, license: KongLicense): void {
  if (license.enabled === false) return;
  if (context.options.kongEdition === 'community') {
    context.report(license, 'UnsupportedByKong', 'licences need Kong Enterprise');
    return;
  }
  const { name, creationTimestamp = '' } = license.metadata;
  const age = Date.parse(creationTimestamp);
  context.propose({
    slot: 'licenses/@newest',
    type: 'licenses',
    id: licenseId(name),
    body: { payload: license.rawLicenseString ?? '' },
    tags: [],
    refs: {},
    rank: { class: Number.isNaN(age) ? 0 : -age, createdAt: '', name },
    quiet: true,
  });
}

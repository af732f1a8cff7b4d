import type { Ingress } from '../kubernetes/resources.ts';
import { annotation } from './annotations.ts';
import type { Context } from './context.ts';
import { isEnabled } from './kong-features.ts';
import { type Bound, pluginIdentity } from './plugin.ts';

/**
 * The value of `konghq.com/rewrite` as Kong's request-transformer takes it: `$1` is the path's first capture, `\\$` a
 * dollar sign; undefined when it is neither (KIC 2.2.8).
 */
export function rewriteUri(value: string): string | undefined {
  if (value === '') return '/';
  let uri = '';
  for (const [token, dollar, digits] of value.matchAll(/\\(\$)|\$(\d+)|[\s\S]/g)) {
    if (dollar !== undefined) uri += '$';
    else if (digits !== undefined) uri += `$(uri_captures[${digits}])`;
    else if (token === '$' || token === '\\') return undefined;
    else uri += token;
  }
  return uri;
}

/** What `konghq.com/rewrite` asks for: nothing, a URI, or what cannot be done, with a finding. */
export type Rewrite = { readonly uri: string } | 'none' | 'invalid';

/** Reads `konghq.com/rewrite`. KIC drops whole Kong services for a bad one; here only this Ingress's routes. */
export function rewriteOf(context: Context, ingress: Ingress): Rewrite {
  const value = annotation(ingress, 'rewrite');
  if (value === undefined) return 'none';
  if (!isEnabled(context.options, 'RewriteURIs')) {
    context.report(ingress, 'FeatureGateOff', 'annotation konghq.com/rewrite needs the feature gate RewriteURIs');
    return 'invalid';
  }
  const uri = rewriteUri(value);
  if (uri !== undefined) return { uri };
  context.report(ingress, 'InvalidRewrite', 'annotation konghq.com/rewrite holds a "$" or "\\" that means nothing');
  return 'invalid';
}

/** Proposes the plugin that rewrites a route's path. */
export function proposeRewrite(context: Context, route: Bound, { uri }: { readonly uri: string }): void {
  context.propose({
    ...pluginIdentity(context, 'request-transformer', { route }),
    body: { name: 'request-transformer', config: { replace: { uri } } },
    tags: [],
  });
}

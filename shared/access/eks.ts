import { AppError } from '../errors.ts';
import { hostOf } from './region.ts';
import { type Renewed, renewed } from './renewed.ts';
import type { AwsIdentity } from './sign.ts';

/** An EKS cluster, as AWS calls it. */
export interface EksCluster {
  readonly name: string;
  readonly region: string;
}

/** The API server takes a token for 15 minutes after it was signed; clocks differ. */
const LIFETIME_MS = 13 * 60_000;
/** What AWS asks for in the address; the API server does not look at it. */
const EXPIRES_SECONDS = 60;

/**
 * A token for an EKS cluster: a presigned call of STS GetCallerIdentity with the cluster's name among the signed
 * headers, in base64url. The API server makes that call and so learns the caller's role; nothing is sent to AWS here.
 */
export async function eksToken({ name, region }: EksCluster, credentials: AwsIdentity, now: Date): Promise<string> {
  const { signer } = await import('./sign.ts');
  const hostname = hostOf('sts', region);
  const signed = await signer('sts', region, credentials).presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': name },
    },
    { expiresIn: EXPIRES_SECONDS, signingDate: now, unhoistableHeaders: new Set(['x-k8s-aws-id']) },
  );
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(signed.query ?? {})) query.set(key, String(value));
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${query.toString()}`).toString('base64url')}`;
}

async function identityOf(find: () => Promise<AwsIdentity>): Promise<AwsIdentity> {
  try {
    return await find();
  } catch {
    throw new AppError('AWS_CREDENTIALS_MISSING', 'no AWS identity was found to sign with');
  }
}

/** Tokens for a cluster, each used until shortly before it or the identity that signed it ends. */
export function eksTokens(
  cluster: EksCluster,
  find: () => Promise<AwsIdentity> = async () => (await import('./sign.ts')).identity(),
  clock: () => number = Date.now,
): Renewed<string> {
  return renewed(async () => {
    const [credentials, now] = [await identityOf(find), clock()];
    const ends = credentials.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    return { value: await eksToken(cluster, credentials, new Date(now)), until: Math.min(now + LIFETIME_MS, ends) };
  }, clock);
}

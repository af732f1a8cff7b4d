import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';

export { Sha256 } from '@smithy/core/checksum';

/** What AWS knows a caller by. */
export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When it ends; undefined for what lasts. */
  readonly expiration?: Date;
}

/** A signer of requests to a service. */
export function signer(service: string, region: string, credentials: AwsIdentity): SignatureV4 {
  return new SignatureV4({ service, region, credentials, sha256: Sha256 });
}

/** The function's own identity: its role on Lambda, else whatever the AWS tools would use here. Rejects without one. */
export const identity: () => Promise<AwsIdentity> = defaultProvider();

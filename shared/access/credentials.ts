/** What proves to an API server who asks, and to who asks that it is the API server. PEM but for the token. */
export interface Credentials {
  /** The authority of the API server's certificate; undefined for the system roots. */
  readonly ca: string | undefined;
  /** Bearer token. */
  readonly token: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

/** Credentials that change while a function lives. */
export interface CredentialSource {
  /**
   * What to use now. `refused` holds what the other side just did not take: it is read again from where it comes from,
   * and the answer tells whether there is anything newer. Throws SECRET_*, AWS_CREDENTIALS_MISSING and KUBECONFIG_INVALID.
   */
  current(refused?: Partial<Credentials>): Promise<Credentials>;
}

/** Whether two say the same. */
export function sameCredentials(one: Credentials, other: Credentials): boolean {
  return (
    one.ca === other.ca &&
    one.token === other.token &&
    one.clientCertificate === other.clientCertificate &&
    one.clientKey === other.clientKey
  );
}

/** Whether credentials are those that were refused. */
export function isRefused(credentials: Credentials, refused: Partial<Credentials>): boolean {
  return sameCredentials(credentials, { ...credentials, ...refused });
}

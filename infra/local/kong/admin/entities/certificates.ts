import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { arrayOf, foreign, id, string, tags, times, wildcardHost } from '../schema/typedefs.ts';
import type { EntityCheck, Field } from '../schema/types.ts';
import { define } from './definition.ts';

const BEGIN = '-----BEGIN CERTIFICATE-----';

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

// The messages hold no part of the value: it may be a key.
function certificateError(pem: string): string | undefined {
  return parseCertificate(pem) !== undefined ? undefined : 'invalid certificate: x509.new: not a PEM certificate';
}

function keyError(pem: string): string | undefined {
  return parseKey(pem) !== undefined ? undefined : 'invalid key: pkey.new:load_key: unsupported';
}

const certificate: Field = string({ custom: certificateError, referenceable: true });
const key: Field = string({ custom: keyError, referenceable: true, encrypted: true });

function pairMatches(certField: string, keyField: string): EntityCheck {
  return {
    custom_entity_check: { field_sources: [certField, keyField] },
    custom: (data) => {
      const cert = parseCertificate(text(data[certField]));
      const privateKey = parseKey(text(data[keyField]));
      if (cert === undefined || privateKey === undefined || cert.checkPrivateKey(privateKey)) return undefined;
      return { '@entity': ['certificate does not match key'] };
    },
  };
}

const differentTypes: EntityCheck = {
  custom_entity_check: { field_sources: ['cert', 'cert_alt'] },
  custom: (data) => {
    const first = parseCertificate(text(data['cert']));
    const second = parseCertificate(text(data['cert_alt']));
    if (first === undefined || second === undefined) return undefined;
    if (first.publicKey.asymmetricKeyType !== second.publicKey.asymmetricKeyType) return undefined;
    return {
      '@entity': [
        'certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided certificates were both of the same type',
      ],
    };
  },
};

export const certificates = define({
  name: 'certificates',
  table: 'certificates',
  path: 'certificates',
  cacheKey: ['id'],
  fields: {
    ...id,
    ...times,
    cert: { ...certificate, required: true },
    key: { ...key, required: true },
    cert_alt: { ...certificate, required: false },
    key_alt: { ...key, required: false },
    tags,
    snis: arrayOf(wildcardHost, { required: false, transient: true }),
  },
  entity_checks: [
    { mutually_required: ['cert_alt', 'key_alt'] },
    pairMatches('cert', 'key'),
    pairMatches('cert_alt', 'key_alt'),
    differentTypes,
  ],
});

export const snis = define({
  name: 'snis',
  table: 'snis',
  path: 'snis',
  endpointKey: 'name',
  cacheKey: ['name'],
  fields: {
    ...id,
    name: { ...wildcardHost, required: true, unique: true, unique_across_ws: true },
    ...times,
    tags,
    certificate: foreign('certificates', { required: true }),
  },
});

function caError(pem: string): string | undefined {
  if (pem.split(BEGIN).length > 2) return 'please submit only one certificate at a time';
  const cert = parseCertificate(pem);
  if (cert === undefined) return 'invalid certificate: x509.new: not a PEM certificate';
  return cert.ca ? undefined : 'certificate does not appear to be a CA because it is missing the "CA" basic constraint';
}

/** The SHA-256 digest by which Kong tells CA certificates apart. */
function withDigest(data: JsonObject): JsonObject {
  const cert = parseCertificate(text(data['cert']));
  return cert === undefined ? data : { ...data, cert_digest: cert.fingerprint256.replaceAll(':', '').toLowerCase() };
}

export const caCertificates = define({
  name: 'ca_certificates',
  table: 'ca_certificates',
  path: 'ca_certificates',
  workspaceable: false,
  cacheKey: ['id'],
  fields: {
    ...id,
    ...times,
    cert: string({ required: true, custom: caError }),
    cert_digest: string({ unique: true }),
    tags,
  },
  entity_checks: [{ custom_entity_check: { field_sources: ['cert'] }, custom: () => undefined }],
  prepare: (data) => ({ data: withDigest(data) }),
});

import {
  CA_CERTIFICATE,
  CERTIFICATE,
  SERVICE,
  SNI,
  duplicate,
  exchange,
  notFound,
  service,
  violation,
} from '../exchange.ts';
import type { Exchange } from '../exchange.ts';

/** Exchanges about certificates, with PEM texts made for the run. */
export function certificateExchanges(leaf: { certificate: string; key: string }, ca: string): readonly Exchange[] {
  const pair = { cert: leaf.certificate, key: leaf.key };
  return [
    exchange(
      'a certificate with its server names',
      ['PUT', `/certificates/${CERTIFICATE}`, { ...pair, snis: ['b.contract.example', 'a.contract.example'] }],
      200,
      { snis: ['a.contract.example', 'b.contract.example'], cert_alt: null },
    ),
    exchange(
      'a server name of another certificate',
      ['POST', '/certificates', { ...pair, snis: ['a.contract.example'] }],
      400,
      violation,
      { fields: ['snis'] },
    ),
    exchange('a certificate by server name', ['GET', '/certificates/a.contract.example'], 200, { id: CERTIFICATE }),
    exchange('PATCH without server names keeps them', ['PATCH', `/certificates/${CERTIFICATE}`, { tags: ['c'] }], 200, {
      snis: ['a.contract.example', 'b.contract.example'],
    }),
    exchange(
      'PUT with fewer drops the others',
      ['PUT', `/certificates/${CERTIFICATE}`, { ...pair, snis: ['a.contract.example'] }],
      200,
      { snis: ['a.contract.example'], tags: null },
    ),
    exchange('as does PUT without any', ['PUT', `/certificates/${CERTIFICATE}`, pair], 200, { snis: [] }),
    exchange('a key that is none', ['POST', '/certificates', { ...pair, key: 'x' }], 400, violation, {
      fields: ['key'],
    }),
    exchange(
      'a server name by id',
      ['PUT', `/snis/${SNI}`, { name: '*.contract.example', certificate: { id: CERTIFICATE } }],
      200,
      { id: SNI },
    ),
    exchange(
      'a server name that is taken',
      ['POST', '/snis', { name: '*.contract.example', certificate: { id: CERTIFICATE } }],
      409,
      duplicate,
      { fields: ['name'] },
    ),
    exchange('the certificate of a server name', ['GET', `/snis/${SNI}/certificate`], 200, { id: CERTIFICATE }),
    exchange('a CA certificate', ['PUT', `/ca_certificates/${CA_CERTIFICATE}`, { cert: ca }], 200, {
      id: CA_CERTIFICATE,
    }),
    exchange('the same CA certificate again', ['POST', '/ca_certificates', { cert: ca }], 409, duplicate, {
      fields: ['cert_digest'],
    }),
    exchange('a certificate that is no CA', ['POST', '/ca_certificates', { cert: leaf.certificate }], 400, violation, {
      fields: ['cert'],
    }),
    exchange(
      'both in use',
      [
        'PUT',
        `/services/${SERVICE}`,
        service('contract-a', {
          protocol: 'https',
          client_certificate: { id: CERTIFICATE },
          ca_certificates: [CA_CERTIFICATE],
        }),
      ],
      200,
      { client_certificate: { id: CERTIFICATE } },
    ),
    exchange('a CA certificate in use stays', ['DELETE', `/ca_certificates/${CA_CERTIFICATE}`], 400, { code: 19 }),
    exchange('a certificate in use stays', ['DELETE', `/certificates/${CERTIFICATE}`], 400, {
      code: 4,
      fields: { '@referenced_by': 'services' },
    }),
    exchange('but its server names are gone', ['GET', `/snis/${SNI}`], 404, notFound),
  ];
}

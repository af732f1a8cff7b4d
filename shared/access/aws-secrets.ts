import { optional, type Environment } from '../environment.ts';
import { AppError } from '../errors.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import { awsRequest } from './aws-request.ts';
import type { Reference } from './reference.ts';
import { regionOf } from './region.ts';

/** How a store is asked, and where its answer has the text. */
interface Store {
  readonly target: string;
  readonly body: (id: string) => object;
  readonly text: (answer: JsonRecord) => unknown;
  /** The variable that stands in for its address, as with the AWS SDK. */
  readonly endpoint: string;
}

const STORES: Readonly<Record<Reference['store'], Store>> = {
  secretsmanager: {
    target: 'secretsmanager.GetSecretValue',
    body: (id) => ({ SecretId: id }),
    text: (answer) => answer['SecretString'],
    endpoint: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  },
  ssm: {
    target: 'AmazonSSM.GetParameter',
    body: (id) => ({ Name: id, WithDecryption: true }),
    text: ({ Parameter: parameter }) => (isRecord(parameter) ? parameter['Value'] : undefined),
    endpoint: 'AWS_ENDPOINT_URL_SSM',
  },
};

/** The region of an ARN (`arn:aws:secretsmanager:eu-west-1:…`), which need not be the function's own. */
function regionOfArn(id: string): string | undefined {
  const region = id.startsWith('arn:') ? id.split(':')[3] : undefined;
  return region === '' ? undefined : region;
}

/** Reads secrets of Secrets Manager and parameters of SSM with the function's own role. Throws as `awsRequest` does. */
export function awsSecrets(env: Environment): (store: Reference['store'], id: string) => Promise<string> {
  return async (name, id) => {
    const { target, body, text, endpoint } = STORES[name];
    const answer = await awsRequest({
      service: name,
      region: regionOfArn(id) ?? regionOf(env),
      target,
      body: body(id),
      endpoint: optional(env, endpoint) ?? optional(env, 'AWS_ENDPOINT_URL'),
    });
    const value = text(answer);
    if (typeof value === 'string') return value;
    throw new AppError('SECRET_UNREADABLE', `${name}:${id} holds no text`);
  };
}

import { isRecord } from '../../shared/json.ts';
import { type TestAnswer, type TestServer, startServer } from './http-server.ts';

/** Secrets Manager and SSM in one, as far as they are asked. */
export interface AwsSecrets extends TestServer {
  /** Text by name of the secret or parameter; what is not here is not there. */
  readonly stored: Map<string, string>;
  /** Answers that come first, in turn. */
  readonly faults: TestAnswer[];
}

function answer(target: string, body: unknown, stored: ReadonlyMap<string, string>): TestAnswer {
  const request = isRecord(body) ? body : {};
  const name = String(request['SecretId'] ?? request['Name']);
  const text = stored.get(name);
  if (text === undefined) return { status: 400, body: { __type: 'ResourceNotFoundException' } };
  if (target === 'secretsmanager.GetSecretValue') return { body: { Name: name, SecretString: text } };
  if (target === 'AmazonSSM.GetParameter' && request['WithDecryption'] === true) {
    return { body: { Parameter: { Name: name, Value: text } } };
  }
  return { status: 400, body: { __type: 'UnknownOperationException' } };
}

/** Starts both on one address. */
export async function startAwsSecrets(): Promise<AwsSecrets> {
  const stored = new Map<string, string>();
  const faults: TestAnswer[] = [];
  const server = await startServer(
    (request) => faults.shift() ?? answer(String(request.headers['x-amz-target']), JSON.parse(request.body), stored),
  );
  return { ...server, stored, faults };
}

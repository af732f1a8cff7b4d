import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios from 'axios';
import type { AxiosResponse } from 'axios';
import type { AdminNode } from './admin-nodes.ts';
import type { AdminConfig } from './config.ts';
import type { Body } from './entities.ts';

/** One request to the Admin API. */
export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Without the workspace, encoded. */
  readonly path: string;
  readonly body?: Body;
}

/** Sends requests to nodes over few kept connections each. */
export interface AdminHttp {
  /** Answers with whatever status; rejects with axios' error when no answer came. */
  send(node: AdminNode, call: Call): Promise<AxiosResponse<unknown>>;
  close(): void;
}

interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** A node's own agents: what is checked of a certificate differs from node to node. */
function agentsFor({ adminTls = {}, adminConcurrency }: AdminConfig, node: AdminNode): Agents {
  const options = { keepAlive: true, maxSockets: adminConcurrency, scheduling: 'lifo' } as const;
  const { ca, certificate, key, serverName = node.serverName } = adminTls;
  return {
    httpAgent: new HttpAgent(options),
    httpsAgent: new HttpsAgent({
      ...options,
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    }),
  };
}

/** An HTTP client for the nodes of `config`: its TLS, token, headers and workspace. Close it when done. */
export function adminHttp(config: AdminConfig & { readonly workspace: string }): AdminHttp {
  const agents = new Map<string, Agents>();
  const prefix = config.workspace === '' ? '' : `/${encodeURIComponent(config.workspace)}`;
  const instance = axios.create({
    timeout: config.adminTimeoutMs,
    maxRedirects: 0,
    // A proxy of the environment is for the Internet, not for the Admin API.
    proxy: false,
    validateStatus: () => true,
    headers: {
      ...config.adminHeaders,
      ...(config.adminToken === undefined ? {} : { 'Kong-Admin-Token': config.adminToken }),
    },
  });
  const agentsOf = (node: AdminNode): Agents => {
    const key = `${node.url} ${node.serverName ?? ''}`;
    const known = agents.get(key) ?? agentsFor(config, node);
    agents.set(key, known);
    return known;
  };
  return {
    send: (node, { method, path, body }) =>
      instance.request<unknown>({
        method,
        url: `${node.url}${prefix}${path}`,
        ...agentsOf(node),
        ...(body === undefined ? {} : { data: body }),
      }),
    close: () => {
      for (const { httpAgent, httpsAgent } of agents.values()) {
        httpAgent.destroy();
        httpsAgent.destroy();
      }
    },
  };
}

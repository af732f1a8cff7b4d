/** One Admin API. */
export interface AdminNode {
  /** Without a trailing slash. */
  readonly url: string;
  /** The name that its certificate must have; undefined for that of the address. */
  readonly serverName: string | undefined;
  /** What people call it: its pod (`namespace/name`), or the address' host and port. */
  readonly name: string;
}

/** The nodes that may take requests now. */
export interface AdminNodes {
  /** In order of preference, never empty. Rejects with KONG_ADMIN_* and KUBERNETES_* errors when there are none. */
  list(): Promise<readonly AdminNode[]>;
  /** Says that one of them did not answer, so that the next `list` looks again. */
  unanswered(): void;
}

/** Nodes at addresses that are always the same. */
export function nodesAt(urls: readonly string[]): readonly AdminNode[] {
  return urls.map((url) => ({ url, serverName: undefined, name: new URL(url).host }));
}

/** A list that stays as it is. */
export function fixedNodes(nodes: readonly AdminNode[]): AdminNodes {
  return { list: () => Promise.resolve(nodes), unanswered: () => undefined };
}

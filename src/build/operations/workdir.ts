import { newId } from "../../lib/ids.ts";
import type { WorkdirOperation } from "../graph/operation.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Session } from "../solver/session.ts";
import { commitLayer, upperOf } from "./layer.ts";
import { refuseNul } from "./mounts/missing-source.ts";
import { baseParts, type Outcome, type Plan } from "./plan.ts";
import { ownerIn } from "./user.ts";

/** WORKDIR: the folder, where it is not there, owned by the user of that moment. */
export function planWorkdir(
  session: Session,
  { sourceDateEpoch }: Vertex,
  { path, user }: WorkdirOperation,
  base: Outcome,
): Plan {
  const { deps } = session;
  refuseNul(path);
  const parts = {
    ...baseParts(base),
    path,
    user,
    ...(sourceDateEpoch === undefined ? {} : { epoch: String(sourceDateEpoch) }),
  };
  return {
    kind: "workdir",
    parts,
    family: `workdir ${path}`,
    files: [],
    run: async () => {
      const key = `build-${newId().slice(0, 24)}`;
      const view = base.layers.length === 0 ? undefined : await session.view(base.layers);
      await deps.snapshots.prepare(key, base.layers);
      try {
        // the classic builder's are the superuser's
        const owner = ownerIn(view, session.request.classic ? "" : user);
        await deps.workers.call("makeFolder", {
          upper: upperOf(deps, key),
          ...(view === undefined ? {} : { view }),
          path,
          uid: owner.uid,
          gid: owner.gid,
          ...(sourceDateEpoch === undefined ? {} : { latest: sourceDateEpoch }),
        });
      } catch (error) {
        await deps.snapshots.remove(key);
        throw error;
      }
      const { layer, created, bytes } = await commitLayer(session, key, sourceDateEpoch);
      return { layer, created, usage: { cpuMs: 0, peakMemory: 0, bytesAdded: bytes } };
    },
  };
}

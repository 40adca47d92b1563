import { messageOf } from "../../lib/errors.ts";
import { parsePlatform } from "../../lib/image/platform.ts";
import type { ImageConfig } from "../../types/oci.ts";
import type { RunOperation } from "../graph/operation.ts";
import type { Session } from "../solver/session.ts";
import { commitLayer } from "./layer.ts";
import type { Outcome } from "./plan.ts";

/**
 * Makes what a failed step has written an image, `failed-step:<build>`, whose containers begin where the step ended: its
 * variables, folder and user, and its shell. It is an image like any other: `rmi` dismisses it. Secrets, caches and other
 * mounts of the step are not in it. undefined where it could not be made: the step's own failure is what counts.
 */
export async function keepFailed(
  session: Session,
  key: string,
  operation: RunOperation,
  base: Outcome,
): Promise<string | undefined> {
  const { deps, ref } = session;
  try {
    const { layer, created } = await commitLayer(session, key, undefined);
    const config = configOf(operation, [...base.layers, layer], created);
    const reference = `failed-step:${ref.slice(0, 8)}`;
    deps.images.add(config, { reference });
    return reference;
  } catch (error) {
    deps.logger.warn("a failed step could not be kept", { build: ref, error: messageOf(error) });
    return undefined;
  }
}

function configOf(
  { platform, args, env, cwd, user }: RunOperation,
  layers: string[],
  created: string,
): ImageConfig {
  const [shell = "/bin/sh", flag] = args;
  return {
    ...parsePlatform(platform),
    created,
    config: {
      User: user,
      Env: [...env],
      Cmd: [flag?.startsWith("-") ? shell : "/bin/sh"],
      WorkingDir: cwd,
    },
    history: [
      ...layers.slice(1).map(() => ({ created, created_by: "before the failed step" })),
      { created, created_by: `RUN ${args.join(" ")} # failed` },
    ],
    rootfs: { type: "layers", diff_ids: layers },
  };
}

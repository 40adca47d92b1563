import { EngineError } from "../../lib/errors.ts";
import type { HostConfig } from "../../types/api.ts";

/** What is done with a container that has become unhealthy: an annotation, so that any client can say it. */
export const onFailureKey = "berth.health.on-failure";

const failureActions = ["none", "restart", "stop", "kill"] as const;
type FailureAction = (typeof failureActions)[number];

/** Throws `invalid` for a word that is no action. */
export function failureAction({ Annotations }: Pick<HostConfig, "Annotations">): FailureAction {
  const asked = Annotations?.[onFailureKey] ?? "none";
  const found = failureActions.find((action) => action === asked);
  if (found) return found;
  throw new EngineError(
    "invalid",
    `invalid ${onFailureKey} ${JSON.stringify(asked)}: must be one of ${failureActions.join(", ")}`,
  );
}

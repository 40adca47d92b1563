import { EngineError, isKind, messageOf } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import { start } from "../start/start.ts";
import { type StopOptions, stop } from "./stop.ts";

/** `POST /containers/{id}/restart`: stop where it runs, then start. */
export async function restart(
  ctx: Context,
  container: Container,
  reference: string,
  options: StopOptions,
): Promise<void> {
  const done = Promise.withResolvers<void>();
  container.restartingByUser = true;
  container.restarted = done.promise;
  try {
    if (container.running) await stop(ctx, container, reference, { ...options, sender: "restart" });
    await start(ctx, container);
  } catch (error) {
    if (isKind(error, "notModified")) return;
    // of whatever kind it was: Docker's restart has forgotten it
    const sentence = `Cannot restart container ${reference}: ${messageOf(error)}`;
    throw new EngineError("internal", sentence, { cause: error });
  } finally {
    container.restartingByUser = false;
    done.resolve();
  }
  tell(ctx, container, "restart");
}

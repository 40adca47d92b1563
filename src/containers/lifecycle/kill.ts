import { signals } from "../../lib/container/signals.ts";
import { EngineError, wrap } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { gaveUpRestart, numberOf, sendSignal, startSettled } from "./stop.ts";

/** `POST /containers/{id}/kill`: SIGKILL waits for the end, any other signal is only sent. */
export async function kill(
  ctx: Context,
  container: Container,
  reference: string,
  name: string,
): Promise<void> {
  try {
    const signal = numberOf(name || "SIGKILL");
    await startSettled(container);
    const stopSignal = container.spec.config.StopSignal;
    const meansStop = signal === signals.kill || !stopSignal || numberOf(stopSignal) === signal;
    // between two runs there is nothing to signal, only the next run to call off
    if (container.life.status === "restarting" && (!meansStop || (await gaveUpRestart(ctx, container))))
      return;
    if (!container.alive) throw new EngineError("conflict", `container ${container.id} is not running`);
    const ended = container.ended;
    await sendSignal(ctx, container, signal, { sender: "kill", byUser: meansStop });
    if (signal === signals.kill) await ended;
  } catch (error) {
    throw wrap(`cannot kill container: ${reference}`, error);
  }
}

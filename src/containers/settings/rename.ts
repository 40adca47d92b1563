import { isObjectName } from "../../lib/container/names.ts";
import { EngineError, wrap } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import { type Context, tell } from "../context.ts";
import { knownNetworks } from "../networks/endpoints.ts";

/** `POST /containers/{id}/rename` */
export async function rename(
  ctx: Context,
  find: () => Container,
  reference: string,
  given: string,
): Promise<void> {
  if (reference === "" || given === "")
    throw new EngineError("invalid", "Neither old nor new names may be empty");
  const container = find();
  await container.lock.run(async () => {
    const name = given.replace(/^\//, "");
    if (name === container.name)
      throw new EngineError("invalid", "Renaming a container with the same name as its current name");
    const old = container.name;
    try {
      if (!isObjectName(name))
        throw new EngineError(
          "invalid",
          `Invalid container name (/${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
        );
      ctx.store.rename(container, name);
    } catch (error) {
      throw wrap("Error when allocating new name", error);
    }
    followName(ctx, container);
    tell(ctx, container, "rename", { oldName: `/${old}` });
  });
}

/** What it is called on its networks follows. */
function followName(ctx: Context, container: Container): void {
  const state = ctx.networks.rename(container.id, container.name);
  if (!state || !container.life.sandbox) return;
  container.life = { ...container.life, sandbox: state, networks: knownNetworks(state) };
  ctx.store.saveLife(container);
}

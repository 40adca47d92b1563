import { EngineError } from "../../lib/errors.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { linkVariables } from "./environment.ts";
import { targetName } from "./link.ts";

/** Whom a container links to must run, on the default bridge. Docker answers these with status 500. */
export function checkLinked(ctx: Context, container: Container): void {
  for (const link of container.spec.links ?? []) {
    const target = ctx.store.get(link.containerId);
    const name = targetName(ctx, link);
    if (!target?.alive)
      throw new EngineError(
        "internal",
        `Cannot link to a non running container: /${name} AS /${container.name}/${link.alias}`,
      );
    if (bridgeAddress(target) === undefined)
      throw new EngineError("internal", `container ${target.id} not attached to default bridge network`);
  }
}

function bridgeAddress({ life }: Container): string | undefined {
  return life.sandbox?.endpoints["bridge"]?.IPAddress || undefined;
}

/** Variables of all links whose targets run now. */
export function linkedEnvironment(ctx: Context, container: Container): string[] {
  return (container.spec.links ?? []).flatMap(({ containerId, alias }) => {
    const target = ctx.store.get(containerId);
    const address = target?.alive ? bridgeAddress(target) : undefined;
    if (!target || address === undefined) return [];
    return linkVariables({ holder: container.name, alias, address, config: target.spec.config });
  });
}

/** Lines of `/etc/hosts`: alias, host name and name of every linked container that runs. */
export function linkedHosts(ctx: Context, container: Container): string[] {
  if (!("bridge" in container.spec.networks)) return [];
  return (container.spec.links ?? []).flatMap(({ containerId, alias }) => {
    const target = ctx.store.get(containerId);
    const address = target?.alive ? bridgeAddress(target) : undefined;
    if (!target || address === undefined) return [];
    const names = [alias, target.spec.config.Hostname, ...(target.name === alias ? [] : [target.name])];
    return [`${address}\t${names.join(" ")}\n`];
  });
}

import { EngineError } from "../../lib/errors.ts";
import type { HostConfig } from "../../types/api.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import type { ContainerLink } from "../contract.ts";
import { joinedContainer } from "../start/join-mode.ts";

const invalid = (sentence: string): EngineError => new EngineError("invalid", sentence);

/** `name`, `name:alias`, or as `inspect` tells it, `/name:/holder/alias`. */
export function parseLink(text: string): { name: string; alias: string } {
  if (text === "") throw invalid("empty string specified for links");
  const [name = "", alias, more] = text.split(":");
  if (more !== undefined) throw invalid(`bad format for links: ${text}`);
  if (alias === undefined) return { name, alias: name };
  if (name.startsWith("/")) return { name: name.slice(1), alias: alias.slice(alias.lastIndexOf("/") + 1) };
  return { name, alias };
}

/** The links a new container asks for, each to a container that exists; of one alias given twice the first counts. */
export function resolveLinks(ctx: Context, host: HostConfig): ContainerLink[] {
  const byAlias = new Map<string, ContainerLink>();
  // on a user's network links are aliases that its name resolution knows
  if (host.NetworkMode !== "bridge" && host.NetworkMode !== "none") return [];
  for (const text of host.Links ?? []) {
    const { name, alias } = parseLink(text);
    const target = followed(ctx, named(ctx, name));
    if (target.spec.hostConfig.NetworkMode === "host")
      throw invalid(
        "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
      );
    if (!byAlias.has(alias)) byAlias.set(alias, { containerId: target.id, name: target.name, alias });
  }
  return [...byAlias.values()];
}

function named(ctx: Context, name: string): Container {
  if (name === "") throw invalid('could not get container for : invalid name or ID supplied: ""');
  const found = ctx.store.lookUp(name);
  if (!found) throw invalid(`could not get container for ${name}: No such container: ${name}`);
  return found;
}

/** Whose network a container shares is who is linked to. */
function followed(ctx: Context, container: Container): Container {
  const joined = joinedContainer(container.spec.hostConfig.NetworkMode);
  return joined === undefined ? container : followed(ctx, named(ctx, joined));
}

/** A link's target by the name it has now; one that is gone keeps the name it had. */
export const targetName = (ctx: Context, link: ContainerLink): string =>
  ctx.store.get(link.containerId)?.name ?? link.name;

/** `HostConfig.Links` as `inspect` tells it; null where there is none. */
export function toldLinks(ctx: Context, container: Container): string[] | null {
  const links = container.spec.links ?? [];
  if (links.length === 0) return null;
  return links.map((link) => `/${targetName(ctx, link)}:/${container.name}/${link.alias}`).sort();
}

/** A container's own name and those that links give it, sorted as Docker has them. */
export function namesByLinks(ctx: Context): (container: Container) => string[] {
  const byTarget = new Map<string, string[]>();
  for (const holder of ctx.store.all())
    for (const { containerId, alias } of holder.spec.links ?? []) {
      const names = byTarget.get(containerId) ?? [];
      names.push(`/${holder.name}/${alias}`);
      byTarget.set(containerId, names);
    }
  return ({ id, name }) => {
    const linked = byTarget.get(id);
    return linked ? [`/${name}`, ...linked].sort() : [`/${name}`];
  };
}

/** `rm --link holder/alias`: the name goes, the containers stay. */
export async function removeLink(ctx: Context, reference: string): Promise<void> {
  const path = reference.replace(/^\//, "");
  const at = path.indexOf("/");
  if (at < 0)
    throw new EngineError("internal", "Conflict, cannot remove the default link name of the container");
  const [holderName, alias] = [path.slice(0, at), path.slice(at + 1)];
  const holder = ctx.store.lookUp(holderName);
  if (!holder) throw new EngineError("internal", `Cannot get parent /${holderName} for link /${path}`);
  await holder.lock.run(async () => {
    holder.spec = {
      ...holder.spec,
      links: (holder.spec.links ?? []).filter((link) => link.alias !== alias),
    };
    ctx.store.saveSpec(holder);
  });
}

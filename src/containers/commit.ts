import { applyChanges } from "../lib/dockerfile/changes.ts";
import { oneByOne } from "../lib/net/port-runs.ts";
import { formatNs, nowNs } from "../lib/time/time.ts";
import { Leases } from "../state/leases.ts";
import type { ContainerConfig } from "../types/api.ts";
import type { ImageConfig, ImageRunConfig } from "../types/oci.ts";
import type { Container } from "./container.ts";
import { type Context, tell } from "./context.ts";
import type { CommitRequest } from "./contract.ts";
import { readConfig } from "./create/body.ts";
import { mergeImageConfig } from "./create/merge.ts";
import { whileStill } from "./lifecycle/pause.ts";

/** `POST /commit`: a container's files and configuration become an image. */
export async function commit(ctx: Context, container: Container, request: CommitRequest): Promise<string> {
  const run = runConfigFor(container, request);
  const lease = new Leases(ctx.state).open();
  const write = async (): Promise<string> => {
    const { diffId } = await ctx.snapshots.commit(container.id);
    lease.hold("layer", diffId);
    const { id } = ctx.images.add(configOf(container, request, run, diffId), {
      ...(container.imageId === "" ? {} : { parent: container.imageId }),
      ...(request.reference === undefined ? {} : { reference: request.reference }),
    });
    tell(ctx, container, "commit", {
      comment: request.message,
      imageID: id,
      imageRef: request.reference ?? "",
    });
    return id;
  };
  try {
    return await container.lock.run(() => (request.pause ? whileStill(ctx, container, write) : write()));
  } finally {
    lease.end();
  }
}

/** The image's configuration; without one of the request's own, the changes are made to the container's. */
function runConfigFor(container: Container, { config, changes }: CommitRequest): ImageRunConfig {
  const base = runConfigOf(container.spec.config);
  if (!config) return applyChanges(losesCommand(changes) ? { ...base, Cmd: null } : base, changes);
  const own = readConfig(config);
  const changed = readConfig({ ...own, ...applyChanges(runConfigOf(own), changes) });
  return runConfigOf(mergeImageConfig(changed, base));
}

/** A new entrypoint takes the old command away, unless a new one was given before it. */
function losesCommand(changes: readonly string[]): boolean {
  const at = (word: RegExp): number => changes.findIndex((change) => word.test(change));
  const entrypoint = at(/^\s*entrypoint\s/i);
  const command = at(/^\s*cmd\s/i);
  return entrypoint >= 0 && (command < 0 || command > entrypoint);
}

/** What of a container's configuration an image has. */
function runConfigOf(config: ContainerConfig): ImageRunConfig {
  return {
    User: config.User,
    ...(config.ExposedPorts ? { ExposedPorts: oneByOne(config.ExposedPorts) } : {}),
    Env: config.Env,
    Cmd: config.Cmd,
    ...(config.Healthcheck ? { Healthcheck: config.Healthcheck } : {}),
    Volumes: config.Volumes,
    WorkingDir: config.WorkingDir,
    Entrypoint: config.Entrypoint,
    Labels: config.Labels,
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...(config.Shell ? { Shell: config.Shell } : {}),
  };
}

function configOf(
  container: Container,
  request: CommitRequest,
  run: ImageRunConfig,
  layer: string,
): ImageConfig {
  const { imageConfig, layers, config } = container.spec;
  const created = formatNs(nowNs());
  const step = {
    created,
    created_by: (config.Cmd ?? []).join(" "),
    ...(request.author ? { author: request.author } : {}),
    ...(request.message ? { comment: request.message } : {}),
  };
  return {
    created,
    ...(request.author ? { author: request.author } : {}),
    ...(request.message ? { comment: request.message } : {}),
    architecture: imageConfig.architecture || (process.arch === "arm64" ? "arm64" : "amd64"),
    os: imageConfig.os || "linux",
    ...(imageConfig.variant ? { variant: imageConfig.variant } : {}),
    config: run,
    rootfs: { type: "layers", diff_ids: [...layers, layer] },
    history: [...(imageConfig.history ?? []), step],
  };
}

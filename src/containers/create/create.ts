import { isObjectName, randomName } from "../../lib/container/names.ts";
import { EngineError, isKind } from "../../lib/errors.ts";
import { newId } from "../../lib/ids.ts";
import { nowNs } from "../../lib/time/time.ts";
import { Undo } from "../../lib/undo.ts";
import { validateLogOptions } from "../../runtime/log-drivers/options.ts";
import { reach } from "../../system/mount/reach.ts";
import type { ContainerCreateResponse, HostConfig } from "../../types/api.ts";
import type { ImageConfig } from "../../types/oci.ts";
import { Container, newLife } from "../container.ts";
import type { Context } from "../context.ts";
import { tell } from "../context.ts";
import type { ContainerSpec, CreateRequest } from "../contract.ts";
import { resolveLinks } from "../links/link.ts";
import { portRequests } from "../networks/request.ts";
import { refuseRemapped } from "../remap.ts";
import { prepareViews, removeViews } from "../start/mounts/image-views.ts";
import { type CreateBody, readBody } from "./body.ts";
import { refuseMountsOfDataRoot } from "./data-root.ts";
import { fillVolumes } from "./fill-volumes.ts";
import { planMounts } from "./mounts.ts";
import { type Normalised, normalise } from "./normalise.ts";
import type { PlannedMount } from "./planned.ts";
import { checkPlatform } from "./platform.ts";
import { discardUnsupported } from "./resources.ts";
import { validate, validateLate } from "./validate.ts";

/** `--mount` asks for what is there: by its checks the engine may stand still no more than by a start. */
const boundSources = ({ Mounts }: Pick<HostConfig, "Mounts">): string[] =>
  (Mounts ?? []).flatMap(({ Type, Source = "" }) =>
    Type === "bind" && Source.startsWith("/") ? [Source] : [],
  );

const noImage: ImageConfig = { architecture: "", os: "linux", rootfs: { type: "layers", diff_ids: [] } };
const nameTriesMax = 1000;

/** `POST /containers/create`: a complete spec, its volumes and its writable layer, adopted by one row. */
export async function create(ctx: Context, request: CreateRequest): Promise<ContainerCreateResponse> {
  const id = newId();
  const body = readBody(request.body);
  const warnings = validate(body.config, body.hostConfig, {
    facts: ctx.facts,
    runtimes: knownRuntimes(ctx.config),
  });
  refuseRemapped(ctx, body.hostConfig);
  await reach(boundSources(body.hostConfig));
  const image = body.config.Image === "" ? undefined : ctx.images.resolve(body.config.Image);
  if (image) ctx.images.touch(image.id);
  checkPlatform(body.config.Image, image, request.platform);
  const { Type, Config: logOptions } = body.hostConfig.LogConfig;
  validateLogOptions(Type || ctx.config.logDriver, logOptions);
  const name = checkName(request.name ?? "");
  validateLate(body.hostConfig);
  const imageConfig = image?.config ?? noImage;
  ctx.runtime.expectProcess(); // most are started at once
  const complete = completed(ctx, id, body, imageConfig);
  const undo = new Undo();
  try {
    const taken = takeName(ctx, name, id);
    undo.add("name", () => ctx.store.release(taken, id));
    checkNetworks(ctx, id, taken, complete);
    const planned = plannedMounts(ctx, complete);
    if (planned.some(({ mount }) => mount.image)) warnings.push("Image mount is an experimental feature");
    const links = resolveLinks(ctx, complete.hostConfig);
    const container = new Container({
      id,
      name: taken,
      imageId: image?.id ?? "",
      spec: {
        imageName: body.config.Image,
        ...complete,
        mounts: planned.map(({ mount }) => mount),
        ...(links.length > 0 ? { links } : {}),
        platform: imageConfig.os || "linux",
        layers: image?.layers ?? [],
        imageConfig,
      },
      life: newLife(),
      createdAtNs: nowNs(),
    });
    if (planned.some(({ mount }) => mount.anonymous)) {
      ctx.store.announce(container);
      undo.add("row", () => ctx.store.retract(id));
    }
    await makeVolumes(ctx, planned, undo);
    await refuseMountsOfDataRoot(ctx, complete.hostConfig, planned);
    undo.add("views of images", () => removeViews(ctx, container));
    await prepareViews(ctx, container);
    await ctx.snapshots.prepare(id, container.spec.layers);
    undo.add("snapshot", () => ctx.snapshots.remove(id));
    await fillVolumes(ctx, container);
    ctx.store.insert(container);
    undo.drop();
    tell(ctx, container, "create");
    return { Id: id, Warnings: warnings };
  } catch (error) {
    await undo.run((sentence) => ctx.logger.warn(sentence, { container: id }));
    throw error;
  }
}

const knownRuntimes = ({ defaultRuntime, runtimes }: Context["config"]): ReadonlySet<string> =>
  new Set([defaultRuntime, "runc", "io.containerd.runc.v2", ...Object.keys(runtimes)]);

const completed = (ctx: Context, id: string, body: CreateBody, imageConfig: ImageConfig): Normalised =>
  normalise({
    id,
    body: { ...body, hostConfig: discardUnsupported(body.hostConfig, ctx.facts) },
    imageConfig,
    engine: ctx.config,
    cgroupVersion: ctx.facts.cgroupVersion,
    containerId: (idOrName) => ctx.store.lookUp(idOrName)?.id,
    networkName: (nameOrId) => ctx.networks.lookUp(nameOrId)?.Name,
  });

const plannedMounts = (ctx: Context, { config, hostConfig }: Normalised): PlannedMount[] =>
  planMounts({
    config,
    hostConfig,
    donor: (idOrName) => volumesDonor(ctx, idOrName),
    image: (reference) => ctx.images.resolve(reference),
    dataRoot: ctx.config.dataRoot,
  });

function checkName(given: string): string {
  const name = given.replace(/^\//, "");
  if (given !== "" && !isObjectName(name))
    throw new EngineError(
      "invalid",
      `Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  return name;
}

function takeName(ctx: Context, name: string, id: string): string {
  if (name !== "") {
    ctx.store.reserve(name, id);
    return name;
  }
  for (let attempt = 0; attempt < nameTriesMax; attempt++) {
    const candidate = randomName(attempt);
    if (ctx.store.nameTaken(candidate) !== undefined) continue;
    ctx.store.reserve(candidate, id);
    return candidate;
  }
  throw new EngineError("internal", "no free container name was found; give one with --name");
}

function volumesDonor(ctx: Context, idOrName: string) {
  const donor = ctx.store.lookUp(idOrName);
  // Docker answers 400 here, not 404: the request is at fault, not its target
  if (!donor) throw new EngineError("invalid", `No such container: ${idOrName}`);
  return donor.spec;
}

/** A network that is not there is told at start, as Docker does; what can never work is told now. */
function checkNetworks(
  ctx: Context,
  id: string,
  name: string,
  complete: Pick<ContainerSpec, "networks" | "config" | "hostConfig">,
): void {
  if (Object.keys(complete.networks).length === 0) return;
  try {
    ctx.networks.check({
      containerId: id,
      containerName: name,
      hostname: complete.config.Hostname,
      networks: complete.networks,
      ports: portRequests(complete.config, complete.hostConfig),
    });
  } catch (error) {
    if (!isKind(error, "notFound")) throw error;
  }
}

/** Volumes must exist before the row that names them; one that was made for a create that fails goes again. */
export async function makeVolumes(ctx: Context, planned: readonly PlannedMount[], undo: Undo): Promise<void> {
  for (const { volume, mount } of planned) {
    if (volume?.Name === undefined) continue;
    const name = volume.Name;
    const fresh = !ctx.volumes.has(name);
    const { Mountpoint, Driver } = await ctx.volumes.create(volume);
    mount.point = { ...mount.point, Source: Mountpoint, Driver };
    if (fresh) undo.add(`volume ${name}`, () => ctx.volumes.remove(name, { force: true, users: [] }));
  }
}

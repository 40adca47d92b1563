import { posix } from "node:path";
import type { Range } from "../../lib/dockerfile/ast.ts";
import type { SourceRef } from "../dockerfile/stages/sources.ts";
import type { Stage } from "../dockerfile/stages/stage.ts";
import type { CopyItem, CopyStep, RunStep, Step, StepMount } from "../dockerfile/steps.ts";
import type {
  CopyOperation,
  CopySource,
  Operation,
  RunMount,
  RunOperation,
  TreeSource,
} from "./operation.ts";
import type { Vertex } from "./vertex.ts";

/** Finds what a name in COPY or a mount stands for. */
export interface Sources {
  /** `location` is the instruction's, for what cannot be had */
  tree(from: SourceRef, stage: Stage, location: Range | undefined): Promise<TreeSource>;
}

interface Surroundings {
  base: Vertex | undefined;
  platform: string;
  stage: Stage;
  sources: Sources;
}

/** A step of the language as an operation on results. */
export async function operationOf(step: Step, around: Surroundings): Promise<Operation> {
  if (step.kind === "workdir")
    return { kind: "workdir", base: around.base, path: step.path, user: step.user };
  return step.kind === "run" ? await runOf(step, around) : await copyOf(step, around);
}

async function runOf(step: RunStep, around: Surroundings): Promise<RunOperation> {
  const { inlineFile } = step;
  return {
    kind: "run",
    base: around.base,
    args: step.args,
    env: step.env,
    hiddenEnv: Object.entries(step.proxy).map(([name, value]) => `${name}=${value}`),
    cwd: step.cwd,
    user: step.user,
    network: step.network,
    insecure: step.security === "insecure",
    mounts: [
      ...step.volumes.map((target) => volumeOf(target, around)),
      ...(await Promise.all(step.mounts.map((mount) => mountOf(mount, around)))),
    ],
    files: inlineFile === undefined ? [] : [{ ...inlineFile, mode: 0o755 }],
    platform: around.platform,
  };
}

const volumeOf = (target: string, { base }: Surroundings): RunMount => ({
  type: "volume",
  target: posix.join("/", target),
  from: { kind: "vertex", vertex: base },
});

async function mountOf(mount: StepMount, { sources, stage }: Surroundings): Promise<RunMount> {
  const { type, source, id, sharing, readOnly, required } = mount;
  const target = mount.target ?? "";
  const owner = { uid: mount.uid ?? 0, gid: mount.gid ?? 0 };
  switch (type) {
    case "bind":
      return {
        type,
        target,
        source,
        from: await sources.tree(mount.from, stage, undefined),
        writable: !readOnly,
      };
    case "cache": {
      const from =
        mount.from.kind === "scratch" ? undefined : await sources.tree(mount.from, stage, undefined);
      return { type, target, id, sharing, readOnly, from, source, mode: mount.mode ?? 0o755, ...owner };
    }
    case "tmpfs":
      return { type, target, size: mount.sizeLimit };
    case "secret":
      return {
        type,
        id,
        target: mount.target,
        env: mount.env,
        required,
        mode: mount.mode ?? 0o400,
        ...owner,
      };
    case "ssh":
      return { type, id, target, required, mode: mount.mode ?? 0o600, ...owner };
  }
}

async function copyOf(step: CopyStep, around: Surroundings): Promise<CopyOperation> {
  const { chmod } = step;
  return {
    kind: "copy",
    base: step.link ? undefined : around.base,
    sources: await Promise.all(step.items.map((item) => sourceOf(item, around, step.location))),
    destination: step.destination,
    chown: step.chown,
    chmod: chmod === undefined ? "" : "mode" in chmod ? chmod.mode.toString(8) : chmod.symbolic,
    link: step.link,
    exclude: step.exclude,
  };
}

async function sourceOf(
  item: CopyItem,
  { sources, stage }: Surroundings,
  location: Range,
): Promise<CopySource> {
  switch (item.kind) {
    case "path": {
      const { include, path, unpack } = item;
      const tree = await sources.tree(item.from, stage, location);
      if (include === undefined) return { kind: "tree", tree, pattern: path, parents: false, unpack };
      return {
        kind: "tree",
        tree,
        pattern: `${path.replace(/\/+$/, "")}/./${include}`,
        parents: true,
        unpack,
      };
    }
    case "inline":
      return { kind: "inline", name: item.name, content: item.content };
    case "url": {
      const { url, filename, checksum, unpack } = item;
      return { kind: "url", url, filename, checksum, unpack };
    }
    case "git":
      return { kind: "git", git: item.git };
  }
}

import { EngineError } from "../../lib/errors.ts";
import type { DeviceRequest, HostConfig } from "../../types/api.ts";
import { type CdiEdits, type CdiSpec, readSpecs } from "./spec-files.ts";

/** What the devices that a container asks for by name (`--device vendor/class=name`, `--gpus`) add to it. */
export async function cdiEdits(
  host: HostConfig,
  folders: readonly string[],
  report: (text: string) => void,
): Promise<CdiEdits[]> {
  const requests = host.DeviceRequests ?? [];
  if (requests.length === 0) return [];
  const specs = await readSpecs(folders, report);
  return editsOf(
    specs,
    requests.flatMap((request) =>
      request.Driver === "cdi" ? (request.DeviceIDs ?? []) : gpus(request, specs),
    ),
  );
}

/**
 * The edits of devices by full name, each vendor's common ones once. Of two descriptions the one in the later folder
 * counts; two in one folder contradict each other, and the device is none.
 */
export function editsOf(specs: readonly CdiSpec[], names: readonly string[]): CdiEdits[] {
  const missing: string[] = [];
  const common = new Set<CdiSpec>();
  const found = names.flatMap((name) => {
    const one = find(specs, name);
    if (!one) {
      missing.push(name);
      return [];
    }
    common.add(one.spec);
    return [one.edits];
  });
  if (missing.length > 0)
    throw new EngineError(
      "internal",
      `CDI device injection failed: unresolvable CDI devices ${missing.join(", ")}`,
    );
  return [...found, ...[...common].map((spec) => spec.containerEdits)];
}

function find(specs: readonly CdiSpec[], name: string): { spec: CdiSpec; edits: CdiEdits } | undefined {
  const at = name.indexOf("=");
  const [kind, device] = [name.slice(0, at), name.slice(at + 1)];
  const all = specs.flatMap((spec) =>
    spec.kind === kind
      ? spec.devices
          .filter((one) => one.name === device)
          .map(({ containerEdits }) => ({ spec, edits: containerEdits }))
      : [],
  );
  const highest = Math.max(...all.map(({ spec }) => spec.priority));
  const best = all.filter(({ spec }) => spec.priority === highest);
  return best.length === 1 ? best[0] : undefined;
}

/** `--gpus` by a description of GPUs, where a vendor has given one; else Docker's words. */
function gpus(request: DeviceRequest, specs: readonly CdiSpec[]): string[] {
  const wanted = request.Capabilities ?? [];
  const vendor = ["", "nvidia"].includes(request.Driver) ? undefined : request.Driver;
  const isGpu = wanted.some((set) => set.includes("gpu"));
  const spec = specs.find(({ kind }) => kind.endsWith("/gpu") && (!vendor || kind.startsWith(vendor)));
  if (!isGpu || !spec) {
    const told = wanted.map((list) => `[${list.join(" ")}]`).join(" ");
    throw new EngineError(
      "internal",
      `could not select device driver "${request.Driver}" with capabilities: [${told}]`,
    );
  }
  const full = (name: string): string => `${spec.kind}=${name}`;
  const own = specs
    .filter(({ kind }) => kind === spec.kind)
    .flatMap(({ devices }) => devices.map(({ name }) => name));
  if (request.DeviceIDs?.length) return request.DeviceIDs.map(full);
  if (request.Count < 0) return own.includes("all") ? [full("all")] : [...new Set(own)].map(full);
  const single = [...new Set(own)].filter((name) => name !== "all" && !/^GPU-|^MIG-/.test(name));
  if (single.length < request.Count)
    throw new EngineError(
      "internal",
      `could not select ${request.Count} devices of ${spec.kind}: there are ${single.length}`,
    );
  return single.slice(0, request.Count).map(full);
}

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { mountFlags, parseMountOptions } from "../../lib/container/mount-options.ts";
import { EngineError, messageOf } from "../../lib/errors.ts";
import { errnoText } from "../../lib/text/errno-text.ts";
import { mountCall } from "../../system/mount/mount-call.ts";
import { reach } from "../../system/mount/reach.ts";
import type { LocalOptions } from "./options.ts";
import type { MountWorker } from "./worker.ts";

type DeviceMount = NonNullable<LocalOptions["mount"]>;

/** These answer at once, whatever the network does, where the file system that a bind is of does. */
export const immediate: ReadonlySet<string> = new Set(["none", "bind", "tmpfs"]);

/**
 * Mounts what a volume's options `type`, `device` and `o` say at `target`, by mount(2) as Docker does: no helper of
 * mount(8) is called, so `nfs` and `cifs` need `addr=`, whose host name is looked up here. Throws Docker's sentence.
 */
export async function mountDevice(mount: DeviceMount, target: string, worker: MountWorker): Promise<void> {
  if (mount.device === "") throw new EngineError("internal", "missing device in volume options");
  const { type, device, o } = await withAddress(mount);
  const { flags, data, propagation } = parseMountOptions(o);
  const call = async (step: { source: string; type: string; flags: number; data: string }): Promise<void> => {
    try {
      if (immediate.has(type)) mountCall({ ...step, target });
      else await worker.call("mount", { ...step, target });
    } catch (error) {
      throw told(step, target, error);
    }
  };
  if (immediate.has(type) && (flags & mountFlags.bind) !== 0) await reach([device]);
  await call({ source: device, type, flags, data });
  if (propagation !== 0) await call({ source: "", type: "", flags: propagation, data: "" });
  const readOnlyBind = mountFlags.bind | mountFlags.readOnly;
  // a bind takes its flags in a second call only
  if ((flags & readOnlyBind) === readOnlyBind)
    await call({ source: "", type: "", flags: flags | mountFlags.remount, data });
}

function told(
  { source, flags, data }: { source: string; flags: number; data: string },
  target: string,
  error: unknown,
): EngineError {
  const code = (error as { code?: unknown }).code;
  const why = (typeof code === "string" ? errnoText(code) : undefined) ?? messageOf(error);
  const what = [
    `mount ${source === "" ? "" : `${source}:`}${target}`,
    ...(flags === 0 ? [] : [`flags: 0x${flags.toString(16)}`]),
    ...(data === "" ? [] : [`data: ${data.replaceAll(/\bpassword=[^,]*/g, "password=********")}`]),
  ].join(", ");
  return new EngineError("internal", `failed to mount local volume: ${what}: ${why}`, { cause: error });
}

/** The kernel takes addresses only. */
async function withAddress(mount: DeviceMount): Promise<DeviceMount> {
  if (mount.type !== "nfs" && mount.type !== "nfs4" && mount.type !== "cifs") return mount;
  const named = /(?:^|,)addr=([^,]+)/.exec(mount.o)?.[1];
  if (named !== undefined) {
    if (isIP(named) === 4) return mount;
    const address = await addressOf(named);
    return { ...mount, o: mount.o.replace(`addr=${named}`, `addr=${address}`) };
  }
  const host = mount.type === "cifs" ? /^\/\/([^/]+)/.exec(mount.device)?.[1] : undefined;
  if (host === undefined || isIP(host) !== 0) return mount;
  return { ...mount, device: mount.device.replace(host, await addressOf(host)) };
}

async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? messageOf(error));
    const why = code === "ENOTFOUND" ? `lookup ${host}: no such host` : messageOf(error);
    throw new EngineError("internal", `error resolving passed in network volume address: ${why}`, {
      cause: error,
    });
  }
}

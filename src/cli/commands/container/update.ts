import { at } from "../../../client/containers.ts";
import type { MountRequest } from "../../../types/api.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { CliError } from "../../errors.ts";
import { list, string } from "../../flags/flag.ts";
import { many, updatableLimits } from "../../run/flags.ts";
import { parseMount } from "../../run/mounts.ts";
import { parsePublish, toPortMap } from "../../run/ports.ts";
import { environmentVariable, restartPolicy } from "../../run/values.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  description:
    "Change the limits of containers, and what they publish, mount and have in their environment. Limits and ports change at once; for mounts and environment a running container is restarted, on the same files.",
  arity: atLeast(1),
  flags: {
    ...updatableLimits,
    restart: string("restart", "When to start it again after it ended"),
    publishAdd: list("publish-add", "Publish more ports ([IP:][HOST:]CONTAINER[/PROTOCOL])"),
    publishRm: list("publish-rm", "No longer publish ports (CONTAINER[/PROTOCOL])"),
    envAdd: list("env-add", "Set environment variables", environmentVariable),
    envRm: list("env-rm", "Remove environment variables"),
    mountAdd: many<MountRequest>("mount-add", "mount", "Attach more file systems", parseMount),
    mountRm: list("mount-rm", "Detach what is mounted at a path"),
  },
  async run({ session, args, flags, changed }) {
    const given = Object.keys(flags).some((key) => changed(key as keyof typeof flags));
    if (!given) throw new CliError("you must provide one or more flags when using this command");
    const body = {
      BlkioWeight: flags.blkioWeight,
      CpuShares: flags.cpuShares,
      Memory: flags.memory,
      NanoCpus: flags.cpus,
      CpuPeriod: flags.cpuPeriod,
      CpuQuota: flags.cpuQuota,
      CpuRealtimePeriod: flags.cpuRtPeriod,
      CpuRealtimeRuntime: flags.cpuRtRuntime,
      CpusetCpus: flags.cpusetCpus,
      CpusetMems: flags.cpusetMems,
      MemoryReservation: flags.memoryReservation,
      MemorySwap: flags.memorySwap,
      ...(changed("pidsLimit") ? { PidsLimit: flags.pidsLimit } : {}),
      RestartPolicy: flags.restart ? restartPolicy(flags.restart) : { Name: "", MaximumRetryCount: 0 },
    };
    const change = changeOf(flags);
    const limits = Object.keys(flags).some(
      (key) => changed(key as keyof typeof flags) && !changeFlags.has(key),
    );
    const warnings: string[] = [];
    try {
      return await each(session, args, async (id) => {
        if (change) await session.client.json("POST", at(id, "/reconfigure"), { json: change });
        if (!limits) return;
        const answer = await session.client.json<{ Warnings: string[] | null }>("POST", at(id, "/update"), {
          json: body,
        });
        warnings.push(...(answer.Warnings ?? []));
      });
    } finally {
      for (const warning of warnings) session.out(warning);
    }
  },
});

const changeFlags: ReadonlySet<string> = new Set([
  "publishAdd",
  "publishRm",
  "envAdd",
  "envRm",
  "mountAdd",
  "mountRm",
]);

/** What is added and taken away beside limits; undefined = nothing. */
function changeOf(flags: {
  publishAdd: readonly string[];
  publishRm: readonly string[];
  envAdd: readonly string[];
  envRm: readonly string[];
  mountAdd: readonly MountRequest[];
  mountRm: readonly string[];
}): object | undefined {
  const { publishAdd, publishRm, envAdd, envRm, mountAdd, mountRm } = flags;
  if ([publishAdd, publishRm, envAdd, envRm, mountAdd, mountRm].every((list) => list.length === 0))
    return undefined;
  return {
    PortsRemove: publishRm,
    EnvAdd: envAdd.filter((one) => one.includes("=")),
    EnvRemove: envRm,
    MountsRemove: mountRm,
    HostConfig: {
      PortBindings: toPortMap(publishAdd.flatMap(parsePublish)),
      ...(mountAdd.length > 0 ? { Mounts: mountAdd } : {}),
    },
  };
}

import { at } from "../../../client/containers.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { each } from "../../each.ts";
import { CliError } from "../../errors.ts";
import { string } from "../../flags/flag.ts";
import { limitFlags } from "../../run/flags.ts";
import { restartPolicy } from "../../run/values.ts";

const {
  blkioWeight,
  cpuPeriod,
  cpuQuota,
  cpuRtPeriod,
  cpuRtRuntime,
  cpuShares,
  cpus,
  cpusetCpus,
  cpusetMems,
  memory,
  memoryReservation,
  memorySwap,
  pidsLimit,
} = limitFlags;

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  arity: atLeast(1),
  flags: {
    blkioWeight,
    cpuPeriod,
    cpuQuota,
    cpuRtPeriod,
    cpuRtRuntime,
    cpuShares,
    cpus,
    cpusetCpus,
    cpusetMems,
    memory,
    memoryReservation,
    memorySwap,
    pidsLimit,
    kernelMemory: limitFlags.kernelMemory,
    restart: string("restart", "When to start it again after it ended"),
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
    const warnings: string[] = [];
    try {
      return await each(session, args, async (id) => {
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

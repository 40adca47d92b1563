import type { NetworkFinding } from "../../../types/network-doctor.ts";
import { defineCommand, none } from "../../command.ts";
import { bool, string } from "../../flags/flag.ts";

const marks: Record<NetworkFinding["state"], string> = {
  well: "ok      ",
  broken: "BROKEN  ",
  mended: "mended  ",
  advice: "advice  ",
};

/** Ends with 1 while anything is broken. */
export const command = defineCommand({
  usage: "",
  arity: none,
  flags: {
    format: string("format", "Print as json"),
    repair: bool("repair", "Make right what is broken"),
  },
  async run({ session, flags }) {
    if (flags.format !== "" && flags.format !== "json")
      throw new Error(`unknown format ${flags.format}: it takes json`);
    const findings = await session.client.json<NetworkFinding[]>(
      flags.repair ? "POST" : "GET",
      "/berth/networks/doctor",
    );
    if (flags.format === "json") session.out(JSON.stringify(findings));
    else for (const finding of findings) session.write(told(finding));
    const faults = findings.filter(({ state }) => state === "broken").length;
    if (faults > 0 && !flags.repair) session.err("berth network doctor --repair makes these right");
    return faults > 0 ? 1 : 0;
  },
});

const told = ({ state, text, remedy }: NetworkFinding): string =>
  [
    `${marks[state]}${text}`,
    ...remedy
      .split("\n")
      .filter(Boolean)
      .map((line) => `            ${line}`),
    "",
  ].join("\n");

import { at, inspect } from "../../../client/containers.ts";
import { Demultiplexer } from "../../../client/multiplex.ts";
import { defineCommand, exactly } from "../../command.ts";
import { bool, string } from "../../flags/flag.ts";
import { moment } from "../../flags/moment.ts";
import { writeOut } from "../../stdio.ts";

export const command = defineCommand({
  usage: "CONTAINER",
  arity: exactly(1),
  flags: {
    clear: bool("clear", "Throw the log away instead of showing it"),
    details: bool("details", "Show what was attached to each line"),
    follow: bool("follow,f", "Go on as more is written"),
    since: string("since", "Show what was written since a time (2013-01-02T13:23:37Z) or a while ago (42m)"),
    tail: { ...string("tail,n", "Lines to show from the end", "all") },
    timestamps: bool("timestamps,t", "Show when each line was written"),
    until: string("until", "Show what was written before a time or a while ago"),
  },
  async run({ session, args, flags }) {
    const { client } = session;
    if (flags.clear) {
      await client.call("DELETE", at(args[0] ?? "", "/logs"));
      return 0;
    }
    const { Id, Config } = await inspect(client, args[0] ?? "");
    const response = await client.request("GET", at(Id, "/logs"), {
      query: {
        details: flags.details || undefined,
        follow: flags.follow || undefined,
        since: moment(flags.since, "since"),
        stderr: true,
        stdout: true,
        tail: flags.tail,
        timestamps: flags.timestamps || undefined,
        until: moment(flags.until, "until"),
      },
    });
    const frames = new Demultiplexer();
    for await (const chunk of response.body) {
      if (Config.Tty) await writeOut(1, chunk);
      else await writeFrames(frames, chunk);
    }
    return 0;
  },
});

/** Frames of one stream that follow each other leave in one write. */
async function writeFrames(frames: Demultiplexer, chunk: Uint8Array): Promise<void> {
  let pending: Uint8Array[] = [];
  let fd: 1 | 2 = 1;
  const flush = async (): Promise<void> => {
    if (pending.length > 0)
      await writeOut(fd, pending.length === 1 && pending[0] ? pending[0] : Buffer.concat(pending));
    pending = [];
  };
  for (const { stream, bytes } of frames.push(chunk)) {
    const to = stream === "stderr" ? 2 : 1;
    if (to !== fd) await flush();
    fd = to;
    pending.push(bytes);
  }
  await flush();
}

import { parseReference } from "../../../lib/image/reference.ts";
import { atLeast, defineCommand } from "../../command.ts";
import { platform } from "../../flags/common.ts";
import { list, string } from "../../flags/flag.ts";
import { fileBody } from "../../stream/archive-input.ts";
import { openInput } from "../../stream/input.ts";
import { showProgress } from "../../stream/progress.ts";

export const command = defineCommand({
  usage: "file|URL|- [REPOSITORY[:TAG]]",
  arity: atLeast(1),
  flags: {
    change: list("change,c", "Dockerfile instructions to apply"),
    message: string("message,m", "What the image is"),
    platform: platform("Platform of the image"),
  },
  async run({ session, args, flags }) {
    const [from = "", name = ""] = args;
    const isUrl = /^https?:\/\//.test(from);
    if (name) parseReference(name);
    const body = isUrl ? undefined : await source(from);
    const response = await session.client.request("POST", "/images/create", {
      query: {
        changes: flags.change.length > 0 ? [...flags.change] : undefined,
        fromSrc: isUrl ? from : "-",
        message: flags.message || undefined,
        platform: flags.platform || undefined,
        repo: name || undefined,
      },
      ...(body ? { body, contentType: "text/plain" } : {}),
    });
    await showProgress(response.body, 1);
    return 0;
  },
});

const source = (path: string): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>> =>
  path === "-" ? openInput() : fileBody(path);

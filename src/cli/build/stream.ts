import { Demultiplexer } from "../../lib/wire/multiplex.ts";
import { firstOutputChannel, type LocalBuildMessage } from "../../types/local-build.ts";

/** Characters of one message: a log's piece, or an answer. */
const lineMax = 16 << 20;

/** Takes the answer of `POST /berth/build` apart. */
export async function readBuild(
  body: AsyncIterable<Uint8Array>,
  onMessage: (message: LocalBuildMessage) => void,
  onOutput: (index: number, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  const outputs: { index: number; bytes: Uint8Array }[] = [];
  const take = (channel: number, payload: Uint8Array): void => {
    if (channel >= firstOutputChannel) {
      outputs.push({ index: channel - firstOutputChannel, bytes: payload });
      return;
    }
    text += decoder.decode(payload, { stream: true });
    if (text.length > lineMax) throw new Error("a message of the engine is too long");
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onMessage(JSON.parse(line) as LocalBuildMessage);
  };
  const demultiplexer = new Demultiplexer(take);
  for await (const chunk of body) {
    demultiplexer.push(chunk);
    for (const { index, bytes } of outputs.splice(0)) await onOutput(index, bytes);
  }
}

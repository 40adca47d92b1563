import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Undo } from "../../../lib/undo.ts";
import { relayTo } from "./agent-relay.ts";

test("a relay has its own mode, carries both ways, and goes with the step", async () => {
  const folder = mkdtempSync(join(tmpdir(), "berth-relay-"));
  const agentPath = join(folder, "agent");
  const agent = createServer((socket) => socket.on("data", (data) => socket.write(`${String(data)}!`)));
  await new Promise<void>((resolve) => agent.listen(agentPath, () => resolve()));
  chmodSync(agentPath, 0o600);
  const undo = new Undo();
  try {
    const path = await relayTo(agentPath, folder, undo);
    chmodSync(path, 0o777);
    expect(statSync(agentPath).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
    const client = connect(path);
    client.write("hello");
    const answer = await new Promise<string>((resolve) =>
      client.once("data", (data) => resolve(String(data))),
    );
    expect(answer).toBe("hello!");
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    await undo.run(() => undefined);
    await closed;
    expect(() => statSync(path)).toThrow();
  } finally {
    agent.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

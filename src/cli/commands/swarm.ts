import { any, defineCommand } from "../command.ts";

/** What the engine answers to each family of commands that needs a swarm. */
const asks: Record<string, [method: string, path: string]> = {
  config: ["GET", "/configs"],
  node: ["GET", "/nodes"],
  secret: ["GET", "/secrets"],
  service: ["GET", "/services"],
  stack: ["GET", "/services"],
  swarm: ["GET", "/swarm"],
  "swarm init": ["POST", "/swarm/init"],
  "swarm join": ["POST", "/swarm/join"],
  "swarm leave": ["POST", "/swarm/leave"],
};

/** `swarm`, `node`, `service`, `stack`, `secret`, `config`: the engine says that it is in no swarm. */
export const command = defineCommand({
  usage: "COMMAND",
  description: "Not built: there is no swarm",
  arity: any,
  flags: {},
  interspersed: false,
  async run({ session, path, args }) {
    const family = path.split(" ").at(-1) ?? "";
    const [method, place] = asks[`${family} ${args[0]}`] ?? asks[family] ?? ["GET", "/swarm"];
    await session.client.call(method, place, method === "POST" ? { json: {} } : {});
    return 1;
  },
});

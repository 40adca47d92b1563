import { atMost, defineCommand } from "../command.ts";
import { eraseLogin, serverOf } from "../credentials/store.ts";

export const command = defineCommand({
  usage: "[SERVER]",
  description: "Let go of what is kept for a registry, Docker Hub by default.",
  usageWithoutOptions: true,
  arity: atMost(1),
  flags: {},
  async run({ session, args }) {
    const server = serverOf((args[0] ?? "docker.io").replace(/^https?:\/\//, "").split("/", 1)[0] ?? "");
    session.out(`Removing login credentials for ${server}`);
    try {
      await eraseLogin(session, server);
    } catch (error) {
      session.err(`WARNING: could not erase credentials:\n${server}: ${(error as Error).message}`);
    }
    return 0;
  },
});

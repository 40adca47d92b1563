import { existsSync } from "node:fs";
import { encodeJournald } from "../../lib/log-codecs/journald.ts";
import type { LogSource } from "../../lib/log-codecs/message.ts";
import { UnixDatagramConnection } from "./datagram-connection.ts";
import { type Destination, overDatagrams } from "./destination.ts";

export function openJournald(source: LogSource): Destination {
  const path = process.env["BERTH_JOURNALD_SOCKET"] || "/run/systemd/journal/socket";
  const connection = new UnixDatagramConnection(path, { longAsFile: true });
  const destination = overDatagrams(connection, (messages) =>
    messages.map((message) => encodeJournald(message, source)),
  );
  return {
    ...destination,
    open: async () => {
      if (!existsSync(path)) throw new Error("journald is not enabled on this host");
      await connection.open();
    },
  };
}

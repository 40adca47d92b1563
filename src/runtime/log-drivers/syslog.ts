import { readFile } from "node:fs/promises";
import type { LogMessage, LogSource } from "../../lib/log-codecs/message.ts";
import {
  encodeSyslog,
  facilityNumber,
  type SyslogFormat,
  type SyslogOptions,
} from "../../lib/log-codecs/syslog.ts";
import { syslogAddress } from "./addresses.ts";
import { type DatagramConnection, UdpConnection, UnixDatagramConnection } from "./datagram-connection.ts";
import { type Destination, overDatagrams, overStream } from "./destination.ts";
import type { LogDriverOptions } from "./options.ts";
import { StreamConnection, type TlsOptions } from "./stream-connection.ts";

const daemonFacility = 3;

export function openSyslog(source: LogSource, options: LogDriverOptions): Destination {
  const address = syslogAddress(options["syslog-address"]);
  const format = (options["syslog-format"] || "unix") as SyslogFormat;
  const encoding: SyslogOptions = {
    format,
    facility: facilityNumber(options["syslog-facility"] || String(daemonFacility)) ?? daemonFacility,
    pid: process.pid,
    counted: address.protocol === "tls" && format.startsWith("rfc5424"),
  };
  // an empty line is none to syslog
  const encode = (messages: readonly LogMessage[]): Buffer[] =>
    messages.flatMap((message) => (message.line.length > 0 ? [encodeSyslog(message, source, encoding)] : []));
  if (address.protocol === "udp") return overDatagrams(new UdpConnection(address.host, address.port), encode);
  if (address.protocol === "unixgram") return overDatagrams(localSyslog(address.path), encode);
  return overStream(new StreamConnection(address, { tls: () => tlsOptions(options) }), encode);
}

/** The host's own syslog fails in words of its own. */
function localSyslog(path: string): DatagramConnection {
  const connection = new UnixDatagramConnection(path, { longAsFile: false });
  const open = connection.open.bind(connection);
  connection.open = () =>
    open().catch((error: unknown) => {
      throw new Error("Unix syslog delivery error", { cause: error });
    });
  return connection;
}

async function tlsOptions(options: LogDriverOptions): Promise<TlsOptions> {
  const read = async (key: string, what: string): Promise<Buffer | undefined> => {
    const path = options[key];
    if (!path) return undefined;
    return readFile(path).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? "no such file or directory" : error.message;
      throw new Error(`could not read ${what} ${JSON.stringify(path)}: open ${path}: ${why}`);
    });
  };
  const ca = await read("syslog-tls-ca-cert", "CA certificate");
  const cert = await read("syslog-tls-cert", "client certificate");
  const key = await read("syslog-tls-key", "client key");
  return {
    // any value switches it on, as with Docker
    rejectUnauthorized: options["syslog-tls-skip-verify"] === undefined,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  };
}

import { randomBytes } from "node:crypto";
import { goBool } from "../../lib/go/bool.ts";
import { type FluentdEncoder, fluentdAck, fluentdEncoder } from "../../lib/log-codecs/fluentd.ts";
import type { LogMessage, LogSource } from "../../lib/log-codecs/message.ts";
import { fluentdAddress, type StreamAddress } from "./addresses.ts";
import { type Destination, overStream } from "./destination.ts";
import type { LogDriverOptions } from "./options.ts";
import { StreamConnection } from "./stream-connection.ts";

const ackTimeoutMs = 60_000;
/** what a server may answer while one acknowledgement is waited for */
const answerMax = 64 * 1024;

export function openFluentd(source: LogSource, options: LogDriverOptions): Destination {
  const address = fluentdAddress(options["fluentd-address"]);
  const subSecond = goBool(options["fluentd-sub-second-precision"] ?? "") ?? false;
  const encode = fluentdEncoder(source, { subSecond });
  const tls = async () => ({ rejectUnauthorized: true });
  if (goBool(options["fluentd-request-ack"] ?? "")) return new AcknowledgedFluentd(encode, address);
  return overStream(new StreamConnection(address, { tls }), (messages) =>
    messages.map((message) => encode(message)),
  );
}

/** `fluentd-request-ack`: nothing counts as sent before the server says so; the last event of a batch asks it. */
class AcknowledgedFluentd implements Destination {
  readonly unconfirmed = false;
  private readonly encode: FluentdEncoder;
  private readonly connection: StreamConnection;
  private answer = Buffer.alloc(0);
  private heard: () => void = () => undefined;

  constructor(encode: FluentdEncoder, address: StreamAddress) {
    this.encode = encode;
    this.connection = new StreamConnection(address, {
      tls: async () => ({ rejectUnauthorized: true }),
      received: (bytes) => this.receive(bytes),
    });
  }

  get brokenAt(): number | undefined {
    return this.connection.brokenAt;
  }

  async open(): Promise<void> {
    await this.connection.open();
  }

  async send(messages: readonly LogMessage[]): Promise<void> {
    const chunk = randomBytes(16).toString("base64");
    const last = messages.length - 1;
    this.answer = Buffer.alloc(0);
    const events = messages.map((message, index) => this.encode(message, index === last ? chunk : undefined));
    await this.connection.write(Buffer.concat(events));
    const wanted = fluentdAck(chunk);
    const until = performance.now() + ackTimeoutMs;
    while (!this.answer.includes(wanted)) {
      if (!this.connection.connected)
        throw new Error("fluentd: the connection broke before an acknowledgement");
      if (performance.now() > until) throw new Error("fluentd: no acknowledgement came");
      await this.hear();
    }
  }

  close(): void {
    this.connection.close();
  }

  private receive(bytes: Buffer): void {
    this.answer = Buffer.concat([this.answer, bytes]).subarray(-answerMax);
    this.heard();
  }

  /** A broken connection is noticed within the time of one wait. */
  private async hear(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 200);
      this.heard = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

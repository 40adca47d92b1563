import { withoutPassword } from "../../../lib/net/url-password.ts";
import type { Display } from "../display/display.ts";

/** Shows the way of a context that the engine fetches, or that is sent to it, as BuildKit names that. */
export class ContextStep {
  private readonly display: Display;
  private readonly vertex;
  private readonly isSent: boolean;
  private bytes = 0;

  constructor(display: Display, url: string | undefined) {
    this.display = display;
    this.isSent = url === undefined;
    const name =
      url === undefined ? "[internal] load remote build context" : `[internal] load ${withoutPassword(url)}`;
    const digest = `sha256:${"0".repeat(64)}`;
    this.vertex = { digest, inputs: [], name, started: Date.now(), cached: false };
    display.take({ kind: "vertex", vertex: this.vertex });
  }

  progress(bytes: number): void {
    this.bytes = bytes;
    this.tell();
  }

  end(error?: string): void {
    const completed = Date.now();
    if (this.isSent) this.tell(completed);
    const ended = { ...this.vertex, completed, ...(error === undefined ? {} : { error }) };
    this.display.take({ kind: "vertex", vertex: ended });
  }

  private tell(completed?: number): void {
    const { digest: vertex, started } = this.vertex;
    const status = { id: "transferring context:", vertex, current: this.bytes, total: 0, started };
    this.display.take({
      kind: "status",
      status: completed === undefined ? status : { ...status, completed },
    });
  }
}

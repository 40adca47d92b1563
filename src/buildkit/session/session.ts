import type { Duplex } from "node:stream";
import { EngineError } from "../../lib/errors.ts";
import { type CallOptions, GrpcClient, type GrpcStream } from "../grpc/client.ts";

/** What a client says of itself when it opens its session. */
export interface SessionHello {
  id: string;
  /** the same for builds of the same folder; "" = none */
  sharedKey: string;
  /** "/package.Service/Name" of what it serves */
  methods: ReadonlySet<string>;
}

/** A client's own services, for as long as its connection lasts. */
export class Session {
  readonly id: string;
  readonly sharedKey: string;
  readonly client: GrpcClient;
  private readonly methods: ReadonlySet<string>;

  constructor(hello: SessionHello, socket: Duplex) {
    this.id = hello.id;
    this.sharedKey = hello.sharedKey;
    this.methods = hello.methods;
    this.client = new GrpcClient(socket);
  }

  serves(method: string): boolean {
    return this.methods.has(method);
  }

  stream(method: string, options: CallOptions): GrpcStream {
    if (!this.serves(method))
      throw new EngineError("invalid", `method ${method} not supported by the client`);
    return this.client.stream(method, options);
  }
}

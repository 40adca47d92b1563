/** Calls of the file sync worker, and what each takes and gives. `transfer` numbers one transfer of several calls. */
export interface FilesyncCalls {
  /** begins to receive into a kept folder, whose index lies beside it as `<root>.json` */
  receive: { args: { transfer: number; root: string }; result: unknown };
  /** what came, and what to send in answer: bytes as gRPC frames them, in any pieces */
  feed: {
    args: { transfer: number; bytes: Uint8Array };
    result: { send: Uint8Array; finished: boolean; bytes: number };
  };
  /** begins to send a folder */
  send: { args: { transfer: number; root: string; prefix: string }; result: unknown };
  /** what to send next; nothing while the receiver has to speak */
  next: { args: { transfer: number }; result: { send: Uint8Array; finished: boolean } };
  answer: { args: { transfer: number; bytes: Uint8Array }; result: unknown };
  /** lets go of a transfer, whole or not */
  end: { args: { transfer: number }; result: unknown };
}

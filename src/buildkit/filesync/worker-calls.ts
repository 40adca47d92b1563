/** Calls of the file sync worker, and what each takes and gives. `transfer` numbers one transfer of several calls. */
export interface FilesyncCalls {
  /** begins to receive into a kept folder, whose index lies beside it as `<root>.json` */
  receive: { args: { transfer: number; root: string }; result: unknown };
  /** packets in, packets to send out */
  feed: {
    args: { transfer: number; messages: Uint8Array[] };
    result: { send: Uint8Array[]; finished: boolean; bytes: number };
  };
  /** begins to send a folder */
  send: { args: { transfer: number; root: string; prefix: string }; result: unknown };
  /** packets to send; empty while the receiver has to speak */
  next: { args: { transfer: number }; result: { send: Uint8Array[]; finished: boolean } };
  answer: { args: { transfer: number; messages: Uint8Array[] }; result: unknown };
  /** lets go of a transfer, whole or not */
  end: { args: { transfer: number }; result: unknown };
}

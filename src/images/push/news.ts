/** What of a layer is told while it goes. */
export type PushNews =
  | { kind: "status"; status: string }
  /** bytes of the layer's tar that were read, and in all */
  | { kind: "progress"; current: number; total: number };

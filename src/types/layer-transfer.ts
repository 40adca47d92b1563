/** What an engine tells another of a layer, on a line of `GET /berth/layers`. */
export interface LayerState {
  /** diff id */
  digest: string;
  /** bytes of its tar, where it is here */
  size?: number;
  /** where it is not: bytes of its beginning that are kept here of a transfer that broke off */
  kept?: number;
}

/** Bytes of a layer's tar in each zstd frame of `GET /berth/layers/{digest}`, but for the last. */
export const layerFrameBytes = 1024 * 1024;

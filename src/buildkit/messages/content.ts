import { bytes, int64, message, string, uint32 } from "../../lib/protobuf/schema.ts";

/** `containerd.services.content.v1`, as far as it is called: blobs that a client offers by their digests. */
export const contentMethods = {
  info: "/containerd.services.content.v1.Content/Info",
  read: "/containerd.services.content.v1.Content/Read",
  write: "/containerd.services.content.v1.Content/Write",
} as const;

/** which of a client's stores a call is about */
export const storeHeader = "buildkit-attachable-store-id";

export const infoRequest = message({ digest: [1, string] });
const info = message({ digest: [1, string], size: [2, int64] });
export const infoResponse = message({ info: [1, info] });

/** size 0 = to the end */
export const readRequest = message({ digest: [1, string], offset: [2, int64], size: [3, int64] });
export const readResponse = message({ offset: [1, int64], data: [2, bytes] });

export const writeAction = { stat: 0, write: 1, commit: 2 } as const;
export const writeRequest = message({
  action: [1, uint32],
  ref: [2, string],
  total: [3, int64],
  expected: [4, string],
  offset: [5, int64],
  data: [6, bytes],
});
export const writeResponse = message({
  action: [1, uint32],
  offset: [4, int64],
  total: [5, int64],
  digest: [6, string],
});

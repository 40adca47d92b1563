import { bigint, bytes, int64, mapOf, message, string, uint32 } from "../../lib/protobuf/schema.ts";

/** What the engine calls on its client: `moby.filesync.v1`, `moby.buildkit.secrets.v1`, `moby.sshforward.v1`, `moby.upload.v1`. */
export const sessionMethods = {
  diffCopy: "/moby.filesync.v1.FileSync/DiffCopy",
  fileSend: "/moby.filesync.v1.FileSend/DiffCopy",
  credentials: "/moby.filesync.v1.Auth/Credentials",
  getSecret: "/moby.buildkit.secrets.v1.Secrets/GetSecret",
  checkAgent: "/moby.sshforward.v1.SSH/CheckAgent",
  forwardAgent: "/moby.sshforward.v1.SSH/ForwardAgent",
  uploadPull: "/moby.upload.v1.Upload/Pull",
  health: "/grpc.health.v1.Health/Check",
} as const;

export const credentialsRequest = message({ host: [1, string] });
export const credentialsResponse = message({ username: [1, string], secret: [2, string] });

export const getSecretRequest = message({ id: [1, string], annotations: [2, mapOf(string)] });
export const getSecretResponse = message({ data: [1, bytes] });

export const checkAgentRequest = message({ id: [1, string] });
export const checkAgentResponse = message({});

/** A piece of a stream of bytes: agents, exported files, uploads. */
export const bytesMessage = message({ data: [1, bytes] });

export const healthRequest = message({ service: [1, string] });
/** 1 = serving */
export const healthResponse = message({ status: [1, uint32] });

/** `fsutil.types`: one packet of a transfer of files. */
export const packetType = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;
export const stat = message({
  /** paths are bytes: not every file name is UTF-8 */
  path: [1, bytes],
  /** Go's os.FileMode, not the kernel's */
  mode: [2, uint32],
  uid: [3, uint32],
  gid: [4, uint32],
  size: [5, int64],
  /** nanoseconds since the epoch */
  modTime: [6, bigint],
  linkname: [7, bytes],
  devmajor: [8, int64],
  devminor: [9, int64],
  xattrs: [10, mapOf(bytes)],
});
export const packet = message({
  type: [1, uint32],
  stat: [2, stat],
  id: [3, uint32],
  data: [4, bytes],
});

import {
  bool,
  int64,
  list,
  map,
  object,
  string,
  stringMap,
  strings,
  uint64,
} from "../../lib/go/json/shape.ts";

/** The body of `POST /berth/build` (`types/local-build.ts`). */
const folder = { path: string, device: uint64, inode: uint64, ignore: strings };

const options = list(stringMap, "[]map[string]string");

const credentials = object("local.Credentials", {
  username: string,
  password: string,
  identityToken: string,
  registryToken: string,
});

const resources = object("local.Resources", {
  memory: int64,
  memorySwap: int64,
  cpuShares: int64,
  cpuPeriod: int64,
  cpuQuota: int64,
  cpusetCpus: string,
  cpusetMems: string,
  shmSize: int64,
  cgroupParent: string,
  ulimits: list(object("local.Ulimit", { Name: string, Soft: int64, Hard: int64 }), "[]local.Ulimit"),
});

export const localBuildShape = object("local.BuildRequest", {
  call: string,
  dockerfile: object("local.Dockerfile", { name: string, text: string, url: string }),
  context: object("local.Folder", { ...folder, url: string, upload: bool }),
  namedContexts: map(object("local.Context", { ...folder, image: string, url: string, layout: string })),
  target: string,
  buildArgs: stringMap,
  labels: stringMap,
  annotations: stringMap,
  platforms: strings,
  tags: strings,
  noCache: bool,
  noCacheStages: strings,
  pull: bool,
  network: string,
  extraHosts: strings,
  secrets: stringMap,
  ssh: stringMap,
  resources,
  outputs: list(object("local.Output", { type: string, attributes: stringMap }), "[]local.Output"),
  cacheFrom: options,
  cacheTo: options,
  cacheFolders: map(object("local.Folder", folder)),
  attest: stringMap,
  squash: bool,
  keepsFailed: bool,
  allow: strings,
  auth: map(credentials),
});
